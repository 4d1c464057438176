"""What the steps of a JPEG tell of two files of one size.

What was once rounded to the steps of a JPEG stays near them, in whatever it is saved again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lookalike.records.arrays import Float32Array, UInt8Array
from lookalike.records.geometry import Matrix

BLOCK_PX = 8  # of a JPEG
_MIDDLE = 128.0  # the grey from which a JPEG counts
_N_BLOCKS = 8192
_MIN_STEP = 4  # of a quantisation table: finer steps drown in the rounding of colours
_MIN_COEFFICIENTS = 200
# Steps squared: 1/12 is lost by what is rounded to a step, 0.05 to 0.2 by drawings and photos.
_MIN_LOST = 0.05


class Side(NamedTuple):
    """One of the two pictures: its luma as stored upright, and its JPEG's luma table, None for other formats."""

    luma: Float32Array
    steps: Float32Array | None


def luma_of(rgb: UInt8Array) -> Float32Array:
    """Return the luma of JPEG (Rec. 601)."""
    return np.asarray(rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32))


def compare_steps(first: Side, second: Side, matrix: Matrix) -> tuple[float, float]:
    """Tell by the steps of the first, a JPEG, whether the second was made from it, or it from the second.

    Only for pictures of one size that lie straight over each other. What was made from a JPEG still has its
    coefficients; and a picture gives, if it is compressed by the steps of a JPEG, what was made from it so, where
    one that was edited gives something else. White and black are cut off as a JPEG cuts them off.

    Returns
    -------
    float, float    `first_rounded` and `first_unlike` of `Lineage`
    """
    unknown = float("nan")
    if (
        first.steps is None
        or first.luma.shape != second.luma.shape
        or np.abs(matrix - np.eye(3)).max() > 1e-6
    ):
        return unknown, unknown
    ours, theirs = (_sampled(_blocks(one.luma)) for one in (first, second))
    goal = _transform(ours - _MIDDLE)
    counted = (np.abs(goal) > 0.5 * first.steps) & (first.steps >= _MIN_STEP)
    counted[:, 0, 0] = False  # the mean brightness of a block
    if np.count_nonzero(counted) < _MIN_COEFFICIENTS:
        return unknown, unknown
    again = np.clip(_rounded(theirs, first.steps), 0, 255)
    apart, left = (
        float(np.mean(np.clip(np.square((_transform(blocks - _MIDDLE) - goal) / first.steps)[counted], 0, 1)))
        for blocks in (theirs, again)
    )
    return apart, left / apart if apart > _MIN_LOST else unknown


def _sampled(blocks: Float32Array) -> Float32Array:
    return np.asarray(blocks[:: max(1, len(blocks) // _N_BLOCKS)])


def compressed(luma: Float32Array, steps: Float32Array) -> Float32Array:
    """Return a tile after the rounding of a JPEG with these steps."""
    rows, columns = luma.shape[0] // BLOCK_PX, luma.shape[1] // BLOCK_PX
    back = _rounded(_blocks(luma), steps)
    return np.asarray(
        back.reshape(rows, columns, BLOCK_PX, BLOCK_PX).swapaxes(1, 2).reshape(luma.shape), np.float32
    )


def _rounded(blocks: Float32Array, steps: Float32Array) -> Float32Array:
    """Return blocks of luma after the rounding of a JPEG with these steps."""
    coefficients = np.round(_transform(blocks - _MIDDLE) / steps) * steps
    return np.asarray(_DCT.T @ coefficients @ _DCT + _MIDDLE)


def _blocks(luma: Float32Array) -> Float32Array:
    """Cut a picture into its blocks of 8 x 8; what is left over is dropped. Shape (n, 8, 8)."""
    rows, columns = luma.shape[0] // BLOCK_PX, luma.shape[1] // BLOCK_PX
    whole = luma[: rows * BLOCK_PX, : columns * BLOCK_PX]
    return np.asarray(
        whole.reshape(rows, BLOCK_PX, columns, BLOCK_PX).swapaxes(1, 2).reshape(-1, BLOCK_PX, BLOCK_PX)
    )


def _cosines() -> Float32Array:
    """Return the matrix of the discrete cosine transform of 8 values, orthonormal."""
    k, n = np.mgrid[0:BLOCK_PX, 0:BLOCK_PX]
    basis = np.sqrt(2 / BLOCK_PX) * np.cos(np.pi * (2 * n + 1) * k / (2 * BLOCK_PX))
    basis[0] /= np.sqrt(2)
    return np.asarray(basis, np.float32)


_DCT = _cosines()


def _transform(blocks: Float32Array) -> Float32Array:
    return np.asarray(_DCT @ blocks @ _DCT.T)
