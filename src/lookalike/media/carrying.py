"""Bring what one file says of its picture over to another file, without a pixel being written anew.

JPEG, PNG and WebP keep EXIF and XMP beside the compressed pixels, in parts of their own. The parts are replaced and
all others stay as they are, byte for byte.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from xml.sax.saxutils import escape

from PIL import ExifTags, Image

from lookalike.errors import DecodeError, PictureError
from lookalike.media.decode import decode, open_native
from lookalike.media.metadata import read_metadata
from lookalike.records.metadata import Metadata, lacking
from lookalike.settings import Settings

_EXIF_MARK, _XMP_MARK = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_IN_XMP = frozenset(("caption", "keywords", "people", "rating"))
_MAX_SEGMENT_BYTES = 65_533
_MAKER_NOTE = 0x927C
_PNG_START = b"\x89PNG\r\n\x1a\n"
_XMP_FLAG, _EXIF_FLAG, _ALPHA_FLAG = 0x04, 0x08, 0x10  # of a WebP's extended header
_NEVER_COPIED = frozenset(
    (
        ExifTags.Base.Orientation,  # the keeper's pixels lie as they lie
        ExifTags.Base.ImageWidth,
        ExifTags.Base.ImageLength,
        ExifTags.Base.ExifImageWidth,
        ExifTags.Base.ExifImageHeight,
        ExifTags.Base.StripOffsets,
        ExifTags.Base.JpegIFOffset,
        ExifTags.Base.JpegIFByteCount,
        ExifTags.Base.ExifOffset,
        ExifTags.Base.GPSInfo,
        ExifTags.Base.ExifInteroperabilityOffset,
        _MAKER_NOTE,  # it holds offsets, which would lead nowhere
    )
)


def carry_over(keeper: bytes, other: bytes, settings: Settings) -> bytes:
    """Return a keeper's file with what another file says of the same picture and it does not.

    Raises
    ------
    DecodeError     it cannot be done without loss; the text says why
    PictureError    one of them cannot be decoded
    """
    said, more = read_metadata(keeper, settings), read_metadata(other, settings)
    wanted = lacking(said, more)
    with open_native(keeper, settings=settings) as (image, name):
        write = _WRITERS.get(name)
        tags = image.getexif()
        for part in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
            tags.get_ifd(part)
        has_packet = any(key in image.info for key in ("xmp", "XML:com.adobe.xmp"))
    if write is None:
        raise DecodeError(f"a {name} takes nothing over without being written anew")
    if _MAKER_NOTE in tags.get_ifd(ExifTags.IFD.Exif):
        raise DecodeError("the keeper holds notes of the camera's maker, which would be damaged")
    needs_packet = bool(_IN_XMP.intersection(wanted))
    if needs_packet and has_packet:
        raise DecodeError("the keeper holds an XMP packet of its own, which would be replaced")
    _merge(tags, _tags_of(other, settings), with_place="place" in wanted)
    written = write(keeper, tags.tobytes(), _packet(_joined(said, more)) if needs_packet else b"")
    found = read_metadata(written, settings)
    missing = [kind for kind in wanted if kind in lacking(found, more)]
    if missing:
        raise DecodeError(f"{', '.join(missing)} cannot be written to it")
    if (
        decode(written, settings=settings).image.tobytes()
        != decode(keeper, settings=settings).image.tobytes()
    ):
        raise DecodeError("its pixels would not stay the same")
    return written


def _tags_of(data: bytes, settings: Settings) -> Image.Exif:
    try:
        with open_native(data, settings=settings) as (image, _):
            tags = image.getexif()
            for part in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
                tags.get_ifd(part)
            return tags
    except PictureError:
        return Image.Exif()


def _merge(tags: Image.Exif, more: Image.Exif, *, with_place: bool) -> None:
    """Add the tags that are missing, in the main directory, that of the picture, and the place."""
    for tag, value in more.items():
        if tag not in _NEVER_COPIED and tag not in tags:
            tags[tag] = value
    for part in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        if part == ExifTags.IFD.GPSInfo and not with_place:
            continue
        own = tags.get_ifd(part)
        for tag, value in more.get_ifd(part).items():
            if tag not in _NEVER_COPIED and tag not in own:
                own[tag] = value


def _joined(said: Metadata, more: Metadata) -> Metadata:
    """Return what people wrote to either; of two ratings the keeper's."""

    def both(first: str, second: str, separator: str) -> str:
        parts = [part for part in (*first.split(separator), *second.split(separator)) if part]
        return separator.join(dict.fromkeys(parts))

    return Metadata(
        caption=both(said.caption, more.caption, " | "),
        keywords=both(said.keywords, more.keywords, ", "),
        people=both(said.people, more.people, ", "),
        rating=said.rating or more.rating,
        author=said.author or more.author,
        taken_at=said.taken_at or more.taken_at,
    )


