"""Which of two files was made from the other? What the pixels and the compression of both tell.

Stored pixels are no detail: an enlargement has more of them and shows nothing more. So the smaller picture is
enlarged with the best filter of a whole family and laid over the larger one: what the larger shows beyond that,
and beyond what its own compression scatters, is what it adds. Two files of one size are told apart by the steps of
their compression: what was once rounded to the steps of a JPEG stays near them, in whatever it is saved again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.records.arrays import Float32Array, UInt8Array
from lookalike.records.geometry import Matrix, corners_of, linear_scale, move_points, scaling

MAX_SOFT = 1.2  # of a reduction to 0.85 of a JPEG 75 photo 1.3, of one to 0.5 at least 2.7
MAX_ASKED = 1.5  # beyond it a larger picture shows enough of its own
MIN_ENLARGED = 1.1  # ratio of sides from which one of two pictures is the larger
_BLOCK_PX = 8  # of a JPEG
_MIDDLE = 128.0  # the grey from which a JPEG counts
_TILE_PX = 96
_N_TILES = 24
_MARGIN_PX = 8  # around a tile, for the filter of an enlargement to look at
_N_AROUND = 49  # neighbours in the first layer
_MIN_SHIFT_PX, _MAX_SHIFT_PX = 0.4, 6.0  # less is chance, and would spoil an exact placement
_RIDGE = 0.01  # of a filter's weights against the pixels' levels squared
_FITTED_PX = 20_000
_ROUNDING = 1 / 12  # variance of a level that was rounded
_MISMATCH, _MISMATCH_FINE = (
    0.005,
    0.1,
)  # of the contrast's amplitude: what no filter and placement of ours gives
_WHOLE = (
    0.02  # of the longer side: corners that are placed so near to those of the picture are meant to be there
)
_QUANTILE = 0.75  # of the tiles: one of them may hold what was laid over the picture
_MIN_RESPONSE = 0.1  # of the phase correlation: less tells no shift
_N_BLOCKS = 8192
_REGISTRATIONS, _MIN_REGISTERED = 4, 4  # rounds, and tiles that must tell how far they are off
_MIN_STEP = 4  # of a quantisation table: finer steps drown in the rounding of colours
_MIN_COEFFICIENTS = 200
_MIN_LOST = (
    0.05  # steps squared: 1/12 is lost by what is rounded to a step, 0.05 to 0.2 by drawings and photos
)


class Lineage(NamedTuple):
    """What the pixels of two pictures tell of their descent.

    Parameters
    ----------
    first_adds, second_adds : float
        Amplitude of what it shows beyond the other, as a multiple of what compression and resampling explain; about
        1 where it shows nothing more.
    first_rounded, second_rounded : float
        How far the other's coefficients are from those of this JPEG, in its steps squared: 1/12 for what was never
        rounded to them, near 0 for what was made from it; nan where that cannot be told.
    first_unlike, second_unlike : float
        What is left of that distance once the other one is compressed by the steps of this one: about 0.3 where
        this one is the other compressed, 1 where one of them was edited; nan where they are too near to tell.
    own : float
        What the smaller one adds to itself, reduced as much again: about 1 where it is soft, and shows nothing by
        which an enlargement could be told; nan where the larger one adds more than nothing.
    """

    first_adds: float
    second_adds: float
    first_rounded: float
    second_rounded: float
    first_unlike: float = float("nan")
    second_unlike: float = float("nan")
    own: float = float("nan")

    @property
    def is_sharp(self) -> bool:
        """Whether the smaller picture has details as fine as its pixels."""
        return self.own > MAX_SOFT

    def turned(self) -> Lineage:
        """Return the same of the second picture to the first."""
        return Lineage(
            self.second_adds,
            self.first_adds,
            self.second_rounded,
            self.first_rounded,
            self.second_unlike,
            self.first_unlike,
            self.own,
        )


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


class Side(NamedTuple):
    """One of the two pictures: its luma as stored upright, and its JPEG's luma table, None for other formats."""

    luma: Float32Array
    steps: Float32Array | None


def luma_of(rgb: UInt8Array) -> Float32Array:
    """Return the luma of JPEG (Rec. 601)."""
    return np.asarray(rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32))


