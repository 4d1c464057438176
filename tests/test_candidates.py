"""Which pairs may be copies: hashes that are near in any orientation, and parts that are shared."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from lookalike.duplicates import candidates
from lookalike.duplicates.candidates import find_candidates, find_shared_parts, turn_phashes
from lookalike.features.hashes import phash
from lookalike.features.keypoints import extract_keypoints
from lookalike.features.kinds import BITS
from lookalike.features.prepared import turn_pixels
from lookalike.storage.index.rows import Rows
from pictures import photo


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket", "chelsea", "camera"])
def test_hashes_of_turned_pictures_are_derived_nearly(name):
    grey = np.asarray(photo(112, 112, name).convert("L"))
    derived = turn_phashes(phash(Image.fromarray(grey))[None])
    for orientation in range(1, 8):
        turned = phash(Image.fromarray(turn_pixels(grey, orientation)))
        assert np.bitwise_count(turned ^ derived[orientation - 1][0]).sum() <= 8


def test_candidates_are_pairs_with_the_smaller_id_first():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (50, 8), np.uint8)
    rows[30] = rows[3]
    rows[31] = turn_phashes(rows[4:5])[2][0]
    hashes = Rows(BITS, np.arange(50)[::-1].copy() + 7, rows)
    pairs = find_candidates(hashes, None).pairs.tolist()
    assert [56 - 30, 56 - 3] in pairs
    assert [56 - 31, 56 - 4] in pairs
    assert all(first < second for first, second in pairs)
    assert len(pairs) < 20


def test_shared_parts_find_a_small_crop_and_its_mirror_image():
    names = ("astronaut", "coffee", "chelsea", "rocket", "camera", "page")
    pictures = [photo(480, 360, name) for name in names]
    pictures.append(pictures[0].crop((150, 40, 390, 220)).resize((480, 360)))
    pictures.append(ImageOps.mirror(pictures[3]))
    pictures.append(Image.new("RGB", (64, 64), "white"))
    found = [(number + 10, extract_keypoints(picture)) for number, picture in enumerate(pictures)]
    pairs = find_shared_parts(found, len(found)).tolist()
    assert [10, 16] in pairs
    assert [13, 17] in pairs
    assert all(first < second for first, second in pairs)
    assert find_shared_parts([], 0).tolist() == []
    assert find_shared_parts(found[-1:], 1).tolist() == []


def test_votes_are_the_same_in_small_blocks(monkeypatch):
    pictures = [photo(480, 360, name) for name in ("astronaut", "coffee", "chelsea")]
    pictures += [picture.resize((240, 180)) for picture in pictures]
    found = [(number, extract_keypoints(picture)) for number, picture in enumerate(pictures)]
    whole = find_shared_parts(found, len(found)).tolist()
    monkeypatch.setattr(candidates, "_VOTES_AT_ONCE", 7)
    assert find_shared_parts(found, len(found)).tolist() == whole
    assert [0, 3] in whole
