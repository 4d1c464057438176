"""What each way answered, kept in files before it is scored: parts of some queries each, with their configuration.

A part holds, for each query in turn, the positions of the answers in the data set's list of gallery pictures
(-1 where there are fewer than `depth`), their scores (minus infinity there), and whether the query could not
be read. A part is there whole or not at all, so an evaluation that was stopped goes on behind the last part.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import InputError, OutputError

FORMAT = 1


@dataclass(frozen=True)
class Configuration:
    """All that predictions depend on; those of different configurations are never mixed.

    Parameters
    ----------
    by : str
        The way of searching.
    depth : int
        How many answers are kept of each query.
    data_digest : str   of the names and bytes of the gallery's pictures and of the queries
    recipes : str
        Of the features that the way uses, as JSON.
    settings : str
        That change an answer, as JSON.
    version : str
        Of lookalike.
    """

    by: str
    depth: int
    data_digest: str
    recipes: str
    settings: str
    version: str
    format: int = FORMAT


@dataclass(frozen=True)
class Predictions:
    """The answers of one way to n queries, best first.

    Parameters
    ----------
    items : int32 array, shape (n, depth)
        Positions in the list of gallery pictures; -1 where there is none.
    scores : float64 array, shape (n, depth)   higher is more alike; minus infinity where there is none
    failed : bool array, shape (n,)
        The query could not be read.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float64]
    failed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.items)


class PredictionsFolder:
    """The predictions of one configuration, in parts in a folder.

    Parameters
    ----------
    folder : Path
        Made when the first part is written; several ways may share it.
    configuration : Configuration

    Raises
    ------
    InputError
        A part is there that was made by another configuration, or is damaged.
    """

    def __init__(self, folder: Path, configuration: Configuration) -> None:
        self._folder = folder
        self._configuration = configuration
        self._stem = configuration.by.replace(":", "-")
        self.n_done = sum(len(part) for _, part in self._parts())

    def write(self, predictions: Predictions) -> None:
        """Keep the answers to the next queries.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        path = self._folder / f"{self._stem}.{self.n_done:07d}.npz"
        unfinished = path.with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                np.savez(
                    file,
                    configuration=np.array(json.dumps(asdict(self._configuration))),
                    items=predictions.items,
                    scores=predictions.scores,
                    failed=predictions.failed,
                )
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written: {error.strerror}. What was kept before is still there; mend this and "
                "run the same command again."
            ) from error
        self.n_done += len(predictions)

    def load(self) -> Predictions:
        """Return all answers that are kept, in the order of the queries."""
        depth = self._configuration.depth
        nothing = Predictions(
            np.empty((0, depth), np.int32), np.empty((0, depth), np.float64), np.empty(0, np.bool_)
        )
        parts = [nothing, *(part for _, part in self._parts())]
        return Predictions(
            np.concatenate([part.items for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.failed for part in parts]),
        )

    def _parts(self) -> Iterator[tuple[Path, Predictions]]:
        """Yield the parts from the first query on, without a gap."""
        n_queries = 0
        while (path := self._folder / f"{self._stem}.{n_queries:07d}.npz").exists():
            part = self._read(path)
            yield path, part
            n_queries += len(part)

    def _read(self, path: Path) -> Predictions:
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                found = json.loads(str(kept["configuration"]))
                part = Predictions(kept["items"], kept["scores"], kept["failed"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(
                f"the predictions {path} are damaged: delete this file and those after it, and evaluate again."
            ) from error
        self._check(path, found)
        shape = (len(part), self._configuration.depth)
        if not len(part) or part.items.shape != shape or part.scores.shape != shape:
            raise InputError(f"the predictions {path} are damaged: delete this file and evaluate again.")
        return part

    def _check(self, path: Path, found: dict[str, object]) -> None:
        wanted = asdict(self._configuration)
        differing = [name for name in wanted if found.get(name) != wanted[name]]
        if differing:
            raise InputError(
                f"the predictions {path} were made with another {', '.join(differing).replace('_', ' ')}: they "
                "are not mixed with new ones. Give another --out, or delete that folder."
            )
