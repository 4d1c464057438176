"""Two pictures of one thing -> both on one grid, as closely as their pixels let them be laid over each other.

The grid is that of the coarser picture, in full size. A placement by keypoints is off by a part of a pixel of the
small pictures that they were found in, which is several pixels here: so it is settled by the pixels themselves,
first as a whole (Lucas and Kanade, 1981), then cell by cell.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.records.arrays import Float32Array, UInt8Array
from lookalike.records.geometry import (
    Matrix,
    area_of,
    clip_to,
    corners_of,
    linear_scale,
    move_points,
    scaling,
)

MIN_SIDE_PX = 16
TILE_PX = 1536
TILE_OVERLAP_PX = 24  # so that nothing lies on a border only
WHOLE_PX = 1024
CELL_PX = 48  # a window that moves as one: some letters wide, so that no letter is moved onto another
MAX_CELL_SHIFT_PX = 1.5
MAX_MOVED_PX = 2.0
MAX_MOVED_SHARE = 0.02  # of the longer side: the error of a placement by points
MARGIN_PX = 4  # of the overlap's border: resampling mixes in what lies beyond
_LEVELS = (4, 2, 1)
_MIN_LEVEL_SIDE_PX = 48
_STEPS = 3
_SAMPLES = 16_000
_DAMPING = 20.0


class Laid(NamedTuple):
    """Two pictures on one grid.

    Parameters
    ----------
    base, moved : uint8 arrays of shape (h, w, 3)    the coarser picture, and the other one laid over it
    inside : bool array of shape (h, w)                where both are defined
    to_base, to_moved : 3 x 3                          from the grid to the pixels of each picture
    base_is_first : bool                               whether the first picture of the question is the base
    """

    base: UInt8Array
    moved: UInt8Array
    inside: NDArray[np.bool_]
    to_base: Matrix
    to_moved: Matrix
    base_is_first: bool


class Placed(NamedTuple):
    """Two pictures of which the coarser one is the grid, in full size.

    Parameters
    ----------
    base : uint8 array of shape (h, w, 3)      the coarser picture
    other : uint8 array of shape (h, w, 3)     the finer one, averaged down to about the base's scale
    placing : 3 x 3                            from the pixels of `other` to the base's
    from_other : 3 x 3                         from the pixels of `other` to those of the finer picture in full size
    overlap : float64 array of shape (n, 2)    its corners, in pixels of the base
    base_is_first : bool                       whether the first picture of the question is the base
    """

    base: UInt8Array
    other: UInt8Array
    placing: Matrix
    from_other: Matrix
    overlap: NDArray[np.float64]
    base_is_first: bool


class Cut(NamedTuple):
    """One tile of the base, and the piece of the other picture that lies there, not yet laid over it.

    Parameters
    ----------
    base, piece : uint8 arrays of shape (h, w, 3)
    here : 3 x 3          from the piece to the tile
    from_grid : 3 x 3     from the tile to the base
    from_piece : 3 x 3    from the piece to the finer picture in full size
    """

    base: UInt8Array
    piece: UInt8Array
    here: Matrix
    from_grid: Matrix
    from_piece: Matrix

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the tile."""
        return _size_of(self.base)


def place(first: UInt8Array, second: UInt8Array, matrix: Matrix) -> Placed | None:
    """Bring two pictures to one scale and place them as a whole; None where they hardly overlap.

    Parameters
    ----------
    first, second : uint8 arrays of shape (h, w, c)
    matrix : 3 x 3, from the first's pixels to the second's
    """
    overlap = clip_to(move_points(matrix, corners_of(_size_of(first))), _size_of(second))
    if area_of(overlap) < MIN_SIDE_PX**2:
        return None
    growth = 1 / linear_scale(np.linalg.inv(matrix), overlap.mean(axis=0))
    base_is_first = growth >= 1  # the coarser one
    base, other = (first, second) if base_is_first else (second, first)
    to_base = np.linalg.inv(matrix) if base_is_first else matrix
    smaller, to_smaller = shrink_picture(other, 1 / growth if base_is_first else growth)
    from_smaller = np.asarray(np.linalg.inv(to_smaller), np.float64)
    placing = _settle_whole(base, smaller, to_base @ from_smaller)
    there = clip_to(move_points(placing, corners_of(_size_of(smaller))), _size_of(base))
    if area_of(there) < MIN_SIDE_PX**2:
        return None
    return Placed(base, smaller, placing, from_smaller, there, base_is_first)


