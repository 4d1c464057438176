"""Planar geometry: what a placement of one picture on another does to points and polygons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
"""Of shape (3, 3): from the pixels of one picture to those of another; pixel centres are integers."""

Points = NDArray[np.float64]
"""Of shape (n, 2): x and y in pixels."""

WHOLE = 0.97  # a picture counts as shown whole from this share of its area


def move_points(matrix: NDArray[Any], points: NDArray[Any]) -> Points:
    """Return points, shape (n, 2), moved by a 3 x 3 matrix."""
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(moved[:, :2] / moved[:, 2:], np.float64)


def corners_of(size: tuple[int, int]) -> Points:
    """Return the outer corners of a picture, clockwise from the top left; pixel centres are integers."""
    width, height = size
    edges = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    return edges - 0.5


def area_of(polygon: NDArray[Any]) -> float:
    """Return the area of a polygon, shape (n, 2), in square pixels; 0 for fewer than 3 corners."""
    if len(polygon) < 3:
        return 0.0
    x, y = np.asarray(polygon, np.float64).T
    next_x, next_y = np.append(x[1:], x[0]), np.append(y[1:], y[0])
    return float(abs(x @ next_y - y @ next_x) / 2)


def clip_to(polygon: Points, size: tuple[int, int]) -> Points:
    """Return the part of a convex polygon that lies in a picture (Sutherland and Hodgman, 1974)."""
    lowest, highest = -0.5, np.array(size, np.float64) - 0.5
    for axis in (0, 1):
        for sign, limit in ((1.0, -lowest), (-1.0, highest[axis])):
            polygon = _clip_half(polygon, sign * polygon[:, axis] + limit)
    return polygon


def _clip_half(polygon: Points, inside: NDArray[np.float64]) -> Points:
    """Keep the part of a polygon where the signed distance of its corners, shape (n,), is not negative."""
    kept = []
    for here in range(len(polygon)):
        before = here - 1
        if (inside[before] < 0) != (inside[here] < 0):
            share = inside[before] / (inside[before] - inside[here])
            kept.append(polygon[before] + share * (polygon[here] - polygon[before]))
        if inside[here] >= 0:
            kept.append(polygon[here])
    return np.array(kept, np.float64).reshape(-1, 2)


def scaling(from_size: tuple[int, int], to_size: tuple[int, int]) -> Matrix:
    """Return the matrix from one size of a picture to another; pixel centres are integers."""
    x, y = to_size[0] / from_size[0], to_size[1] / from_size[1]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def linear_scale(matrix: NDArray[Any], at: NDArray[Any]) -> float:
    """Return by how much a matrix enlarges lengths near a point."""
    around = move_points(matrix, np.asarray(at) + np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) - 0.5)
    return float(np.sqrt(area_of(around)))
