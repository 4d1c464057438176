"""Perceptual hashes and their Hamming distance.

The four hashes give the same bits as the ImageHash package gives for the same picture on x86-64, so
that hashes kept elsewhere stay comparable. Unlike there, no bit depends on the platform: ties are
decided by arithmetic written out here (see `_haar_low_band`).

A hash of side ``s`` has ``s * s`` bits, row by row, first bit highest, packed into bytes; its hex text
is ImageHash's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import FeatureMismatchError
from lookalike.records.arrays import UInt8Array

if TYPE_CHECKING:
    from PIL.Image import Image

BoolArray = NDArray[np.bool_]
_HAMMING_BLOCK_BYTES = 1 << 22  # the working set of `hamming`: a few megabytes stay in the processor's cache


def _grey(image: Image, width: int, height: int) -> UInt8Array:
    from PIL.Image import Resampling

    return np.asarray(image.convert("L").resize((width, height), Resampling.LANCZOS))


def ahash(image: Image, size: int = 8) -> UInt8Array:
    """Average hash: which cells of a tiny grey picture are brighter than its mean.

    Parameters
    ----------
    image : PIL image
    size : int
        Side of the hash, at least 2.

    Returns
    -------
    uint8 array, shape (ceil(size * size / 8),)
        The packed bits.

    Notes
    -----
    N. Krawetz, "Looks like it", hackerfactor.com, 2011.
    """
    pixels = _grey(image, size, size)
    return _pack(pixels > pixels.mean())


def dhash(image: Image, size: int = 8) -> UInt8Array:
    """Difference hash: which cells are brighter than their left neighbour.

    Arguments and result as for `ahash`. N. Krawetz, "Kind of like that", hackerfactor.com, 2013.
    """
    pixels = _grey(image, size + 1, size)
    return _pack(pixels[:, 1:] > pixels[:, :-1])


def phash(image: Image, size: int = 8) -> UInt8Array:
    """DCT hash: which of the lowest frequencies lie above their median.

    Arguments and result as for `ahash`. C. Zauner, "Implementation and benchmarking of perceptual
    image hash functions", 2010; the variant with the mean frequency kept, as ImageHash has it.
    """
    pixels = _grey(image, size * 4, size * 4).astype(np.float64)
    basis = _cosine_basis(size)
    low = basis @ pixels @ basis.T
    lower, upper = _middle_pair(low)
    if upper - lower < _DCT_TIE:
        from scipy.fft import dct

        low = dct(dct(pixels, axis=0), axis=1)[:size, :size]
    return _pack(low > np.median(low))


# Two ways to compute a DCT differ by less than 1e-8 here; coefficients closer than this may be equal, and
# then the rounding of the published computation decides.
_DCT_TIE = 1e-6


@lru_cache
def _cosine_basis(size: int) -> NDArray[np.float64]:
    """Return the lowest functions of the unscaled DCT-II over 4 `size` samples, (size, 4 size)."""
    n = size * 4
    angles = np.outer(np.arange(size), 2 * np.arange(n) + 1) * (np.pi / (2 * n))
    return np.asarray(2 * np.cos(angles))


def _middle_pair(values: NDArray[Any]) -> tuple[Any, Any]:
    """Return the two middle values, whose mean is the median; the middle one twice for an odd number."""
    flat = values.ravel()
    places = [(flat.size - 1) // 2, flat.size // 2]
    middle = np.partition(flat, places)[places]
    return middle[0], middle[1]


def whash(image: Image, size: int = 8) -> UInt8Array:
    """Haar wavelet hash: which blocks of the picture are brighter than the median block.

    Arguments and result as for `ahash`; `size` must be a power of two. D. Petrov's wavelet hash as
    ImageHash has it: the picture is scaled to the largest power of two that fits in it.

    Notes
    -----
    The low band of a Haar transform is a scaled sum over blocks, and taking the mean away moves the
    median with it. So the bits follow from integer sums, except where the two middle sums are equal:
    there the rounding of the published computation decides, and it is repeated.
    """
    scale = max(1 << (min(image.size).bit_length() - 1), size)
    pixels = _grey(image, scale, scale)
    block = scale // size
    sums = pixels.reshape(size, block, size, block).sum(axis=(1, 3), dtype=np.int64)
    lower, upper = _middle_pair(sums)
    if lower < upper:
        return _pack(sums >= upper)
    low = _haar_low_band(_without_mean(pixels / 255.0), size)
    return _pack(low > np.median(low))


HASHES: dict[str, Callable[..., UInt8Array]] = {
    "ahash": ahash,
    "dhash": dhash,
    "phash": phash,
    "whash": whash,
}
"""Every hash by name; `lookalike.features.built_in` says what each compares."""

_ROOT_HALF = 0.7071067811865476  # the Haar filter's tap, as PyWavelets has it


def _halve(values: NDArray[np.float64], axis: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the low and high Haar band along one axis, rounded as PyWavelets rounds."""
    even = np.take(values, range(0, values.shape[axis], 2), axis) * _ROOT_HALF
    odd = np.take(values, range(1, values.shape[axis], 2), axis) * _ROOT_HALF
    return odd + even, even - odd