def _packet(said: Metadata) -> bytes:
    """Return an XMP packet of what people wrote."""

    def items(name: str, kind: str, texts: list[str]) -> str:
        lines = "".join(f"<rdf:li>{escape(text)}</rdf:li>" for text in texts if text)
        return f"<{name}><rdf:{kind}>{lines}</rdf:{kind}></{name}>" if lines else ""

    rating = f"<xmp:Rating>{said.rating}</xmp:Rating>" if said.rating else ""
    caption = f'<rdf:li xml:lang="x-default">{escape(said.caption)}</rdf:li>' if said.caption else ""
    body = (
        (f"<dc:description><rdf:Alt>{caption}</rdf:Alt></dc:description>" if caption else "")
        + items("dc:subject", "Bag", said.keywords.split(", "))
        + items("iptc:PersonInImage", "Bag", said.people.split(", "))
        + items("dc:creator", "Seq", [said.author])
        + rating
    )
    if not body:
        return b""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        f'xmlns:iptc="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def _write_jpeg(data: bytes, exif: bytes, packet: bytes) -> bytes:
    """Put segments at the head of a JPEG, in the place of those of the same kind."""
    new = [exif] + ([_XMP_MARK + packet] if packet else [])
    if any(len(one) > _MAX_SEGMENT_BYTES for one in new):
        raise DecodeError("what would be brought over is too long for a JPEG")
    kept, start = _split_jpeg(data)
    marks = (_EXIF_MARK, _XMP_MARK) if packet else (_EXIF_MARK,)
    head = [one for one in kept if one[1] == 0xE0]
    rest = [one for one in kept if one[1] != 0xE0 and not (one[1] == 0xE1 and one[4:].startswith(marks))]
    written = [b"\xff\xe1" + struct.pack(">H", len(one) + 2) + one for one in new]
    return b"".join((data[:2], *head, *written, *rest, data[start:]))


def _split_jpeg(data: bytes) -> tuple[list[bytes], int]:
    """Return the segments before the first frame or table, and where that begins."""
    segments, start = [], 2
    while data[start : start + 1] == b"\xff" and (0xE0 <= data[start + 1] <= 0xEF or data[start + 1] == 0xFE):
        end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        segments.append(data[start:end])
        start = end
    return segments, start


def _write_png(data: bytes, exif: bytes, packet: bytes) -> bytes:
    """Put chunks behind the header of a PNG, in the place of those of the same kind."""
    new = [(b"eXIf", exif.removeprefix(_EXIF_MARK))]
    if packet:
        new.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))
    written = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in new
    )
    chunks = list(_iter_png(data))
    rest = [chunk for chunk in chunks[1:] if chunk[4:8] != b"eXIf"]
    return b"".join((_PNG_START, chunks[0], written, *rest))


def _iter_png(data: bytes) -> Iterator[bytes]:
    start = len(_PNG_START)
    while start < len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        yield data[start:end]
        start = end


def _write_webp(data: bytes, exif: bytes, packet: bytes) -> bytes:
    """Put chunks at the end of a WebP, and say in its extended header that they are there."""
    chunks = [chunk for chunk in _iter_webp(data) if chunk[:4] not in (b"EXIF", b"XMP " if packet else b"")]
    if chunks[0][:4] != b"VP8X":
        with Image.open(io.BytesIO(data), formats=("WEBP",)) as image:
            (width, height), has_alpha = image.size, image.mode == "RGBA"
        flags = _ALPHA_FLAG if has_alpha else 0
        sides = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
        chunks.insert(0, b"VP8X" + struct.pack("<II", 10, flags) + sides)
    header = bytearray(chunks[0])
    header[8] |= _EXIF_FLAG | (_XMP_FLAG if packet else 0)
    chunks[0] = bytes(header)
    new = [(b"EXIF", exif.removeprefix(_EXIF_MARK))] + ([(b"XMP ", packet)] if packet else [])
    chunks += [kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2) for kind, body in new]
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _iter_webp(data: bytes) -> Iterator[bytes]:
    start = 12
    while start + 8 <= len(data):
        size = int.from_bytes(data[start + 4 : start + 8], "little")
        end = start + 8 + size + size % 2
        yield data[start:end]
        start = end


_WRITERS: dict[str, Callable[[bytes, bytes, bytes], bytes]] = {
    "jpeg": _write_jpeg,
    "png": _write_png,
    "webp": _write_webp,
}
