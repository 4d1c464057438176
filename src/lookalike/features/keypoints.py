"""One picture -> its local features: points, descriptors and a small grey view to check pixels with.

SIFT (Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004) in its RootSIFT form
(Arandjelovic and Zisserman, "Three things everyone should know", CVPR 2012). What is kept is all that
`lookalike.proving.verify` needs, so a second question about a picture does not open its file again.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import FeatureMismatchError
from lookalike.records.arrays import Float32Array, UInt8Array
from lookalike.records.recipe import Recipe

if TYPE_CHECKING:
    from PIL.Image import Image

KEYPOINTS = "keypoints"
KEYPOINT_SIDE_PX = 512
KEYPOINT_MIN_SIDE_PX = KEYPOINT_SIDE_PX  # for `decode`: whatever its shape, the picture is large enough
SMALLEST_SIDE_PX = 192  # smaller pictures are enlarged to it: more points, and sturdier ones
MAX_KEYPOINTS = 800
MIN_CONTRAST = 0.01  # SIFT's own 0.04 leaves a tenth of dark or soft photos with fewer than 200 points
VIEW_SIDE_PX = 256
VIEW_QUALITY = 85
TINT_SIDE_PX = 8
RECIPE = Recipe(
    KEYPOINTS,
    1,
    {"side_px": KEYPOINT_SIDE_PX, "max": MAX_KEYPOINTS, "contrast": MIN_CONTRAST, "view_px": VIEW_SIDE_PX},
)

_MAGIC = b"LKP1"
_HEADER = struct.Struct("<4sIIHHHI16s")
_POINT = np.dtype([("x", "<u2"), ("y", "<u2"), ("scale", "u1"), ("angle", "u1")])
_POINT_STEP_PX = 1 / 64
_SCALE_STEPS = 24  # per doubling: 3 % a step
_ANGLE_STEPS = 256
_DESCRIPTOR_LENGTH = 128
_LEVELS = 15
_LEVEL_SPAN = 0.45  # of a RootSIFT component; 0.2 % are larger

# SIFT's numbers are laid out as 4 rows x 4 columns x 8 directions in the frame of the point's own angle.
# In a mirror that frame's x axis stays and its y axis turns round: rows reverse, directions change sign.
_MIRRORED = np.arange(_DESCRIPTOR_LENGTH).reshape(4, 4, 8)[::-1, :, (0, 7, 6, 5, 4, 3, 2, 1)].reshape(-1)


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Everything that verification needs of one upright picture.

    Parameters
    ----------
    width_px, height_px : int
        size of the original; `scale` leads from its pixels to those of the working size
    working_size : (int, int)
        width and height of the picture that the points were found in
    points : structured array, shape (n,)
        position (64ths of a working pixel), scale and angle, strongest first
    codes : uint8 array, shape (n, 64)
        RootSIFT at 4 bits a number, two numbers a byte
    view_jpeg : bytes
        the whole picture in grey, at most `VIEW_SIDE_PX` long
    tint : uint8 array, shape (8, 8, 3)
        the whole picture in RGB, squeezed
    pixel_digest : bytes
        of the original's decoded pixels and size, 16 bytes; zeros where they were not decoded in full
    """

    width_px: int
    height_px: int
    working_size: tuple[int, int]
    points: NDArray[Any]
    codes: UInt8Array
    view_jpeg: bytes
    tint: UInt8Array
    pixel_digest: bytes

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def positions(self) -> Float32Array:
        """Return (x, y) in working pixels, pixel centres at integers, shape (n, 2)."""
        xy = np.stack([self.points["x"], self.points["y"]], axis=1).astype(np.float32)
        return xy * np.float32(_POINT_STEP_PX) - np.float32(0.5)

    @cached_property
    def log_scales(self) -> Float32Array:
        """Return log2 of each point's size in working pixels, shape (n,)."""
        return self.points["scale"].astype(np.float32) / np.float32(_SCALE_STEPS)

    @cached_property
    def angles(self) -> Float32Array:
        """Return each point's direction in radians, from x towards y (clockwise as seen), shape (n,)."""
        return self.points["angle"].astype(np.float32) * np.float32(2 * np.pi / _ANGLE_STEPS)

    @cached_property
    def descriptors(self) -> Float32Array:
        """Return RootSIFT descriptors of length 1, shape (n, 128)."""
        numbers = np.stack([self.codes >> 4, self.codes & 15], axis=2).reshape(len(self), _DESCRIPTOR_LENGTH)
        rows = numbers.astype(np.float32)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return rows

    @property
    def mirrored_descriptors(self) -> Float32Array:
        """Return the descriptors that the mirrored picture would have, shape (n, 128)."""
        return self.descriptors[:, _MIRRORED]

    @cached_property
    def view(self) -> UInt8Array:
        """Return the small grey picture, shape (h, w)."""
        import cv2

        decoded = cv2.imdecode(np.frombuffer(self.view_jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        if decoded is None:
            raise FeatureMismatchError("the stored keypoints hold no readable view: index the picture again.")
        return np.asarray(decoded, np.uint8)


def extract_keypoints(image: Image, size: tuple[int, int] | None = None) -> Keypoints:
    """Find the local features of an upright RGB picture.

    Parameters
    ----------
    image : PIL image of mode RGB    may be smaller than the original; `KEYPOINT_SIDE_PX` long is enough
    size : (width, height)           of the original in pixels; `image` is the original where it is None

    Returns
    -------
    Keypoints    with no points at all where the picture is plain
    """
    import cv2

    width_px, height_px = size or image.size
    pixels = np.asarray(image)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    working = _resize(grey, _working_side(image.size))
    points, codes = _find_points(working)
    view = _resize(working, min(VIEW_SIDE_PX, max(working.shape)))
    _, view_jpeg = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, VIEW_QUALITY])
    tint = cv2.resize(pixels, (TINT_SIDE_PX, TINT_SIDE_PX), interpolation=cv2.INTER_AREA)
    is_full = (width_px, height_px) == image.size
    return Keypoints(
        width_px,
        height_px,
        (working.shape[1], working.shape[0]),
        points,
        codes,
        view_jpeg.tobytes(),
        np.asarray(tint, np.uint8),
        _digest_pixels(pixels) if is_full else bytes(16),
    )


