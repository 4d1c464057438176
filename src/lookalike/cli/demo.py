"""The demonstration: pictures that are in the installation already, edited, indexed and searched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.cli import show
from lookalike.gallery import Gallery
from lookalike.report.documents import Answer
from lookalike.report.figures import save_figure, search_figure
from lookalike.report.pages import duplicates_html, search_html
from lookalike.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

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


def run(folder: Path, settings: Settings) -> None:
    """Make the pictures, the gallery, the query, the page and the figure in `folder`."""
    pictures = folder / "pictures"
    n_pictures = make_pictures(pictures)
    query = make_query(folder / "query.webp")
    print(f"Made {n_pictures} pictures in {pictures} and, as the query, a piece of one of them: {query}\n")
    with Gallery.open(folder / "gallery", create=True, settings=settings) as gallery:
        with show.progress() as on_progress:
            show.add_report(gallery.add(pictures, on_progress=on_progress))
        matches = gallery.search(query, k=9, verify=True)
        report = gallery.duplicates()
    answer = Answer(str(query), matches)
    show.answer(answer)
    print()
    show.duplicates(report)
    page, figure, copies = folder / "result.html", folder / "result.png", folder / "duplicates.html"
    page.write_text(search_html([answer], [str(query)], settings), encoding="utf-8")
    save_figure(search_figure(answer, str(query), settings), figure)
    copies.write_text(duplicates_html(report, settings), encoding="utf-8")
    print(f"\nThe same with pictures: {page}, {figure} and {copies}")


def make_pictures(folder: Path) -> int:
    """Write the photos and edits of some of them; return how many files there are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PHOTOS:
        photo = load_photo(name)
        photo.save(folder / f"{name}.jpg", quality=92)
        if name in ("astronaut", "cat", "coffee", "rocket"):
            for edit, change in EDITS.items():
                change(photo).save(folder / f"{name}, {edit}.jpg", quality=80)
    return sum(1 for _ in folder.glob("*.jpg"))


def make_query(path: Path) -> Path:
    """Write the query: the middle of the photo of the cat, cropped to 60 %, smaller, and as WebP."""
    photo = load_photo("cat")
    left, top = round(photo.width * 0.2), round(photo.height * 0.2)
    piece = photo.crop((left, top, photo.width - left, photo.height - top))
    piece.resize((piece.width * 2 // 3, piece.height * 2 // 3)).save(path, quality=50)
    return path


def load_photo(name: str) -> Image:
    """Return one of `PHOTOS` in RGB, at most 640 pixels a side."""
    from PIL import Image
    from skimage import data

    photo = Image.fromarray(getattr(data, name)()).convert("RGB")
    photo.thumbnail((640, 640))
    return photo


def _on_card(photo: Image) -> Image:
    from PIL import ImageOps

    return ImageOps.expand(photo, border=photo.width // 8, fill="white")


def _grey(photo: Image) -> Image:
    return photo.convert("L").convert("RGB")


def _mirror(photo: Image) -> Image:
    from PIL import ImageOps

    return ImageOps.mirror(photo)


EDITS: dict[str, Callable[[Image], Image]] = {
    "small": lambda photo: photo.resize((photo.width // 4, photo.height // 4)),
    "grey": _grey,
    "mirrored": _mirror,
    "turned": lambda photo: photo.rotate(90, expand=True),
    "on a card": _on_card,
}
"""Edits of the demonstration, by name."""
