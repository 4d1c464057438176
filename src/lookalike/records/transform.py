"""A placement of one picture on another, in words."""

from __future__ import annotations

import numpy as np

from lookalike.records.geometry import WHOLE, Matrix, Points, area_of, clip_to, corners_of, move_points

MIN_PERSPECTIVE = 1.05  # between the nearest and the farthest corner; below, it is measurement error
MIN_STRETCH = 1.04
MIN_RESIZE = 0.02


def describe_transform(matrix: Matrix, first_size: tuple[int, int], second_size: tuple[int, int]) -> str:
    """Say what was done to the first picture to get the second.

    Parameters
    ----------
    matrix : float64 array of shape (3, 3)    from the first's pixels to the second's
    first_size, second_size : (width, height) in pixels

    Returns
    -------
    str
        such as "mirrored, turned 90° right, cropped to 48 %, resized to 25 %"; shares with "cropped
        to" are of the first's area, with "on a larger picture" of the second's; a resize is of lengths.
        "unchanged in shape and place" where there is nothing to say
    """
    seen = clip_to(move_points(matrix, corners_of(first_size)), second_size)
    if len(seen) < 3:
        return "no overlap"
    share_of_second = area_of(seen) / (second_size[0] * second_size[1])
    kept = move_points(np.linalg.inv(matrix), seen)
    share_of_first = area_of(kept) / (first_size[0] * first_size[1])
    words = _turn_words(matrix, kept.mean(axis=0))
    if share_of_first < WHOLE:
        words.append(f"cropped to {share_of_first:.0%}".replace("%", " %"))
    if share_of_second < WHOLE:
        words.append(f"on a larger picture ({share_of_second:.0%} of it)".replace("%", " %"))
    words += _scale_words(matrix, kept)
    return ", ".join(words) or "unchanged in shape and place"


def _turn_words(matrix: Matrix, centre: Points) -> list[str]:
    """Say mirrored, turned or flipped; a picture is mirrored first, left to right, and then turned."""
    right, down = move_points(matrix, centre + np.eye(2)) - move_points(matrix, centre[None])
    words = []
    if right[0] * down[1] - right[1] * down[0] < 0:
        words.append("mirrored")
        right = -right
    # The mean of where both axes point: a stretched or slanted picture has no other angle.
    lengths = np.hypot(*right), np.hypot(*down)
    across = right / max(lengths[0], 1e-12) + np.array([down[1], -down[0]]) / max(lengths[1], 1e-12)
    degrees = round(float(np.degrees(np.arctan2(across[1], across[0]))))
    if abs(degrees) == 180:
        return ["flipped top to bottom"] if words else ["turned 180°"]
    if degrees:
        words.append(f"turned {abs(degrees)}° {'right' if degrees > 0 else 'left'}")
    return words


def _scale_words(matrix: Matrix, kept: Points) -> list[str]:
    centre = kept.mean(axis=0)
    columns = move_points(matrix, centre + np.eye(2)) - move_points(matrix, centre[None])
    longest, shortest = np.linalg.svd(columns, compute_uv=False)
    words = []
    depth = kept @ matrix[2, :2] + matrix[2, 2]
    if depth.max() > MIN_PERSPECTIVE * depth.min():
        words.append("seen in perspective")
    elif longest > MIN_STRETCH * shortest:
        words.append("stretched")
    scale = float(np.sqrt(longest * shortest))
    if abs(scale - 1) >= MIN_RESIZE:
        words.append(f"resized to {scale:.0%}".replace("%", " %"))
    return words
