"""Metadata brought over: all that was lacking is there, and no pixel is another one."""

import io

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import DecodeError
from lookalike.media.carrying import carry_over
from lookalike.media.metadata import read_metadata
from lookalike.records.metadata import kinds_of, lacking
from lookalike.settings import Settings
from pictures import encode, photo
from test_metadata import XMP, _tags


def _pixels(data):
    with Image.open(io.BytesIO(data)) as opened:
        return np.asarray(opened)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_what_the_keeper_lacks_is_brought_over_without_a_pixel_changed(form, mode):
    if form == "JPEG" and mode == "RGBA":
        mode = "L"
    keeper = encode(photo(96, 64).convert(mode), form, **({"quality": 80} if form != "PNG" else {}))
    other = encode(photo(48, 32), "JPEG", exif=_tags(), xmp=XMP.encode())
    written = carry_over(keeper, other, Settings())
    assert np.array_equal(_pixels(written), _pixels(keeper))
    said = read_metadata(written, Settings())
    assert lacking(said, read_metadata(other, Settings())) == ()
    assert {"date", "camera", "place", "caption", "keywords", "people", "rating"} <= kinds_of(said)
    assert said.size_px is None


def test_what_the_keeper_says_itself_stays():
    tags = Image.Exif()
    tags[0x010F] = "Nikon"
    keeper = encode(photo(), "JPEG", exif=tags, comment=b"as it was")
    written = carry_over(keeper, encode(photo(), "JPEG", exif=_tags()), Settings())
    with Image.open(io.BytesIO(written)) as opened:
        assert opened.info["comment"] == b"as it was"
    said = read_metadata(written, Settings())
    assert said.camera.startswith("Nikon")
    assert "as it was" in said.caption
    assert "Oma im Garten" in said.caption
    assert said.taken_at.startswith("2019-07-04")


def test_what_would_be_lost_is_not_written():
    other = encode(photo(), "JPEG", exif=_tags(), xmp=XMP.encode())
    with pytest.raises(DecodeError, match="written anew"):
        carry_over(encode(photo(), "GIF"), other, Settings())
    with pytest.raises(DecodeError, match="XMP packet of its own"):
        carry_over(encode(photo(), "JPEG", xmp=XMP.replace("Grandma", "Other").encode()), other, Settings())
    noted = Image.Exif()
    noted.get_ifd(0x8769)[0x927C] = b"a maker's own note"
    with pytest.raises(DecodeError, match="camera's maker"):
        carry_over(encode(photo(), "JPEG", exif=noted), other, Settings())
