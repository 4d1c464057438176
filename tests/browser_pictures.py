"""A folder of photos with copies to find, for the tests in a browser."""

from pathlib import Path

from PIL import Image
from skimage import data

PHOTOS = (
    "astronaut",
    "brick",
    "camera",
    "cat",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "moon",
    "page",
    "retina",
    "rocket",
)
"""Photos inside the scikit-image package; nothing is downloaded."""

COPIED = (
    "astronaut",
    "brick",
    "camera",
    "cat",
    "coffee",
    "coins",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "moon",
    "retina",
    "rocket",
)
"""Those that have a smaller copy: one group of duplicates each."""


def load_photo(name: str) -> Image.Image:
    """Return one of `PHOTOS`, at most 640 pixels a side."""
    photo = Image.fromarray(getattr(data, name)()).convert("RGB")
    photo.thumbnail((640, 640))
    return photo


def make_pictures(folder: Path) -> None:
    """Write the photos, a smaller copy of most, and some other edits, as a person might have them."""
    originals, copies = folder / "originals", folder / "copies"
    originals.mkdir(parents=True)
    copies.mkdir()
    for name in PHOTOS:
        load_photo(name).save(originals / f"{name}.jpg", quality=92)
    for name in COPIED:
        photo = load_photo(name)
        photo.resize((photo.width // 2, photo.height // 2)).save(copies / f"{name} small.jpg", quality=80)
    (copies / "cat again.jpg").write_bytes((originals / "cat.jpg").read_bytes())
    rocket = load_photo("rocket")
    rocket.crop((120, 60, 520, 400)).save(copies / "rocket cut.png")
    rocket.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(copies / "rocket mirrored.jpg", quality=85)


def make_query(path: Path) -> Path:
    """Write a query: the middle of the photo of the cat, smaller."""
    photo = load_photo("cat")
    left, top = photo.width // 5, photo.height // 5
    piece = photo.crop((left, top, photo.width - left, photo.height - top))
    piece.resize((piece.width * 2 // 3, piece.height * 2 // 3)).save(path, quality=80)
    return path
