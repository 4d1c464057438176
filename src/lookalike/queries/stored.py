"""A picture of the gallery whose files are not at hand as a query: it is asked with what was kept of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from lookalike.errors import InputError
from lookalike.storage.records import FoundPicture

if TYPE_CHECKING:
    from lookalike.features.keypoints import Keypoints
    from lookalike.queries.reader import PictureReader


@dataclass(frozen=True, eq=False)
class StoredQuery:
    """The kept features of a picture, as on a disk that is in a drawer; see `lookalike.queries.query.Query`.

    Nothing is known of how it would look turned, so it is asked as it lies.

    Parameters
    ----------
    picture : FoundPicture
        What the gallery remembers.
    take : callable
        Called with the name of a feature; gives its row, shape (1, d), or None where it was not kept.
    load_keypoints : callable
        Gives the local features that were kept; raises PictureError where none were.
    reader : PictureReader
        Decodes what it is proven against.
    """

    picture: FoundPicture
    take: Callable[[str], NDArray[Any] | None]
    load_keypoints: Callable[[], Keypoints]
    reader: PictureReader

    camera = None
    box = None
    parts = ()
    n_orientations = 1
    left_out: frozenset[int] = frozenset()
    is_refined = False

    @property
    def path(self) -> str:
        """Where it was last."""
        return self.picture.path

    @property
    def digest(self) -> bytes:
        """See `Query.digest`."""
        return self.picture.digest

    @property
    def size_px(self) -> tuple[int, int]:
        """See `Query.size_px`."""
        return self.picture.width_px, self.picture.height_px

    @property
    def source(self) -> None:
        """None: there is no file to look into now."""
        return None

    @property
    def keypoints(self) -> Keypoints:
        """See `Query.keypoints`; raises PictureError where none were kept."""
        return self.load_keypoints()

    def has(self, feature: str) -> bool:
        """See `Query.has`."""
        return self.take(feature) is not None

    def row(self, feature: str, orientation: int = 0) -> NDArray[Any]:  # noqa: ARG002  (there is one orientation)
        """See `Query.row`."""
        row = self.take(feature)
        if row is None:
            raise InputError(
                f"'id:{self.picture.content_id}' has no {feature}, and its file {self.path!r} is not there to "
                "compute it: search --by another way, or bring the file back."
            )
        return row
