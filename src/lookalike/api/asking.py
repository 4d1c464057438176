"""What one can ask a gallery about a picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.records.calibration import N_PICTURES
from lookalike.records.progress import ignore_progress
from lookalike.searching.way import AUTO

if TYPE_CHECKING:
    from lookalike.calibration.record import Ask, CalibrationReport
    from lookalike.comparing import Comparison
    from lookalike.queries.source import Box
    from lookalike.records.calibration import Promised
    from lookalike.records.progress import ProgressCallback
    from lookalike.searching.searcher import Match
    from lookalike.storage.filters import Filter


@dataclass(frozen=True)
class Page:
    """Some of the matches of a search: those after the first `offset`, and whether there are more."""

    matches: tuple[Match, ...]
    offset: int
    has_more: bool


class Asking(ABC):
    """The verbs that ask about a picture."""

    @abstractmethod
    def search(
        self,
        query: Any,
        *,
        k: int = 10,
        by: str = AUTO,
        min_score: float | None = None,
        max_distance: float | None = None,
        where: Filter | None = None,
        verify: bool = False,
        box: Box | None = None,
        liked: Sequence[int] = (),
        disliked: Sequence[int] = (),
        precision: float | None = None,
    ) -> list[Match]:
        """Return the pictures that look most like the query, best first.

        Parameters
        ----------
        query : path, bytes, PIL image, uint8 array or str
            The text may be a ``file:`` URL, ``-`` (standard input) or ``id:N``.
        k : int
            How many matches at most.
        by : str
            A way of searching, see `lookalike.searching.ways.ways`.
        min_score : float or None
            Leave out matches below this score.
        max_distance : float or None
            Leave out matches beyond this distance, in the way's own unit.
        where : Filter or None
            Which pictures may answer.
        verify : bool
            Prove the matches with local features, and rank the proven first.
        box : Box or None
            Ask with this part of the picture only.
        liked, disliked : sequence of int
            Ids of earlier answers: the query moves towards the ones, and away from the others, which are left out.
        precision : float or None
            Only copies of the query, so that of all that is returned this share is right (see `promise`); with
            `verify` it is the proof that decides.

        Returns
        -------
        list of Match

        Raises
        ------
        PictureError
            The query cannot be read or decoded.
        InputError
            A way, id or number that makes no sense, or a gallery without the feature.
        FeatureMismatchError
            The gallery's features were made by another recipe.

        Examples
        --------
        >>> match, *_ = gallery.search("Pictures/lake.jpg", verify=True)
        >>> Path(match.picture.path).name, match.relation
        ('lake-small.jpg', 'copy')
        """

    @abstractmethod
    def promise(self, by: str = AUTO, precision: float = 0.99) -> Promised:
        """Return what a precision is worth here: the threshold, the recall to expect, and how sure both are.

        Parameters
        ----------
        by : str
            A way of searching, or ``duplicates`` for the proof of duplicates.
        precision : float
            Share of copies among what is returned, 0.95 to 0.999; the next stricter of 0.95, 0.99 and 0.999
            is taken.

        Returns
        -------
        Promised

        Raises
        ------
        InputError
            The way is not calibrated for what this gallery holds, or the precision makes no sense.

        Examples
        --------
        >>> promised = gallery.promise("auto", 0.99)
        >>> promised.origin, promised.promise.precision
        ('shipped', 0.99)
        """

    @abstractmethod
    def calibrate(
        self,
        *,
        n_pictures: int = N_PICTURES,
        seed: int = 0,
        ask: Ask | None = None,
        on_progress: ProgressCallback = ignore_progress,
    ) -> CalibrationReport:
        """Learn from this gallery's own pictures what scores are worth, and keep it with the gallery.

        Parameters
        ----------
        n_pictures : int
            How many pictures to make edited copies of.
        seed : int
            Of the choice of pictures and of the edits.
        ask : callable or None
            Called with a `Doubt`: two different pictures that score like copies; returns whether they are
            duplicates, None where nobody knows. Answers are kept as verdicts.
        on_progress : callable
            Called with `Progress` now and then.

        Returns
        -------
        CalibrationReport

        Raises
        ------
        InputError
            Too few pictures.

        Examples
        --------
        >>> gallery.calibrate(n_pictures=100)
        Traceback (most recent call last):
            ...
        lookalike.errors.InputError: ...
        """

    @abstractmethod
    def compare(self, first: Any, second: Any) -> Comparison:
        """Compare two pictures, which may be ``id:N``, by every measure; see `lookalike.compare`.

        Parameters
        ----------
        first, second : path, bytes, PIL image, uint8 array or str
            As the query of a `search`.

        Returns
        -------
        Comparison

        Raises
        ------
        PictureError
            One of them cannot be read or decoded.

        Examples
        --------
        >>> gallery.compare("Pictures/lake.jpg", "Pictures/lake-small.jpg").relation
        'copy'
        """

    @abstractmethod
    def show(self, query: Any, longer_side_px: int) -> bytes:
        """Return a picture as an upright JPEG, at most so large.

        Parameters
        ----------
        query : path, bytes, PIL image, uint8 array or str
            As that of a `search`.
        longer_side_px : int
            Of the JPEG; a smaller picture stays as it is.

        Returns
        -------
        bytes

        Raises
        ------
        PictureError
            It cannot be read or decoded.

        Examples
        --------
        >>> gallery.show("id:1", 256)[:3] == JPEG_BEGINS
        True
        """
