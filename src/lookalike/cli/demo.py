"""The demonstration: pictures that are in the installation already, edited, indexed and searched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.answers.duplicates import DuplicatesAnswer
from lookalike.answers.jobs import with_short_seconds
from lookalike.answers.search import Answer, SearchAnswer
from lookalike.cli import bars, show
from lookalike.extras import require_extra
from lookalike.opening import open_gallery
from lookalike.records.codec import to_document
from lookalike.report.figures import figure_bytes, search_figure
from lookalike.report.pages import duplicates_html, search_html
from lookalike.report.writing import write_output
from lookalike.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.adding.add import AddReport
    from lookalike.duplicates.records import DuplicatesReport

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


@dataclass(frozen=True)
class Demonstration:
    """What was made, asked and answered."""

    folder: Path
    query: Path
    added: AddReport
    answer: Answer
    copies: DuplicatesReport

    @property
    def reports(self) -> tuple[Path, Path, Path]:
        """The files that show it: the page of the search, its figure, and the page of the duplicates."""
        return self.folder / "result.html", self.folder / "result.png", self.folder / "duplicates.html"


def run(folder: Path, settings: Settings) -> Demonstration:
    """Make the pictures, the gallery, the query, the pages and the figure in `folder`.

    Raises
    ------
    MissingExtraError    the photos or matplotlib are not installed
    """
    require_extra("demo", "the demonstration")
    pictures = folder / "pictures"
    make_pictures(pictures)
    query = make_query(folder / "query.webp")
    with open_gallery(folder / "gallery", create=True, settings=settings) as gallery:
        with bars.adding() as on_progress:
            added = gallery.add(pictures, on_progress=on_progress)
        answer = Answer(str(query), gallery.search(query, k=9, verify=True))
        shown = Demonstration(folder, query, added, answer, gallery.duplicates())
    page, figure, copies = shown.reports
    write_output(page, search_html([answer], [str(query)], settings).encode())
    write_output(figure, figure_bytes(search_figure(answer, str(query), settings), "png"))
    write_output(copies, duplicates_html(shown.copies, settings).encode())
    return shown


def tell(shown: Demonstration) -> None:
    """Print what was made and found."""
    pictures, n_pictures = shown.folder / "pictures", shown.added.seen
    print(
        f"Made {n_pictures} pictures in {pictures} and, as the query, a piece of one of them: {shown.query}\n"
    )
    show.add_report(shown.added)
    show.answer(shown.answer)
    print()
    show.duplicates(shown.copies)
    page, figure, copies = shown.reports
    print(f"\nThe same with pictures: {page}, {figure} and {copies}")


def demo_document(shown: Demonstration) -> dict[str, Any]:
    """Return what `demo --json` prints."""
    return {
        "index": to_document(with_short_seconds(shown.added)),
        "search": to_document(SearchAnswer.of(shown.answer)),
        "duplicates": to_document(DuplicatesAnswer.of(shown.copies)),
        "reports": [str(path) for path in shown.reports],
    }


def make_pictures(folder: Path) -> None:
    """Write the photos, and edits of some of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PHOTOS:
        photo = load_photo(name)
        photo.save(folder / f"{name}.jpg", quality=92)
        if name in ("astronaut", "cat", "coffee", "rocket"):
            for edit, change in EDITS.items():
                change(photo).save(folder / f"{name}, {edit}.jpg", quality=80)


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
