"""What files say of their pictures: EXIF, XMP, IPTC, and what a person would miss of it."""

import pytest
from PIL import Image

from lookalike.media.metadata import read_metadata
from lookalike.records.metadata import Metadata, kinds_of, lacking
from lookalike.settings import Settings
from pictures import encode, photo

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" xmp:Rating="5"><dc:description><rdf:Alt>
<rdf:li xml:lang="x-default">Grandma</rdf:li></rdf:Alt></dc:description><dc:subject><rdf:Bag><rdf:li>lake</rdf:li>
<rdf:li>boat</rdf:li></rdf:Bag></dc:subject><mwg-rs:Name>Ada</mwg-rs:Name></rdf:Description></rdf:RDF></x:xmpmeta>
"""


def _tags():
    tags = Image.Exif()
    tags[0x010F], tags[0x0110], tags[0x0132] = "Canon", "Canon EOS 80D", "2019:07:05 12:00:00"
    tags[0x010E] = "Oma im Garten"
    inner = tags.get_ifd(0x8769)
    inner[0x9003], inner[0x9291], inner[0xA434] = "2019:07:04 11:00:00", "12", "EF 50mm"
    inner[0xA002], inner[0xA003] = 64, 48
    place = tags.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "S", (48.0, 30.0, 0.0), "E", (11.0, 15.0, 0.0)
    return tags


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_camera_says_who_when_and_where(form):
    said = read_metadata(encode(photo(64, 48), form, exif=_tags()), Settings())
    assert said == Metadata(
        taken_at="2019-07-04T11:00:00.12",
        dated_at="2019-07-04T11:00:00.12",
        camera="Canon EOS 80D",
        lens="EF 50mm",
        place="-48.50000, 11.25000",
        caption="Oma im Garten",
        size_px=(64, 48),
    )
    assert Metadata.from_bytes(said.to_bytes()) == said


def test_what_people_wrote_is_read_and_joined():
    said = read_metadata(encode(photo(), "JPEG", exif=_tags(), xmp=XMP.encode()), Settings())
    assert (said.caption, said.keywords, said.people) == ("Oma im Garten | Grandma", "boat, lake", "Ada")
    assert said.rating == 5
    assert kinds_of(said) == {"date", "camera", "place", "caption", "keywords", "people", "rating", "lens"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        encode(photo(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
        encode(photo(), "JPEG", xmp=b"<x"),
        encode(photo(), "JPEG", xmp=b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
        encode(photo(), "JPEG")[:200],
        encode(photo(), "GIF"),
    ],
)
def test_what_is_broken_or_silent_says_nothing(data):
    assert read_metadata(data, Settings()) == Metadata()


def test_a_caption_of_the_cameras_own_is_none():
    tags = Image.Exif()
    tags[0x010E] = "OLYMPUS DIGITAL CAMERA         "
    assert read_metadata(encode(photo(), "JPEG", exif=tags), Settings()).caption == ""


def test_what_a_keeper_does_not_say_is_lacking_and_what_it_says_otherwise_too():
    full = Metadata(dated_at="2019", camera="X", place="1, 2", caption="Oma | Garden", rating=5)
    assert lacking(full, full) == ()
    assert lacking(full, Metadata()) == ()
    assert lacking(Metadata(), full) == ("date", "camera", "place", "caption", "rating")
    assert lacking(full, Metadata(dated_at="2020", camera="Y", caption="Oma")) == ()
    assert lacking(full, Metadata(caption="Opa", rating=4)) == ("caption", "rating")
