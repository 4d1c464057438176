"""Which files are pictures: their suffixes, their first bytes, and what a stranger's first bytes say."""

from __future__ import annotations

HEAD_BYTES = 1024
"""How much of a file `sniff_format` needs; only an SVG hides its name beyond the first 32 bytes."""

_ORDINARY_SUFFIXES = (
    "jpg jpeg jpe jfif mpo png apng webp gif bmp dib tif tiff ppm pgm pbm pnm pfm avif avifs heic heics heif "
    "heifs hif ico cur tga psd jp2 j2k j2c jpc jpf jpx svg hdr exr jxl"
)
_RAW_SUFFIXES = (
    "3fr arw cr2 cr3 crw dcr dng erf fff iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f"
)
PICTURE_SUFFIXES = frozenset(f".{suffix}" for suffix in (_ORDINARY_SUFFIXES + " " + _RAW_SUFFIXES).split())
"""Lower-case suffixes of pictures. Some cannot be decoded: they shall fail with a reason, not vanish."""

LOSSY_FORMATS = frozenset(("jpeg", "heif", "avif"))
"""Formats whose pixels were rounded; WebP and JPEG XL can be both."""

LOSSLESS_FORMATS = frozenset(("png", "bmp", "tiff", "ppm", "tga", "gif"))
"""Formats that keep pixels as they are given: a TIFF can hold a JPEG, but hardly ever does."""

FORMATS = (
    *(
        "jpeg",
        "png",
        "gif",
        "webp",
        "bmp",
        "tiff",
        "ppm",
        "ico",
        "cur",
        "tga",
        "psd",
        "jpeg2000",
        "avif",
        "heif",
    ),
    *("jxl", "raw", "svg", "hdr", "exr"),
)
"""The names of the formats, as `sniff_format` gives them."""

FORMAT_ALIASES = {
    alias: name
    for name, aliases in {
        "jpeg": "jpg jpe jfif mpo",
        "png": "apng",
        "bmp": "dib",
        "tiff": "tif",
        "ppm": "pgm pbm pnm pfm",
        "jpeg2000": "jp2 j2k j2c jpc jpf jpx",
        "avif": "avifs",
        "heif": "heic heics heifs hif",
        "raw": _RAW_SUFFIXES.replace("raw ", ""),
    }.items()
    for alias in aliases.split()
}
"""What files of a format are called as well, by their suffixes."""

_PREFIXES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"8BPS", "psd"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"\xff\x0a", "jxl"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
    (b"#?RADIANCE", "hdr"),
    (b"#?RGBE", "hdr"),
    (b"v/1\x01", "exr"),
    (b"FUJIFILMCCD-RAW", "raw"),
    (b"IIRO", "raw"),
    (b"IIRS", "raw"),
    (b"MMOR", "raw"),
    (b"IIU\x00", "raw"),
    (b"FOVb", "raw"),
    (b"\x00MRM", "raw"),
)
_TIFF_PREFIXES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))

_STRANGERS = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript drawing"),
    (b"PK\x03\x04", "a ZIP archive or office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"version https://git-lfs", "a Git LFS pointer; the picture itself was not fetched"),
)


def sniff_format(head: bytes) -> str | None:
    """Name the picture format that a file's first bytes announce.

    Parameters
    ----------
    head : bytes    the start of the file, `HEAD_BYTES` of it where there are as many

    Returns
    -------
    str or None    ``jpeg png gif webp bmp tiff ppm ico cur psd jpeg2000 avif heif jxl raw svg hdr exr``.
                   None also for TGA, which has no magic number. Camera RAW files that are TIFF inside
                   (NEF, ARW, DNG, PEF) give ``tiff``: only their directory tells.
    """
    for prefix, name in _PREFIXES:
        if head.startswith(prefix):
            return name
    if head.startswith(_TIFF_PREFIXES):
        return "raw" if head[8:10] == b"CR" else "tiff"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return _sniff_brands(head)
    if head[6:14] == b"HEAPCCDR":
        return "raw"
    if head[:1] == b"P" and head[1:2] in (b"1", b"2", b"3", b"4", b"5", b"6", b"f") and head[2:3].isspace():
        return "ppm"
    return _sniff_icon(head) or _sniff_svg(head)


def _sniff_brands(head: bytes) -> str | None:
    """Tell the pictures among the ISO media files, which are mostly videos, by their brands."""
    size = int.from_bytes(head[:4], "big")
    compatible = {head[start : start + 4] for start in range(16, min(size, len(head)), 4)}
    brands = {head[8:12]} | compatible
    if head[8:12] == b"crx ":
        return "raw"
    if brands & _AVIF_BRANDS:
        return "avif"
    return "heif" if brands & _HEIF_BRANDS else None


def _sniff_icon(head: bytes) -> str | None:
    """Tell icons and cursors from TGA, which may start alike but then counts no entries."""
    kinds = {b"\x00\x00\x01\x00": "ico", b"\x00\x00\x02\x00": "cur"}
    return kinds.get(head[:4]) if head[4:6] > b"\x00\x00" and head[9:10] == b"\x00" else None


def _sniff_svg(head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    starts_as_xml = text.startswith((b"<?xml", b"<!--", b"<!DOCTYPE svg"))
    return "svg" if text.startswith(b"<svg") or (starts_as_xml and b"<svg" in text) else None


def describe_stranger(data: bytes) -> str:
    """Say in a phrase what a file that is no picture seems to be, for the reason of its failure."""
    if not data:
        return "the file is empty"
    head = data[:HEAD_BYTES]
    if not head.strip(b"\x00"):
        return "the file holds only zero bytes, as after a failed copy or recovery"
    for prefix, name in _STRANGERS:
        if head.lstrip().lower().startswith(prefix.lower()):
            return f"not a picture but {name}"
    if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return "not a picture but a video or sound file"
    return f"no known kind of picture, or a damaged TGA; it starts with the bytes {head[:8].hex(' ')}"
