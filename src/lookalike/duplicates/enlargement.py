"""Tell what a picture shows beyond another one, and so an enlargement from its original.

Stored pixels are no detail: an enlargement has more of them and shows nothing more. So the smaller picture is
enlarged with the best filter of a whole family and laid over the larger one: what the larger shows beyond that,
and beyond what its own compression scatters, is what it adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.duplicates.jpeg_steps import Side, compressed
from lookalike.duplicates.laid_over import MIN_RESPONSE, as_small, choose_tiles, size_of
from lookalike.records.arrays import Float32Array
from lookalike.records.geometry import Matrix, scaling

_MARGIN_PX = 8  # around a tile, for the filter of an enlargement to look at
_N_AROUND = 49  # neighbours in the first layer
_MIN_SHIFT_PX, _MAX_SHIFT_PX = 0.4, 6.0  # less is chance, and would spoil an exact placement
_RIDGE = 0.01  # of a filter's weights against the pixels' levels squared
_FITTED_PX = 8_000
_ROUNDING = 1 / 12  # variance of a level that was rounded
# Of the contrast's amplitude: what no filter and placement of ours gives.
_MISMATCH, _MISMATCH_FINE = 0.005, 0.1
_QUANTILE = 0.75  # of the tiles: one of them may hold what was laid over the picture


def what_is_added(target: Side, source: Side, matrix: Matrix) -> float:
    """Return how far a picture leaves what another one shows, as a multiple of what compression explains.

    Parameters
    ----------
    matrix : 3 x 3    from the source's pixels to the target's

    Returns
    -------
    float    about 1 where the target shows nothing of its own; nan where too little of it could be compared
    """
    shown, matrix = as_small(source.luma, matrix, size_of(target.luma))
    tiles = choose_tiles(target.luma, shown, matrix)
    laid = [_lay_tile(target.luma, shown, matrix, tile) for tile in tiles]
    if not laid:
        return float("nan")
    weights = _fit_filter(laid)
    ratios = [_excess(one.seen, _predict(one, weights), target.steps) for one in laid]
    return float(np.sqrt(np.quantile(ratios, _QUANTILE)))


def added_to_itself(side: Side, ratio: float) -> float:
    """Return what a picture adds to its own reduction."""
    import cv2

    size = size_of(side.luma)
    smaller = max(16, round(size[0] / ratio)), max(16, round(size[1] / ratio))
    reduced = Side(np.asarray(cv2.resize(side.luma, smaller, interpolation=cv2.INTER_AREA)), None)
    return what_is_added(side, reduced, scaling(smaller, size))


class _Layer(NamedTuple):
    """One version of the other picture under a tile, with a margin, and which of its neighbours are looked at."""

    pixels: Float32Array
    reach: int
    step: int

    @property
    def offsets(self) -> list[tuple[int, int]]:
        """The neighbours' places, as rows and columns of the tile's top left corner."""
        reach = range(_MARGIN_PX - self.reach * self.step, _MARGIN_PX + self.reach * self.step + 1, self.step)
        return [(y, x) for y in reach for x in reach]


class _Laid(NamedTuple):
    """A tile, and versions of the other picture laid over it."""

    seen: Float32Array
    layers: tuple[_Layer, ...]


def _lay_tile(seen: Float32Array, shown: Float32Array, matrix: Matrix, tile: tuple[int, int, int]) -> _Laid:
    """Return a tile and the other picture laid over it."""
    import cv2

    top, left, side = tile
    wanted = seen[top : top + side, left : left + side]
    placing = np.array([[1, 0, _MARGIN_PX - left], [0, 1, _MARGIN_PX - top], [0, 0, 1]], np.float64) @ matrix
    near = _warp(shown, placing, side, cv2.INTER_CUBIC)
    window = cv2.createHanningWindow((side, side), cv2.CV_32F)
    inner = np.ascontiguousarray(near[_MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX])
    (x, y), response = cv2.phaseCorrelate(inner, np.ascontiguousarray(wanted), window)
    if response > MIN_RESPONSE and _MIN_SHIFT_PX < max(abs(x), abs(y)) < _MAX_SHIFT_PX:
        placing = np.array([[1, 0, x], [0, 1, y], [0, 0, 1]]) @ placing
        near = _warp(shown, placing, side, cv2.INTER_CUBIC)
    layers = (
        (near, 3, 1),
        (_warp(shown, placing, side, cv2.INTER_LINEAR), 1, 1),
        (_warp(shown, placing, side, cv2.INTER_LANCZOS4), 1, 1),
        (_warp(shown, placing, side, cv2.INTER_NEAREST), 0, 1),
        (np.asarray(cv2.GaussianBlur(near, (0, 0), 2.0), np.float32), 1, 3),
        (np.asarray(cv2.GaussianBlur(near, (0, 0), 4.0), np.float32), 0, 1),
    )
    return _Laid(wanted, tuple(_Layer(*layer) for layer in layers))


def _warp(shown: Float32Array, placing: Matrix, side: int, flags: int) -> Float32Array:
    import cv2

    size = (side + 2 * _MARGIN_PX, side + 2 * _MARGIN_PX)
    return np.asarray(
        cv2.warpPerspective(shown, placing, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def _neighbours(laid: _Laid, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return for some pixels of a tile what lies under and around them, and 1; shape (pixels, neighbours)."""
    around = [layer.pixels[rows + y, columns + x] for layer in laid.layers for y, x in layer.offsets]
    return np.stack([*around, np.ones(len(rows), np.float32)], axis=1).astype(np.float64)


