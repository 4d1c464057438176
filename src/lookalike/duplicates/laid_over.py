"""One picture laid over another: the placement made exact, and the tiles in which both are looked at."""

from __future__ import annotations

import numpy as np

from lookalike.duplicates.jpeg_steps import BLOCK_PX
from lookalike.records.arrays import Float32Array
from lookalike.records.geometry import Matrix, corners_of, linear_scale, move_points, scaling

MIN_RESPONSE = 0.1  # of the phase correlation: less tells no shift
# Of the longer side: corners that are placed so near to those of the picture are meant to be there.
_WHOLE = 0.02
_REGISTRATIONS, _MIN_REGISTERED = 4, 4  # rounds, and tiles that must tell how far they are off
_TILE_PX = 96
_N_TILES = 24


def size_of(luma: Float32Array) -> tuple[int, int]:
    """Return width and height."""
    return luma.shape[1], luma.shape[0]


def straightened(matrix: Matrix, first: tuple[int, int], second: tuple[int, int]) -> Matrix | None:
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


def registered(first: Float32Array, second: Float32Array, matrix: Matrix) -> Matrix:
    """Return the placement after the tiles of the second were moved to where they agree best with the first."""
    import cv2

    for _ in range(_REGISTRATIONS):
        shown, placing = as_small(first, matrix, size_of(second))
        tiles = choose_tiles(second, shown, placing)
        found = []
        for top, left, side in tiles:
            moved = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], np.float64) @ placing
            near = cv2.warpPerspective(shown, moved, (side, side), borderMode=cv2.BORDER_REPLICATE)
            seen = np.ascontiguousarray(second[top : top + side, left : left + side])
            window = cv2.createHanningWindow((side, side), cv2.CV_32F)
            shift, response = cv2.phaseCorrelate(np.asarray(near, np.float32), seen, window)
            if response > MIN_RESPONSE and max(map(abs, shift)) < side / 4:
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


def as_small(luma: Float32Array, matrix: Matrix, size: tuple[int, int]) -> tuple[Float32Array, Matrix]:
    """Return a picture averaged to the size at which it is laid over a smaller one, and the new placement."""
    import cv2

    middle = move_points(np.linalg.inv(matrix), corners_of(size).mean(axis=0)[None])[0]
    factor = linear_scale(matrix, middle)
    if factor > 0.98:
        return luma, matrix
    width, height = size_of(luma)
    smaller = max(1, round(width * factor)), max(1, round(height * factor))
    shrunk = np.asarray(cv2.resize(luma, smaller, interpolation=cv2.INTER_AREA), np.float32)
    return shrunk, np.asarray(matrix @ scaling(smaller, (width, height)))


def choose_tiles(seen: Float32Array, shown: Float32Array, matrix: Matrix) -> list[tuple[int, int, int]]:
    """Return top, left and side of tiles that the other picture covers: those with the finest details first.

    They lie on the blocks of the JPEG, and every second one is taken from all over the picture.
    """
    import cv2

    height, width = seen.shape
    side = min(_TILE_PX, min(height, width) // BLOCK_PX * BLOCK_PX)
    if side < 2 * BLOCK_PX:
        return []
    places = [
        (top, left) for top in range(0, height - side + 1, side) for left in range(0, width - side + 1, side)
    ]
    inverse, limits = np.linalg.inv(matrix), np.array(size_of(shown))
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