def cut_tiles(placed: Placed) -> list[Cut]:
    """Return the tiles that cover what overlaps."""
    tiles = _tiles(placed.overlap, _size_of(placed.base))
    cuts = (_cut_tile(placed, low, high) for low, high in tiles)
    return [cut for cut in cuts if cut is not None]


def _tiles(
    overlap: NDArray[np.float64], size: tuple[int, int]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the corners of tiles that cover what overlaps, equally large, on the grid of the base."""
    low = np.maximum(np.floor(overlap.min(axis=0) + 0.5).astype(np.int64), 0)
    high = np.minimum(np.ceil(overlap.max(axis=0) + 0.5).astype(np.int64), size)
    counts = np.maximum(1, np.ceil((high - low) / TILE_PX).astype(np.int64))
    edges = [np.linspace(low[axis], high[axis], counts[axis] + 1).astype(np.int64) for axis in (0, 1)]
    tiles = []
    for top, bottom in zip(edges[1][:-1], edges[1][1:], strict=True):
        for left, right in zip(edges[0][:-1], edges[0][1:], strict=True):
            start = np.maximum(np.array([left, top]) - TILE_OVERLAP_PX, low)
            tiles.append((start, np.minimum(np.array([right, bottom]) + TILE_OVERLAP_PX, high)))
    return tiles


def _is_settled_as_whole(base: UInt8Array) -> bool:
    return bool(max(base.shape[:2]) > WHOLE_PX)


def _settle_whole(base: UInt8Array, other: UInt8Array, placing: Matrix) -> Matrix:
    """Return the placement settled by small versions of both pictures, where they are larger than one tile."""
    if not _is_settled_as_whole(base):
        return placing
    factor = WHOLE_PX / max(base.shape[:2])
    small, to_small = shrink_picture(base, factor)
    shrunk, to_shrunk = shrink_picture(other, factor)
    here = to_small @ placing @ np.linalg.inv(to_shrunk)
    settled = _settle(grey_of(small), grey_of(shrunk), here, _size_of(small))
    return np.asarray(np.linalg.inv(to_small) @ settled @ to_shrunk, np.float64)


def _cut_tile(placed: Placed, low: NDArray[np.int64], high: NDArray[np.int64]) -> Cut | None:
    """Cut one tile out of both pictures; pictures that are no larger than one are settled by the pixels here."""
    base, other, placing = placed.base, placed.other, placed.placing
    size = int(high[0] - low[0]), int(high[1] - low[1])
    if min(size) < MIN_SIDE_PX:
        return None
    from_grid = np.array([[1.0, 0, low[0]], [0, 1.0, low[1]], [0, 0, 1]])
    around = move_points(np.linalg.inv(placing) @ from_grid, corners_of(size))
    start = np.maximum(np.floor(around.min(axis=0)).astype(int) - TILE_OVERLAP_PX, 0)
    end = np.minimum(np.ceil(around.max(axis=0)).astype(int) + TILE_OVERLAP_PX, _size_of(other))
    if np.any(end - start < MIN_SIDE_PX):
        return None
    part = base[low[1] : high[1], low[0] : high[0]]
    piece = other[start[1] : end[1], start[0] : end[0]]
    from_piece = np.array([[1.0, 0, start[0]], [0, 1.0, start[1]], [0, 0, 1]])
    here = np.linalg.inv(from_grid) @ placing @ from_piece
    cut = Cut(part, piece, here, from_grid, placed.from_other @ from_piece)
    return cut if _is_settled_as_whole(base) else settle_tile(cut)


def settle_tile(cut: Cut) -> Cut:
    """Return a tile with its placement settled by its pixels."""
    return cut._replace(here=_settle(grey_of(cut.base), grey_of(cut.piece), cut.here, cut.size))


def lay_tile(placed: Placed, cut: Cut) -> Laid | None:
    """Lay the other picture over one tile of the base, cell by cell; None where nothing of it lies there."""
    import cv2

    if _is_settled_as_whole(placed.base):
        cut = settle_tile(cut)
    moved = cv2.warpPerspective(
        cut.piece, cut.here, cut.size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    inside = inside_of(cut) > 0
    if not inside.any():
        return None
    moved = _settle_cells(cut.base, np.asarray(moved, np.uint8).reshape(cut.base.shape), inside)
    to_moved = cut.from_piece @ np.linalg.inv(cut.here)
    return Laid(cut.base, moved, inside, cut.from_grid, to_moved, placed.base_is_first)


def inside_of(cut: Cut) -> UInt8Array:
    """Return where both pictures of a tile are defined (1), less a margin, or not (0)."""
    import cv2

    whole = np.ones(cut.piece.shape[:2], np.uint8)
    mask = cv2.warpPerspective(whole, cut.here, cut.size, flags=cv2.INTER_NEAREST)
    margin = np.ones((2 * MARGIN_PX + 1, 2 * MARGIN_PX + 1), np.uint8)
    return np.asarray(cv2.erode(mask, margin, borderType=cv2.BORDER_CONSTANT, borderValue=0), np.uint8)


def shrink_picture(pixels: UInt8Array, factor: float) -> tuple[UInt8Array, Matrix]:
    """Return a picture averaged to a smaller size, and the matrix from its original pixels to it."""
    import cv2

    if factor > 0.98:
        return pixels, np.eye(3)
    size = _size_of(pixels)
    smaller = max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
    return np.asarray(cv2.resize(pixels, smaller, interpolation=cv2.INTER_AREA)), scaling(size, smaller)


def _size_of(pixels: NDArray[np.generic]) -> tuple[int, int]:
    return pixels.shape[1], pixels.shape[0]


def grey_of(pixels: UInt8Array) -> Float32Array:
    """Return the mean of all channels, shape (h, w)."""
    import cv2

    n_channels = pixels.shape[2]
    mixed = cv2.transform(pixels.astype(np.float32), np.full((1, n_channels), 1 / n_channels, np.float32))
    return np.asarray(mixed, np.float32).reshape(pixels.shape[:2])


def _warp(pixels: NDArray[np.generic], placing: Matrix, size: tuple[int, int]) -> Float32Array:
    import cv2

    warped = cv2.warpPerspective(
        pixels.astype(np.float32), placing, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.float32).reshape(size[1], size[0], -1)


def _settle(base: Float32Array, other: Float32Array, placing: Matrix, size: tuple[int, int]) -> Matrix:
    """Return the placement moved, turned and stretched to where the pixels agree best, coarse to fine.

    Where that is far away, two pictures differ, and the placement stays what the points said.
    """
    import cv2

    placed = placing
    for level in _LEVELS:
        if min(size) < level * _MIN_LEVEL_SIDE_PX and level > 1:
            continue
        small = max(1, round(size[0] / level)), max(1, round(size[1] / level))
        to_small = scaling(size, small)
        target = cv2.GaussianBlur(cv2.resize(base, small, interpolation=cv2.INTER_AREA), (0, 0), 1.0)
        shrunk, to_shrunk = _shrink_grey(other, 1 / level)
        for _ in range(_STEPS):
            here = to_small @ placing @ np.linalg.inv(to_shrunk)
            warped = cv2.GaussianBlur(_warp(shrunk[..., None], here, small)[..., 0], (0, 0), 1.0)
            step = _find_step(target, warped)
            placing = np.linalg.inv(to_small) @ step @ to_small @ placing
            if np.abs(move_points(step, corners_of(small)) - corners_of(small)).max() < 0.02:
                break
    corners = corners_of(size)
    moved = move_points(placing @ np.linalg.inv(placed), corners) - corners
    is_far = np.abs(moved).max() > MAX_MOVED_PX + MAX_MOVED_SHARE * max(size)
    return np.asarray(placed if is_far else placing / placing[2, 2], np.float64)


def _shrink_grey(grey: Float32Array, factor: float) -> tuple[Float32Array, Matrix]:
    import cv2

    if factor == 1:
        return grey, np.eye(3)
    size = _size_of(grey)
    smaller = max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
    return np.asarray(cv2.resize(grey, smaller, interpolation=cv2.INTER_AREA), np.float32), scaling(
        size, smaller
    )


def _find_step(target: Float32Array, warped: Float32Array) -> Matrix:
    """Return the affine movement of `warped` that explains the difference best; few pixels have no say."""
    import cv2

    height, width = target.shape
    dx, dy = (cv2.Sobel(warped, cv2.CV_32F, *axis, ksize=3, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    strength = cv2.add(cv2.absdiff(dx, 0), cv2.absdiff(dy, 0))
    strength[[0, 1, -2, -1]] = 0
    strength[:, [0, 1, -2, -1]] = 0
    some = strength.ravel()[:: max(1, strength.size // _SAMPLES) | 1]
    threshold = np.quantile(some, max(0.0, 1 - 4 * _SAMPLES / strength.size))
    places = np.flatnonzero(strength.ravel() > max(1.0, float(threshold)))
    places = places[:: max(1, len(places) // _SAMPLES)]
    if len(places) < 64:
        return np.eye(3)
    rows, columns = np.divmod(places, width)
    x, y = columns / max(width, height) - 0.5, rows / max(width, height) - 0.5
    gx, gy = dx.ravel()[places].astype(np.float64), dy.ravel()[places].astype(np.float64)
    one = np.ones_like(gx)
    causes = np.stack([gx, gx * x, gx * y, gy, gy * x, gy * y, warped.ravel()[places] / 64.0, one], axis=1)
    missing = (target - warped).ravel()[places].astype(np.float64)
    weights = one
    for _ in range(3):
        square = (causes * weights[:, None]).T @ causes
        shares = np.linalg.solve(
            square + 1e-6 * np.trace(square) * np.eye(8), (causes * weights[:, None]).T @ missing
        )
        errors = np.abs(causes @ shares - missing)
        weights = 1 / (1 + (errors / (2 * np.median(errors) + 1e-3)) ** 2)
    # A pixel of `warped` must come from where it was found: the target's x is x less the movement.
    u, v = shares[:3], shares[3:6]
    side = max(width, height)
    step = np.eye(3)
    step[0] = -u[1] / side + 1, -u[2] / side, -(u[0] - 0.5 * (u[1] + u[2]))
    step[1] = -v[1] / side, -v[2] / side + 1, -(v[0] - 0.5 * (v[1] + v[2]))
    far = move_points(step, corners_of((width, height))) - corners_of((width, height))
    return step if np.abs(far).max() < 0.1 * side else np.eye(3)


def _settle_cells(base: UInt8Array, moved: UInt8Array, inside: NDArray[np.bool_]) -> UInt8Array:
    """Return the picture with each part moved by what is left of a pixel, the same for what lies together."""
    import cv2

    target, source = (cv2.GaussianBlur(grey_of(one), (0, 0), 1.0) for one in (base, moved))
    dx, dy = (cv2.Sobel(source, cv2.CV_32F, *axis, ksize=3, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    missing = cv2.subtract(target, source)
    lively = np.abs(missing[::3, ::3])[(np.abs(dx) + np.abs(dy))[::3, ::3] > 2]
    typical = float(np.median(lively)) if len(lively) else 0.0
    weights = inside / (1 + (missing / (3 * typical + 1)) ** 2)
    wx, wy = weights * dx, weights * dy
    height, width = inside.shape
    factor = max(1, CELL_PX // 6)
    small = max(1, width // factor), max(1, height // factor)

    def around(values: Float32Array) -> Float32Array:
        summed = cv2.resize(np.asarray(values, np.float32), small, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.GaussianBlur(summed, (0, 0), CELL_PX / 3 / factor), np.float32)

    xx, xy, yy = around(wx * dx) + 1e-3 * _DAMPING, around(wx * dy), around(wy * dy) + 1e-3 * _DAMPING
    x, y = around(wx * missing), around(wy * missing)
    determinant = np.maximum(xx * yy - xy * xy, 1e-6)
    u = np.clip((yy * x - xy * y) / determinant, -MAX_CELL_SHIFT_PX, MAX_CELL_SHIFT_PX)
    v = np.clip((xx * y - xy * x) / determinant, -MAX_CELL_SHIFT_PX, MAX_CELL_SHIFT_PX)
    if max(float(np.abs(u).max()), float(np.abs(v).max())) < 0.05:
        return moved
    u, v = (cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in (u, v))
    rows, columns = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    settled = cv2.remap(moved, columns + u, rows + v, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(settled, np.uint8).reshape(base.shape)
