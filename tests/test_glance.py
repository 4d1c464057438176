"""A glance before the closer look: it passes what surely shows the same, and nothing that differs."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from lookalike.proving.glance import glance_at
from lookalike.proving.registration import cut_tiles, place
from pictures import photo


def glance(first, second):
    """Glance at two pictures of one frame."""
    x, y = second.width / first.width, second.height / first.height
    matrix = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
    placed = place(np.asarray(first), np.asarray(second), matrix)
    return [glance_at(cut) for cut in cut_tiles(placed)]


def jpeg(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def smaller(image):
    return image.resize((image.width * 4 // 5, image.height * 4 // 5), Image.Resampling.LANCZOS)


@pytest.mark.parametrize("name", ["coffee", "chelsea", "astronaut"])
@pytest.mark.parametrize("save", [lambda image: jpeg(image, 60), smaller])
def test_a_photo_saved_again_or_smaller_is_passed(name, save):
    image = photo(640, 480, name)
    assert all(one.is_same for one in glance(image, save(image)))


@pytest.mark.parametrize("name", ["coffee", "chelsea", "astronaut"])
@pytest.mark.parametrize("level", [40, 80])
@pytest.mark.parametrize("save", [lambda image: jpeg(image, 85), smaller])
def test_a_photo_with_a_faint_figure_is_looked_at_closely(name, level, save):
    image = photo(640, 480, name)
    marked = np.asarray(image).astype(int)
    figure = Image.new("L", image.size)
    ImageDraw.Draw(figure).text((500, 60), "8", level, ImageFont.load_default(28))
    marked = np.clip(marked + np.asarray(figure)[..., None] * np.where(marked < 128, 1, -1), 0, 255)
    assert not all(one.is_same for one in glance(image, save(Image.fromarray(marked.astype(np.uint8)))))


def test_only_the_tile_that_differs_is_looked_at_closely():
    image = photo(1700, 700, "coffee")
    marked = image.copy()
    ImageDraw.Draw(marked).text((300, 300), "8", "white", ImageFont.load_default(60), stroke_width=2)
    assert [one.is_same for one in glance(image, jpeg(marked, 85))] == [False, True]