def _digest_pixels(pixels: UInt8Array) -> bytes:
    digest = hashlib.blake2b(str(pixels.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.digest()


def _working_side(size: tuple[int, int]) -> int:
    return int(np.clip(max(size), SMALLEST_SIDE_PX, KEYPOINT_SIDE_PX))


def _resize(grey: Any, longer_side_px: int) -> UInt8Array:
    """Return a picture with that longer side; averaged when it shrinks, interpolated when it grows."""
    import cv2

    height, width = grey.shape
    factor = longer_side_px / max(height, width)
    if factor == 1:
        return np.asarray(grey, np.uint8)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(grey, size, interpolation=way), np.uint8)


def _find_points(grey: UInt8Array) -> tuple[NDArray[Any], UInt8Array]:
    """Return the strongest SIFT points of a working picture and their packed RootSIFT descriptors."""
    import cv2

    sift = cv2.SIFT.create(
        nfeatures=MAX_KEYPOINTS, contrastThreshold=MIN_CONTRAST, enable_precise_upscale=True
    )
    found, descriptors = sift.detectAndCompute(grey, None)
    if not found:
        return np.empty(0, _POINT), np.empty((0, _DESCRIPTOR_LENGTH // 2), np.uint8)
    rows = np.array([(*point.pt, point.size, point.angle, point.response) for point in found])
    # Ties between equal responses are broken by position, so that the order does not depend on threads.
    order = np.lexsort((rows[:, 3], rows[:, 1], rows[:, 0], -rows[:, 4]))[:MAX_KEYPOINTS]
    return _pack_points(rows[order]), _pack_descriptors(np.asarray(descriptors, np.float32)[order])


def _pack_points(rows: NDArray[np.float64]) -> NDArray[Any]:
    points = np.empty(len(rows), _POINT)
    points["x"], points["y"] = np.clip((rows[:, :2] + 0.5) / _POINT_STEP_PX + 0.5, 0, 65535).T
    points["scale"] = np.clip(np.log2(rows[:, 2]) * _SCALE_STEPS + 0.5, 0, 255)
    points["angle"] = np.round(rows[:, 3] / 360 * _ANGLE_STEPS).astype(np.int64) % _ANGLE_STEPS
    return points


def _pack_descriptors(descriptors: Float32Array) -> UInt8Array:
    total = np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-9)
    roots = np.sqrt(descriptors / total)
    levels = np.clip(np.round(roots * (_LEVELS / _LEVEL_SPAN)), 0, _LEVELS).astype(np.uint8)
    return np.asarray((levels[:, 0::2] << 4) | levels[:, 1::2], np.uint8)


def to_bytes(keypoints: Keypoints) -> bytes:
    """Return keypoints as bytes: a header with a checksum, points, codes, tint and view."""
    body = b"".join(
        (keypoints.points.tobytes(), keypoints.codes.tobytes(), keypoints.tint.tobytes(), keypoints.view_jpeg)
    )
    head = _HEADER.pack(
        _MAGIC,
        keypoints.width_px,
        keypoints.height_px,
        *keypoints.working_size,
        len(keypoints),
        0,
        keypoints.pixel_digest,
    )
    checksum = zlib.crc32(body, zlib.crc32(head))
    return head[:18] + struct.pack("<I", checksum) + head[22:] + body


def from_bytes(data: bytes) -> Keypoints:
    """Return the keypoints that `to_bytes` wrote.

    Raises
    ------
    FeatureMismatchError    the bytes are damaged, cut short, or of another version
    """
    if len(data) < _HEADER.size or data[:4] != _MAGIC:
        raise FeatureMismatchError("these bytes are no keypoints of this version: index the picture again.")
    _, width_px, height_px, width, height, n_points, checksum, digest = _HEADER.unpack_from(data)
    body = data[_HEADER.size :]
    head = data[:18] + bytes(4) + data[22 : _HEADER.size]
    if zlib.crc32(body, zlib.crc32(head)) != checksum:
        raise FeatureMismatchError("the stored keypoints are damaged: index the picture again.")
    codes_at = n_points * _POINT.itemsize
    tint_at = codes_at + n_points * _DESCRIPTOR_LENGTH // 2
    view_at = tint_at + TINT_SIDE_PX**2 * 3
    return Keypoints(
        width_px,
        height_px,
        (width, height),
        np.frombuffer(body[:codes_at], _POINT),
        np.frombuffer(body[codes_at:tint_at], np.uint8).reshape(n_points, _DESCRIPTOR_LENGTH // 2),
        body[view_at:],
        np.frombuffer(body[tint_at:view_at], np.uint8).reshape(TINT_SIDE_PX, TINT_SIDE_PX, 3),
        digest,
    )