def compare_lineage(first: Side, second: Side, matrix: Matrix) -> Lineage:
    """Compare two pictures that are one, by the placement of the first on the second.

    Parameters
    ----------
    matrix : 3 x 3    from the first's pixels to the second's
    """
    exact = _straightened(matrix, _size_of(first.luma), _size_of(second.luma))
    matrix = _registered(first.luma, second.luma, matrix) if exact is None else exact
    inverse = np.asarray(np.linalg.inv(matrix), np.float64)
    adds = what_is_added(first, second, inverse), what_is_added(second, first, matrix)
    ratio = linear_scale(matrix, corners_of(_size_of(first.luma)).mean(axis=0))
    own = float("nan")
    if max(ratio, 1 / ratio) >= MIN_ENLARGED and adds[ratio > 1] < MAX_ASKED:
        own = _added_to_itself(first if ratio > 1 else second, max(ratio, 1 / ratio))
    (first_rounded, first_unlike), (second_rounded, second_unlike) = (
        compare_steps(first, second, matrix),
        compare_steps(second, first, inverse),
    )
    return Lineage(*adds, first_rounded, second_rounded, first_unlike, second_unlike, own)


def _added_to_itself(side: Side, ratio: float) -> float:
    """Return what a picture adds to its own reduction."""
    import cv2

    size = _size_of(side.luma)
    smaller = max(16, round(size[0] / ratio)), max(16, round(size[1] / ratio))
    reduced = Side(np.asarray(cv2.resize(side.luma, smaller, interpolation=cv2.INTER_AREA)), None)
    return what_is_added(side, reduced, scaling(smaller, size))


def _size_of(luma: Float32Array) -> tuple[int, int]:
    return luma.shape[1], luma.shape[0]


def _straightened(matrix: Matrix, first: tuple[int, int], second: tuple[int, int]) -> Matrix | None:
    """Return the exact placement of a whole picture on a whole one, turned or mirrored; None where it is none.

    The proof places corners to a few pixels, which is not enough for the finest details.
    """
    corners, starts = corners_of(second), corners_of(first)
    placed = move_points(matrix, starts)
    nearest = np.argmin(np.linalg.norm(placed[:, None] - corners[None], axis=2), axis=1)
    if len(set(nearest)) < 4 or np.abs(placed - corners[nearest]).max() > _WHOLE * max(second):
        return None
    causes = np.column_stack([starts, np.ones(4)])
    exact = np.linalg.lstsq(causes, corners[nearest], rcond=None)[0].T
    return np.vstack([exact, [0.0, 0.0, 1.0]])


def _registered(first: Float32Array, second: Float32Array, matrix: Matrix) -> Matrix:
    """Return the placement after the tiles of the second were moved to where they agree best with the first."""
    import cv2

    for _ in range(_REGISTRATIONS):
        shown, placing = _as_small(first, matrix, _size_of(second))
        tiles = _choose_tiles(second, shown, placing)
        found = []
        for top, left, side in tiles:
            moved = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], np.float64) @ placing
            near = cv2.warpPerspective(shown, moved, (side, side), borderMode=cv2.BORDER_REPLICATE)
            seen = np.ascontiguousarray(second[top : top + side, left : left + side])
            window = cv2.createHanningWindow((side, side), cv2.CV_32F)
            shift, response = cv2.phaseCorrelate(np.asarray(near, np.float32), seen, window)
            if response > _MIN_RESPONSE and max(map(abs, shift)) < side / 4:
                found.append((left + side / 2, top + side / 2, *shift))
        if len(found) < _MIN_REGISTERED:
            return matrix
        places = np.array(found)
        causes = np.column_stack([places[:, :2], np.ones(len(places))])
        moves = np.linalg.lstsq(causes, places[:, 2:], rcond=None)[0].T
        correction = np.eye(3)
        correction[:2] += moves
        matrix = np.asarray(correction @ matrix, np.float64)
    return matrix


def what_is_added(target: Side, source: Side, matrix: Matrix) -> float:
    """Return how far a picture leaves what another one shows, as a multiple of what compression explains.

    Parameters
    ----------
    matrix : 3 x 3    from the source's pixels to the target's

    Returns
    -------
    float    about 1 where the target shows nothing of its own; nan where too little of it could be compared
    """
    shown, matrix = _as_small(source.luma, matrix, _size_of(target.luma))
    tiles = _choose_tiles(target.luma, shown, matrix)
    laid = [_lay_tile(target.luma, shown, matrix, tile) for tile in tiles]
    if not laid:
        return float("nan")
    weights = _fit_filter(laid)
    ratios = [_excess(one.seen, _predict(one, weights), target.steps) for one in laid]
    return float(np.sqrt(np.quantile(ratios, _QUANTILE)))


def _as_small(luma: Float32Array, matrix: Matrix, size: tuple[int, int]) -> tuple[Float32Array, Matrix]:
    """Return a picture averaged to the size at which it is laid over a smaller one, and the new placement."""
    import cv2

    middle = move_points(np.linalg.inv(matrix), corners_of(size).mean(axis=0)[None])[0]
    factor = linear_scale(matrix, middle)
    if factor > 0.98:
        return luma, matrix
    width, height = _size_of(luma)
    smaller = max(1, round(width * factor)), max(1, round(height * factor))
    shrunk = np.asarray(cv2.resize(luma, smaller, interpolation=cv2.INTER_AREA), np.float32)
    return shrunk, np.asarray(matrix @ scaling(smaller, (width, height)))


