"""What a file says of its picture beside the pixels: camera, time, place, and what people wrote to it.

EXIF, XMP and IPTC are read as Pillow finds them, without decoding a pixel. Whatever is broken counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from xml.etree import ElementTree

from PIL import ExifTags, Image, IptcImagePlugin

from lookalike.errors import PictureError
from lookalike.media.decode import open_native, read_camera, sniff_format
from lookalike.media.extras import is_camera_raw, read_tiff_tags
from lookalike.media.formats import HEAD_BYTES
from lookalike.media.quiet import QUIET_WARNINGS
from lookalike.records.metadata import MAX_TEXT_LENGTH, Metadata
from lookalike.settings import Settings

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_MAX_XMP_BYTES = 1 << 20  # a catalogue's history may be longer; it is not what a person wrote
_DATE = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_NUMBERED = re.compile(r"\d+")
# What cameras write into the caption, so that it says nothing.
_EMPTY_CAPTIONS = re.compile(
    r"(OLYMPUS|SONY|SAMSUNG|KONICA|MINOLTA|KODAK|CASIO).*|DCIM.*|DSC|untitled|default|ASCII|binary comment",
    re.IGNORECASE,
)
_NAMESPACES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://www.metadataworkinggroup.com/schemas/regions/": "mwg-rs",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "iptc",
}
_IPTC_CAPTIONS, _IPTC_KEYWORDS, _IPTC_AUTHOR = ((2, 120), (2, 105), (2, 5)), (2, 25), (2, 80)


def read_metadata(data: bytes, settings: Settings) -> Metadata:
    """Return what a file says of its picture; what cannot be read counts as not said.

    Parameters
    ----------
    data : bytes    of the whole file
    """
    is_raw = sniff_format(data[:HEAD_BYTES]) == "raw" or (_is_tiff(data) and is_camera_raw(data))
    with QUIET_WARNINGS, suppress(PictureError):
        if is_raw:  # a developer of raw data would take a second for what stands in its head
            return _join(_read_exif(read_tiff_tags(data) or Image.Exif()))
        with open_native(data, settings=settings) as (image, _):
            exif = read_tiff_tags(data) if _is_tiff(data) else None
            return _join(
                _read_exif(exif if exif is not None else image.getexif()),
                _read_xmp(_xmp_bytes(image)),
                _read_iptc(image),
                _read_comments(image),
            )
    return Metadata()


def _is_tiff(data: bytes) -> bool:
    return data[:4] in (b"II*\0", b"MM\0*")


def _join(*sources: Mapping[str, Any]) -> Metadata:
    """Join what several places say: of captions and names all, of anything else the first."""
    found: dict[str, Any] = {}
    for source in sources:
        for name, value in source.items():
            if not value:
                continue
            if name in ("caption", "keywords", "people"):
                found.setdefault(name, []).extend(one for one in value if one not in found.get(name, ()))
            else:
                found.setdefault(name, value)
    for name, separator in (("caption", " | "), ("keywords", ", "), ("people", ", ")):
        if name in found:
            texts = found[name] if name == "caption" else sorted(found[name])
            found[name] = separator.join(texts)[:MAX_TEXT_LENGTH]
    found.setdefault("dated_at", found.get("taken_at", ""))
    if found.get("taken_at"):
        found["dated_at"] = found["taken_at"]
    return Metadata(**found)


@contextmanager
def _forgiving() -> Iterator[None]:
    """Pass over broken metadata: it fails in every way there is, and is no reason to lose the picture."""
    with suppress(Exception):
        yield


def _read_exif(tags: Image.Exif) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with _forgiving():
        base = ExifTags.Base
        found["camera"] = read_camera(tags) or ""
        found["software"], found["author"] = _text(tags.get(base.Software)), _text(tags.get(base.Artist))
        found["author"] = found["author"] or _text(tags.get(base.Copyright))
        found["rating"] = _integer(tags.get(base.Rating))
        titles = [tags.get(base.ImageDescription)]
        titles += [_utf16(tags.get(tag)) for tag in (base.XPTitle, base.XPComment, base.XPSubject)]
        found["dated_at"] = _time(tags.get(base.DateTime))
        found["keywords"] = _split(_utf16(tags.get(base.XPKeywords)))
        inner = tags.get_ifd(ExifTags.IFD.Exif)
        titles.append(_user_comment(inner.get(base.UserComment)))
        found["caption"] = _captions(titles)
        digitized = _time(inner.get(base.DateTimeDigitized), inner.get(base.SubsecTimeDigitized))
        found["taken_at"] = (
            _time(inner.get(base.DateTimeOriginal), inner.get(base.SubsecTimeOriginal)) or digitized
        )
        found["lens"] = _text(inner.get(base.LensModel))
        sides = (_integer(inner.get(base.ExifImageWidth)), _integer(inner.get(base.ExifImageHeight)))
        found["size_px"] = sides if all(sides) else None
    with _forgiving():
        found["place"] = _place(tags.get_ifd(ExifTags.IFD.GPSInfo))
    return found


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if not isinstance(value, str):
        return ""
    line = " ".join(value.split("\0")[0].split())
    return "".join(letter for letter in line if letter.isprintable()).strip()[:MAX_TEXT_LENGTH]


def _utf16(value: Any) -> str:
    """Read what Windows writes: UTF-16 in a field of bytes."""
    if isinstance(value, tuple):
        value = bytes(value)
    return _text(value.decode("utf-16-le", errors="replace")) if isinstance(value, bytes) else _text(value)


def _user_comment(value: Any) -> str:
    if not isinstance(value, bytes):
        return _text(value)
    code, text = value[:8], value[8:]
    if code == b"UNICODE\0":
        return _text(text.decode("utf-16-le" if text[1:2] == b"\0" else "utf-16-be", errors="replace"))
    return _text(text if code in (b"ASCII\0\0\0", b"\0" * 8, b"JIS\0\0\0\0\0") else value)


def _captions(values: list[Any]) -> list[str]:
    texts = [_text(value) for value in values]
    return [text for text in texts if text and not _EMPTY_CAPTIONS.fullmatch(text)]


def _split(text: str) -> list[str]:
    return [word.strip() for word in re.split("[;,]", text) if word.strip()]


def _integer(value: Any) -> int:
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return 0


def _time(value: Any, fraction: Any = None) -> str:
    found = _DATE.match(value) if isinstance(value, str) else None
    if found is None:
        return ""
    try:
        time = datetime(*map(int, found.groups())).isoformat()  # type: ignore[arg-type]  # six of them
    except ValueError:  # cameras without a set clock write 0000:00:00
        return ""
    digits = _NUMBERED.match(str(fraction).strip()) if fraction is not None else None
    return f"{time}.{digits[0]}" if digits and int(digits[0]) else time


def _place(gps: Mapping[int, Any]) -> str:
    latitude = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "S")
    longitude = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "W")
    if latitude is None and longitude is None:
        return ""
    return f"{latitude or 0.0:.5f}, {longitude or 0.0:.5f}"


def _degrees(value: Any, reference: Any, negative: str) -> float | None:
    if not isinstance(value, tuple) or len(value) != 3:
        return None
    degrees = sum(float(part) / 60**place for place, part in enumerate(value))
    if degrees != degrees:
        return None
    return float(-degrees if _text(reference).upper() == negative else degrees)


def _xmp_bytes(image: Image.Image) -> bytes:
    for key in ("xmp", "XML:com.adobe.xmp"):
        found = image.info.get(key)
        if isinstance(found, str):
            found = found.encode()
        if isinstance(found, bytes):
            return found.strip(b"\0 \r\n\t")
    with _forgiving():  # a TIFF keeps it as a tag
        value = image.getexif().get(700)
        if isinstance(value, bytes):
            return value.strip(b"\0 \r\n\t")
    return b""


def _read_xmp(packet: bytes) -> dict[str, Any]:
    """Read the few properties that matter; a packet with a document type, as no camera writes one, is not read."""
    found: dict[str, Any] = {}
    if not packet or len(packet) > _MAX_XMP_BYTES or b"<!" in packet.replace(b"<!--", b""):
        return found
    with _forgiving():
        values = _xmp_values(ElementTree.fromstring(packet))  # noqa: S314  # it has no document type: no entities
        found["caption"] = _captions([*values.get("dc:title", ()), *values.get("dc:description", ())])
        found["caption"] += _captions(list(values.get("photoshop:Headline", ())))
        found["keywords"] = [_text(one) for one in values.get("dc:subject", ())]
        names = (*values.get("mwg-rs:Name", ()), *values.get("iptc:PersonInImage", ()))
        found["people"] = [_text(one) for one in names]
        found["author"] = ", ".join(_text(one) for one in values.get("dc:creator", ()))
        found["rating"] = _integer(next(iter(values.get("xmp:Rating", ())), 0))
        found["taken_at"] = _time(next(iter(values.get("exif:DateTimeOriginal", ())), None))
        found["dated_at"] = _time(next(iter(values.get("photoshop:DateCreated", ())), None))
        places = [next(iter(values.get(f"exif:GPS{axis}", ())), "") for axis in ("Latitude", "Longitude")]
        found["place"] = ", ".join(map(_text, places)) if all(places) else ""
        found["software"] = _text(next(iter(values.get("xmp:CreatorTool", ())), ""))
    return found


def _xmp_values(root: ElementTree.Element) -> dict[str, list[str]]:
    """Return every property's texts, as attributes, as text, and as items of its lists."""
    values: dict[str, list[str]] = {}
    for element in root.iter():
        for name, text in element.attrib.items():
            values.setdefault(_prefixed(name), []).append(text)
        items = [one.text for one in element.iter() if one is not element and _is_item(one.tag)]
        for item in items or [element.text]:
            if item and item.strip():
                values.setdefault(_prefixed(element.tag), []).append(item.strip())
    return values


def _is_item(tag: str) -> bool:
    return tag.endswith("}li")


def _prefixed(tag: str) -> str:
    space, _, name = tag.removeprefix("{").rpartition("}")
    return f"{_NAMESPACES.get(space, '')}:{name}"


def _read_iptc(image: Image.Image) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with _forgiving():
        records = IptcImagePlugin.getiptcinfo(cast("ImageFile", image)) or {}

        def texts(key: tuple[int, int]) -> list[str]:
            value = records.get(key, [])
            return [_text(one) for one in (value if isinstance(value, list) else [value])]

        found["caption"] = _captions([text for key in _IPTC_CAPTIONS for text in texts(key)])
        found["keywords"] = texts(_IPTC_KEYWORDS)
        found["author"] = ", ".join(texts(_IPTC_AUTHOR))
    return found


def _read_comments(image: Image.Image) -> dict[str, Any]:
    """Return the comment of a JPEG, and the texts of a PNG that describe the picture."""
    found: dict[str, Any] = {}
    with _forgiving():
        names = ("comment", "Description", "Title", "Comment")
        found["caption"] = [
            text
            for text in _captions([image.info.get(name) for name in names])
            if not text.lower().startswith(("created with", "creator:", "file written by", "lavc", "*"))
        ]
    return found
