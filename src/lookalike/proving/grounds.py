"""Transparent pictures and what they are compared with, on one ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.features.keypoints import extract_keypoints
from lookalike.media.sight import Sight
from lookalike.proving.verify import Verification, verify
from lookalike.records.arrays import UInt8Array
from lookalike.records.geometry import Matrix, scaling
from lookalike.records.proof import Proof

_SAME_SHAPE = 0.02  # of the sides' ratio


def verify_on_one_ground(first: Sight, second: Sight, matrix: Matrix) -> Verification:
    """Verify a pair of which one is transparent, laid over what the other one shows behind it.

    A cut-out over white, as its keypoints are kept, and its JPEG over black agree in what is cut out alone.

    Parameters
    ----------
    first, second : Sight
    matrix : 3 x 3, from the first's pixels to the second's, as far as points could tell
    """
    one, other = lay_on_one_ground(first, second, matrix)[0]
    return verify(extract_keypoints(Image.fromarray(one)), extract_keypoints(Image.fromarray(other)))


def place_on_ground(proof: Proof, first_size: tuple[int, int], second_size: tuple[int, int]) -> Matrix | None:
    """Return where the first of two pictures may lie on the second, once both are on one ground.

    By points, where some agree though the grounds do not; else as a whole on the whole, if they have one shape.
    None where it is proven already, or cannot be told.

    Parameters
    ----------
    proof : Proof            of both, as they are
    first_size, second_size : (int, int)    width and height in pixels
    """
    if proof.relation == "same_scene":
        return proof.placement
    x, y = second_size[0] / first_size[0], second_size[1] / first_size[1]
    is_whole = proof.relation in ("similar", "different") and abs(x / y - 1) < _SAME_SHAPE
    return scaling(first_size, second_size) if is_whole else None


def lay_on_one_ground(first: Sight, second: Sight, matrix: Matrix) -> list[tuple[UInt8Array, UInt8Array]]:
    """Return both pictures over one ground: the other one's, or white and then black where both are transparent."""
    if first.opacity is None and second.opacity is None:
        return [(first.pixels, second.pixels)]
    if first.opacity is not None and second.opacity is not None:
        return [(first.on(ground), second.on(ground)) for ground in (255.0, 0.0)]
    back = np.asarray(np.linalg.inv(matrix), np.float64)
    first_ground, second_ground = (
        _ground_of(second, first.opacity, matrix),
        _ground_of(first, second.opacity, back),
    )
    return [(first.on(first_ground), second.on(second_ground))]


def _ground_of(opaque: Sight, opacity: UInt8Array | None, matrix: Matrix) -> NDArray[np.float64]:
    """Return what a picture mostly shows where another one is transparent; white where that is nowhere."""
    import cv2

    if opacity is None:
        return np.full(3, 255.0)
    height, width = opaque.pixels.shape[:2]
    clear = cv2.warpPerspective(255 - opacity, matrix, (width, height), flags=cv2.INTER_AREA)
    shown = opaque.pixels[clear > 250]
    return np.asarray(np.median(shown, axis=0) if len(shown) else np.full(3, 255.0), np.float64)