def _choose_tiles(seen: Float32Array, shown: Float32Array, matrix: Matrix) -> list[tuple[int, int, int]]:
    """Return top, left and side of tiles that the other picture covers: those with the finest details first.

    They lie on the blocks of the JPEG, and every second one is taken from all over the picture.
    """
    import cv2

    height, width = seen.shape
    side = min(_TILE_PX, min(height, width) // _BLOCK_PX * _BLOCK_PX)
    if side < 2 * _BLOCK_PX:
        return []
    places = [
        (top, left) for top in range(0, height - side + 1, side) for left in range(0, width - side + 1, side)
    ]
    inverse, limits = np.linalg.inv(matrix), np.array(_size_of(shown))
    fine = np.square(seen - cv2.GaussianBlur(seen, (0, 0), 1.0))
    covered = []
    for top, left in places:
        around = corners_of((side, side)) + np.array([left, top])
        found = move_points(inverse, around)
        if (found > -1).all() and (found < limits).all():
            energy = float(fine[top : top + side, left : left + side].mean())
            covered.append((energy, top, left))
    covered.sort(reverse=True)
    finest, rest = covered[: _N_TILES // 2], covered[_N_TILES // 2 :]
    step = max(1, len(rest) // (_N_TILES // 2))
    return [(top, left, side) for _, top, left in (*finest, *rest[::step][: _N_TILES // 2])]


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
    if response > _MIN_RESPONSE and _MIN_SHIFT_PX < max(abs(x), abs(y)) < _MAX_SHIFT_PX:
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
    side, place = len(laid.seen), 0
    predicted = np.full((side, side), weights[-1], np.float32)
    for layer in laid.layers:
        for y, x in layer.offsets:
            predicted += np.float32(weights[place]) * layer.pixels[y : y + side, x : x + side]
            place += 1
    return predicted


def _excess(seen: Float32Array, predicted: Float32Array, steps: Float32Array | None) -> float:
    """Return the energy that a tile has beyond its prediction over that which compression explains."""
    import cv2

    fine = predicted - cv2.GaussianBlur(predicted, (0, 0), 1.0)
    explained = _ROUNDING + _MISMATCH**2 * float(np.var(predicted)) + _MISMATCH_FINE**2 * float(np.var(fine))
    if steps is not None:
        explained += float(np.mean(np.square(_compressed(predicted, steps) - predicted)))
    return float(np.mean(np.square(seen - predicted))) / explained


def _blocks(luma: Float32Array) -> Float32Array:
    """Cut a picture into its blocks of 8 x 8; what is left over is dropped. Shape (n, 8, 8)."""
    rows, columns = luma.shape[0] // _BLOCK_PX, luma.shape[1] // _BLOCK_PX
    whole = luma[: rows * _BLOCK_PX, : columns * _BLOCK_PX]
    return np.asarray(
        whole.reshape(rows, _BLOCK_PX, columns, _BLOCK_PX).swapaxes(1, 2).reshape(-1, _BLOCK_PX, _BLOCK_PX)
    )


def _cosines() -> Float32Array:
    """Return the matrix of the discrete cosine transform of 8 values, orthonormal."""
    k, n = np.mgrid[0:_BLOCK_PX, 0:_BLOCK_PX]
    basis = np.sqrt(2 / _BLOCK_PX) * np.cos(np.pi * (2 * n + 1) * k / (2 * _BLOCK_PX))
    basis[0] /= np.sqrt(2)
    return np.asarray(basis, np.float32)


_DCT = _cosines()


def _transform(blocks: Float32Array) -> Float32Array:
    return np.asarray(_DCT @ blocks @ _DCT.T)


def _compressed(luma: Float32Array, steps: Float32Array) -> Float32Array:
    """Return a tile after the rounding of a JPEG with these steps."""
    rows, columns = luma.shape[0] // _BLOCK_PX, luma.shape[1] // _BLOCK_PX
    back = _rounded(_blocks(luma), steps)
    return np.asarray(
        back.reshape(rows, columns, _BLOCK_PX, _BLOCK_PX).swapaxes(1, 2).reshape(luma.shape), np.float32
    )


def _rounded(blocks: Float32Array, steps: Float32Array) -> Float32Array:
    """Return blocks of luma after the rounding of a JPEG with these steps."""
    coefficients = np.round(_transform(blocks - _MIDDLE) / steps) * steps
    return np.asarray(_DCT.T @ coefficients @ _DCT + _MIDDLE)


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
