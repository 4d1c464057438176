"""SciPy's Euclidean distance against NumPy's: how fast each is, and whether they agree."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.features.distances import euclidean as rows_euclidean

PAIR_LENGTHS = (128, 1280, 3 * 128 * 128, 3 * 224 * 224)
N_ROWS = 2_000  # of the gallery that one query of 1280 numbers is compared with
N_ROUNDS = 41
_ROUND_SECONDS = 0.001  # short work is repeated so long; longer rounds would be interrupted on a busy machine

Vectors = NDArray[Any]


@dataclass(frozen=True)
class EuclideanResult:
    """Both libraries on one kind of work, measured in turns.

    Parameters
    ----------
    case : str
        What is compared.
    dtype : str
    numpy_seconds, scipy_seconds : float
        Median of one call.
    scipy_by_numpy : float
        Median of the paired ratios; above 1 NumPy is the faster.
    relative_difference : float
        Largest difference of the two answers, as a share of the answer.
    """

    case: str
    dtype: str
    numpy_seconds: float
    scipy_seconds: float
    scipy_by_numpy: float
    relative_difference: float


@dataclass(frozen=True)
class WrapResult:
    """What a way of computing says of the 8-bit vectors (1, 250) and (2, 5); right is 245.002."""

    way: str
    distance: float
    is_right: bool


@dataclass(frozen=True)
class EuclideanExperiment:
    """The answer of `compare_euclidean`."""

    results: tuple[EuclideanResult, ...]
    eight_bits: tuple[WrapResult, ...]


def compare_euclidean(*, seed: int = 0, n_rounds: int = N_ROUNDS) -> EuclideanExperiment:
    """Measure the Euclidean distance of SciPy and NumPy on seeded vectors.

    Parameters
    ----------
    seed : int
        Of the vectors.
    n_rounds : int
        How often each case is measured; both libraries take turns within a round.
    """
    from scipy.spatial import distance

    rng = np.random.default_rng(seed)
    results = []
    for dtype in (np.float32, np.float64):
        for length in PAIR_LENGTHS:
            first, second = rng.normal(size=(2, length)).astype(dtype)
            results.append(
                _compare(f"pair of {length:,}", first, second, _numpy_pair, distance.euclidean, n_rounds)
            )
        query, rows = rng.normal(size=(1, 1280)).astype(dtype), rng.normal(size=(N_ROWS, 1280)).astype(dtype)
        results.append(
            _compare(f"1 against {N_ROWS:,} of 1,280", query, rows, rows_euclidean, distance.cdist, n_rounds)
        )
    return EuclideanExperiment(tuple(results), _eight_bits())


def _numpy_pair(first: Vectors, second: Vectors) -> Any:
    return np.linalg.norm(first - second)


def _compare(
    case: str,
    first: Vectors,
    second: Vectors,
    by_numpy: Callable[[Any, Any], Any],
    by_scipy: Callable[[Any, Any], Any],
    n_rounds: int,
) -> EuclideanResult:
    here, there = (np.asarray(by(first, second), np.float64) for by in (by_numpy, by_scipy))
    difference = float(np.max(np.abs(here - there) / there))
    n_calls = _calls_in_a_round(lambda: by_numpy(first, second))
    times = np.array(
        [
            [_seconds(lambda by=by: by(first, second), n_calls) for by in (by_numpy, by_scipy)]  # type: ignore[misc]
            for _ in range(n_rounds)
        ]
    )
    numpy_seconds, scipy_seconds = np.median(times, axis=0)
    ratio = float(np.median(times[:, 1] / times[:, 0]))
    return EuclideanResult(
        case, str(first.dtype), float(numpy_seconds), float(scipy_seconds), ratio, difference
    )


def _calls_in_a_round(call: Callable[[], Any]) -> int:
    return max(1, int(_ROUND_SECONDS / max(_seconds(call, 3), 1e-9)))


def _seconds(call: Callable[[], Any], n_calls: int) -> float:
    """Return the seconds of one call, averaged over some."""
    started = time.perf_counter()
    for _ in range(n_calls):
        call()
    return (time.perf_counter() - started) / n_calls


def _eight_bits() -> tuple[WrapResult, ...]:
    """Show which ways wrap around where pixels are subtracted as they are."""
    from scipy.spatial import distance

    first, second = np.array([[1, 250], [2, 5]], np.uint8)
    right = float(np.hypot(1, 245))
    ways = {
        "numpy.linalg.norm(a - b)": np.linalg.norm(first - second),
        "numpy.linalg.norm(a.astype(float) - b)": np.linalg.norm(first.astype(float) - second),
        "scipy.spatial.distance.euclidean(a, b)": distance.euclidean(first, second),
        "scipy.spatial.distance.cdist([a], [b])": distance.cdist(first[None], second[None])[0, 0],
    }
    return tuple(WrapResult(way, float(found), bool(np.isclose(found, right))) for way, found in ways.items())