def _double(low: NDArray[np.float64], high: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Undo `_halve` along one axis."""
    pair = np.stack([low * _ROOT_HALF + high * _ROOT_HALF, low * _ROOT_HALF - high * _ROOT_HALF], axis + 1)
    shape = list(low.shape)
    shape[axis] *= 2
    return pair.reshape(shape)


def _without_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the picture after a full Haar transform, its last low band zeroed, and the way back."""
    if values.shape[0] == 1:
        return values * 0
    low, high = _halve(values, 0)
    low_low, low_high = _halve(low, 1)
    high_low, high_high = _halve(high, 1)
    low_low = _without_mean(low_low)
    return _double(_double(low_low, low_high, 1), _double(high_low, high_high, 1), 0)


def _haar_low_band(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    while values.shape[0] > size:
        values = _halve(_halve(values, 0)[0], 1)[0]
    return values


def _pack(bits: BoolArray) -> UInt8Array:
    return np.packbits(bits.ravel())


def to_hex(packed: UInt8Array, size: int = 8) -> str:
    """Return a packed hash as ImageHash's hex text, ``ceil(size * size / 4)`` digits.

    ImageHash reads the bits as one binary number, so bits that do not fill the last byte are moved to
    its low end; with the usual sizes (8, 16) the digits are those of the bytes.
    """
    n_bits = size * size
    number = int.from_bytes(packed.tobytes(), "big") >> (8 * packed.size - n_bits)
    return f"{number:0{(n_bits + 3) // 4}x}"


def hamming(queries: UInt8Array, gallery: UInt8Array) -> NDArray[np.int32]:
    """Count the differing bits between every query and gallery hash.

    Parameters
    ----------
    queries : uint8 array, shape (n, b)
        Packed hashes of b bytes.
    gallery : uint8 array, shape (m, b)
        Same algorithm and size as `queries`.

    Returns
    -------
    int32 array, shape (n, m)
        Distance in bits, 0 to 8 b; lower is closer.

    Raises
    ------
    FeatureMismatchError
        The sizes differ; the message gives both.
    """
    if queries.shape[1] != gallery.shape[1]:
        raise FeatureMismatchError(
            f"hashes of {8 * queries.shape[1]} bits cannot be compared with hashes of "
            f"{8 * gallery.shape[1]} bits: compute both with the same size."
        )
    query_words, gallery_words = _as_words(queries), _as_words(gallery)
    distances = np.empty((len(queries), len(gallery)), np.int32)
    step = max(1, _HAMMING_BLOCK_BYTES // max(1, 8 * gallery_words.shape[1]))
    for start in range(0, len(gallery), step):
        block = gallery_words[start : start + step]
        for row, query in enumerate(query_words):
            counts = np.bitwise_count(block ^ query)
            if len(query) == 1:  # one word, as 64 bits are, has nothing to be added up
                distances[row, start : start + step] = counts[:, 0]
            else:
                counts.sum(axis=1, dtype=np.int32, out=distances[row, start : start + step])
    return distances


def _as_words(hashes: UInt8Array) -> NDArray[np.uint64]:
    """Return packed hashes as rows of 64-bit words, padded with zeros."""
    padding = -hashes.shape[1] % 8
    if padding:
        hashes = np.pad(hashes, ((0, 0), (0, padding)))
    return np.ascontiguousarray(hashes).view(np.uint64)