def _fit_filter(tiles: Sequence[_Laid]) -> NDArray[np.float64]:
    """Return the weights by which the neighbours best give the pixels of all tiles: one filter for the picture.

    The pixels are drawn by lot (always the same): any regular choice would see but some of the phases in which the
    pixels of an enlargement lie.
    """
    lot = np.random.default_rng(0)
    side = len(tiles[0].seen)
    n_each = min(side * side, _FITTED_PX // len(tiles))
    drawn = [np.divmod(lot.choice(side * side, n_each, replace=False), side) for _ in tiles]
    causes = np.concatenate([_neighbours(laid, *where) for laid, where in zip(tiles, drawn, strict=True)])
    effects = np.concatenate([laid.seen[where] for laid, where in zip(tiles, drawn, strict=True)])
    effects = effects.astype(np.float64)
    squares = causes.T @ causes
    ridge = np.full(len(squares), _RIDGE * len(causes))
    ridge[-1] = 0.0
    squares[np.diag_indices(len(squares))] += ridge
    start = np.zeros(len(squares))
    start[_N_AROUND // 2] = 1.0  # without evidence a pixel is what lies under it
    products = causes.T @ effects + ridge * start
    return np.asarray(np.linalg.solve(squares, products))


def _predict(laid: _Laid, weights: NDArray[np.float64]) -> Float32Array:
    import cv2

    side, place = len(laid.seen), 0
    predicted = np.full((side, side), weights[-1], np.float32)
    inner = slice(_MARGIN_PX, _MARGIN_PX + side)
    for layer in laid.layers:
        n = 2 * layer.reach + 1
        kernel = np.zeros(((n - 1) * layer.step + 1,) * 2, np.float32)
        kernel[:: layer.step, :: layer.step] = weights[place : place + n * n].reshape(n, n)
        predicted += cv2.filter2D(layer.pixels, cv2.CV_32F, kernel)[inner, inner]
        place += n * n
    return predicted


def _excess(seen: Float32Array, predicted: Float32Array, steps: Float32Array | None) -> float:
    """Return the energy that a tile has beyond its prediction over that which compression explains."""
    import cv2

    fine = predicted - cv2.GaussianBlur(predicted, (0, 0), 1.0)
    explained = _ROUNDING + _MISMATCH**2 * float(np.var(predicted)) + _MISMATCH_FINE**2 * float(np.var(fine))
    if steps is not None:
        explained += float(np.mean(np.square(compressed(predicted, steps) - predicted)))
    return float(np.mean(np.square(seen - predicted))) / explained
