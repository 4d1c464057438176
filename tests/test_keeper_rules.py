"""Which of several copies is kept, rule by rule, and why; a plain frame counts for nothing."""

from dataclasses import replace

import pytest
from PIL import ImageFilter, ImageOps

from lookalike import Gallery
from lookalike.duplicates.frames import Frames
from lookalike.duplicates.keeper import RULES, Candidate, choose_keeper, parse_rules
from lookalike.errors import InputError
from lookalike.features.keypoints import extract_keypoints
from lookalike.proving.verify import verify
from lookalike.records.metadata import Metadata
from lookalike.storage.records import FoundPicture
from pictures import photo


def _picture(path="/a.jpg", **facts):
    values = {
        "content_id": 1,
        "size_bytes": 1000,
        "mtime_ns": 5 * 10**9,
        "digest": b"",
        "format": "jpeg",
        "width_px": 100,
        "height_px": 100,
        "taken_at": None,
    }
    return FoundPicture(path=path, **{**values, **facts})


def _candidates(*pictures, **facts):
    return [replace(Candidate.of(picture), **facts) for picture in pictures]


@pytest.mark.parametrize(
    ("rule", "better"),
    [
        ("most-pixels", {"width_px": 200}),
        ("original-format", {"format": "tiff"}),
        ("lossless", {"format": "png"}),
        ("least-compressed", {"size_bytes": 9000}),
        ("richest-metadata", {"taken_at": "2020-01-01T00:00:00"}),
        ("best-place", {"path": "/z/album/bbbbbb.jpg"}),
        ("oldest", {"mtime_ns": 10**9}),
        ("shortest-path", {"path": "/b"}),
    ],
)
def test_each_rule_chooses_and_says_why(rule, better):
    name = "/temp/a (1).jpg" if rule == "best-place" else "/aaaaaa.jpg"
    ordinary, best = _picture(name), _picture(**{"path": "/bbbbbb.jpg", **better})
    assert choose_keeper(_candidates(ordinary, best), parse_rules([rule]))[0] == best
    keeper, why = choose_keeper(_candidates(ordinary, best), tuple(RULES.values()))
    assert keeper == best
    assert why.startswith(rule)
    assert choose_keeper(_candidates(best, ordinary), parse_rules([rule]), [name]) == (
        ordinary,
        "in a protected folder",
    )
    assert choose_keeper(_candidates(best, ordinary), parse_rules([rule]), prefer=["/none", name]) == (
        ordinary,
        "in a preferred folder",
    )


@pytest.mark.parametrize(
    ("rule", "fact", "words"),
    [
        ("holds-more", {"holds": ("CR2",)}, "holds CR2, against holds nothing more"),
        ("most-pixels", {"n_shown_px": 20_000}, "of which"),
        ("richest-metadata", {"said": Metadata(camera="X", caption="Oma")}, "with camera, caption, against"),
        ("most-links", {"n_links": 2}, "one file under 2 names"),
    ],
)
def test_what_is_known_of_a_picture_beyond_its_row_decides_too(rule, fact, words):
    plain, best = _candidates(_picture("/a.jpg"))[0], _candidates(_picture("/b.jpg"), **fact)[0]
    if rule == "most-pixels":
        plain = replace(plain, n_shown_px=2_500)
    keeper, why = choose_keeper([plain, best], tuple(RULES.values()))
    assert (keeper.path, why.split(":")[0]) == ("/b.jpg", rule)
    assert words in why


def test_what_was_made_from_another_one_is_kept_after_it_however_large():
    made = _candidates(_picture("/a.jpg", width_px=400), made_from=("saved again from a JPEG",))
    keeper, why = choose_keeper([*made, *_candidates(_picture("/b.jpg"))], tuple(RULES.values()))
    assert keeper.path == "/b.jpg"
    assert why == "first-hand: made from none of the others, against saved again from a JPEG"


@pytest.mark.parametrize("blurred", ["a.png", "the zebra.png"])
def test_what_all_others_were_made_from_is_kept_before_its_edits(settings, tmp_path, blurred):
    """The blurred and the darkened one have as many pixels, and a name that would decide in the end."""
    folder = tmp_path / "edits"
    folder.mkdir()
    original = photo(480, 360, "coffee")
    original.save(folder / "the original.png")
    original.filter(ImageFilter.GaussianBlur(3)).save(folder / blurred)
    original.point(lambda level: level * 0.6).save(folder / "b.png")
    for side in (400, 300, 200):
        original.resize((side, side * 3 // 4)).save(folder / f"small {side}.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder)
        (group,) = opened.duplicates().groups
        assert group.keeper.path == str(folder / "the original.png")
        assert group.why == "unedited: as bright, coloured and sharp as most, against edited"
        going = {member.picture.path.rsplit("/", 1)[-1] for member in group.members if not member.note}
        assert going == {"small 400.png", "small 300.png", "small 200.png"}
        assert opened.duplicates(rules=["shortest-path"]).groups[0].keeper.path != group.keeper.path


def test_where_all_copies_differ_none_is_the_edited_one(settings, tmp_path):
    folder = tmp_path / "edits"
    folder.mkdir()
    original = photo(480, 360, "coffee")
    original.save(folder / "original.png")
    original.point(lambda level: level * 0.7).save(folder / "dark.png")
    original.point(lambda level: level * 0.4).save(folder / "c.png")
    with Gallery.open(tmp_path / "g", create=True, settings=settings) as opened:
        opened.add(folder)
        (group,) = opened.duplicates(rules=["unedited", "shortest-path"]).groups
    assert group.keeper.path == str(folder / "c.png")
    assert group.why.startswith("shortest-path")


@pytest.mark.parametrize("usual", ["/a.jpg", "/b.jpg"])
def test_an_edited_picture_is_kept_after_others_by_the_rule_for_it(usual):
    pictures = [_picture("/a.jpg"), _picture("/b.jpg", content_id=2)]
    rules = parse_rules(["unedited"])
    candidates = [
        replace(one, usualness=lambda path=one.picture.path: 2 * (path == usual))
        for one in _candidates(*pictures)
    ]
    keeper, why = choose_keeper(candidates, rules)
    assert keeper.path == usual
    assert why == "unedited: as bright, coloured and sharp as most, against edited"


def test_what_is_like_some_copies_is_kept_before_what_is_like_none():
    values = {"/a.jpg": 0, "/b.jpg": 1}
    pictures = [_picture("/a.jpg", size_bytes=9000), _picture("/b.jpg", content_id=2)]
    candidates = [
        replace(one, usualness=lambda path=one.picture.path: values[path]) for one in _candidates(*pictures)
    ]
    keeper, why = choose_keeper(candidates, tuple(RULES.values()), have_equal_tone=lambda *_: False)
    assert keeper.path == "/b.jpg"
    assert why == "unedited: as bright, coloured and sharp as some, against edited"


def test_an_edit_is_not_kept_for_being_saved_without_loss():
    pictures = [_picture("/a.png", format="png"), _picture("/b.jpg", content_id=2)]
    keeper, why = choose_keeper(
        _candidates(*pictures), parse_rules(["lossless"]), have_equal_tone=lambda *_: False
    )
    assert (keeper.path, why) == ("/a.png", "all rules alike; first by path")


def test_a_fraction_of_a_second_makes_no_file_older():
    pictures = [_picture("/bb.jpg", mtime_ns=10**9), _picture("/a.jpg", mtime_ns=10**9 + 1)]
    keeper, why = choose_keeper(_candidates(*pictures), parse_rules(["oldest", "shortest-path"]))
    assert keeper.path == "/a.jpg"
    assert why.startswith("shortest-path")


def test_without_a_difference_the_path_decides():
    pictures = [_picture("/b.jpg"), _picture("/a.jpg")]
    assert choose_keeper(_candidates(*pictures), parse_rules(["most-pixels"]))[0].path == "/a.jpg"
    with pytest.raises(InputError, match="choose from"):
        parse_rules(["nonsense"])


def _keep(**pictures):
    """Return which of two pictures is kept, by name, and why."""
    keypoints = [extract_keypoints(picture) for picture in pictures.values()]
    facts = [
        _picture(f"/{name}", content_id=number, width_px=picture.width, height_px=picture.height)
        for number, (name, picture) in enumerate(pictures.items())
    ]
    frames = Frames(lambda content_id: keypoints[content_id].view)
    frames.look(facts[0], facts[1], verify(keypoints[0], keypoints[1]).proof)
    candidates = [Candidate(picture, frames.n_content_px(picture)) for picture in facts]
    keeper, why = choose_keeper(candidates, tuple(RULES.values()))
    return keeper.path.removeprefix("/"), why


@pytest.mark.parametrize("color", ["white", "black", (40, 90, 200)])
@pytest.mark.parametrize("border", [(60, 60, 60, 60), (0, 80, 0, 80), (120, 0, 0, 0)])
def test_a_plain_frame_is_no_reason_to_keep_a_copy(color, border):
    original = photo(480, 360, "coffee")
    name, why = _keep(framed=ImageOps.expand(original, border, color), original=original)
    assert name == "original"
    assert why.startswith("most-pixels: 480 x 360 pixels, against")
    assert "show nothing" in why


def test_a_frame_counts_for_nothing_but_what_is_in_it_does():
    original = photo(480, 360, "coffee")
    name, why = _keep(original=original, framed=ImageOps.expand(original.resize((960, 720)), 100, "white"))
    assert name == "framed"
    assert "1160 x 920 pixels of which 35 % show nothing" in why


@pytest.mark.parametrize("box", [(80, 60, 400, 300), (0, 0, 480, 250), (200, 0, 480, 360)])
@pytest.mark.parametrize("name", ["coffee", "rocket", "chelsea", "astronaut"])
def test_what_a_crop_leaves_away_is_no_frame(name, box):
    original = photo(480, 360, name)
    kept, why = _keep(crop=original.crop(box), whole=original)
    assert kept == "whole"
    assert "show nothing" not in why
