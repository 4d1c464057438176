"""What one can ask of a gallery: every verb, written once."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO

from lookalike.adding.add import ignore_progress
from lookalike.duplicates.keeper import DEFAULT_RULES
from lookalike.duplicates.records import ignore_stage
from lookalike.records.calibration import N_PICTURES
from lookalike.searching.way import AUTO

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from lookalike.acting.apply import ActProgressCallback, ApplyReport
    from lookalike.acting.history import AppliedRun
    from lookalike.acting.plan import Plan
    from lookalike.acting.undo import UndoReport
    from lookalike.adding.add import AddReport, ProgressCallback
    from lookalike.calibration.record import Ask, CalibrationReport
    from lookalike.comparing import Comparison
    from lookalike.duplicates.choices import Choice
    from lookalike.duplicates.records import DuplicatesReport, StageCallback
    from lookalike.queries.source import Box
    from lookalike.records.calibration import Promised
    from lookalike.records.failure import Failure, Remark
    from lookalike.records.info import GalleryInfo
    from lookalike.records.people import Rating
    from lookalike.records.places import Gone
    from lookalike.records.relation import Relation
    from lookalike.searching.searcher import Match
    from lookalike.settings import Settings
    from lookalike.storage.filters import Filter
    from lookalike.storage.records import FoundPicture


@dataclass(frozen=True)
class Page:
    """Some of the matches of a search: those after the first `offset`, and whether there are more."""

    matches: tuple[Match, ...]
    offset: int
    has_more: bool


class Gallery(ABC):
    """A set of pictures that one can add to and search. Open it with `Gallery.open`.

    It lies in a folder of this machine, or a server serves it. Several threads may use one object, and several
    processes one gallery, at the same time; from asyncio, call it by `asyncio.to_thread`.

    In the examples, `gallery` holds the four pictures of the folder ``Pictures``: lake.jpg, a smaller copy of it,
    hill.jpg and boat.png.

    Examples
    --------
    >>> with Gallery.open("my.gallery", create=True) as opened:
    ...     report = opened.add("Pictures")
    ...     match = opened.search("Pictures/lake.jpg", k=1)[0]
    >>> Path(match.picture.path).name
    'lake-small.jpg'
    """

    @staticmethod
    def open(
        place: str | os.PathLike[str],
        *,
        create: bool = False,
        settings: Settings | None = None,
        isolate: bool = False,
        token: str | None = None,
    ) -> Gallery:
        """Open the gallery in a folder, or one that is served; one that cannot be written can still be searched.

        Parameters
        ----------
        place : path
            The gallery's folder, or its ``file:`` URL, or the ``http:`` address of a server.
        create : bool
            Make an empty gallery where there is none.
        settings : Settings or None
            None takes the defaults and the environment.
        isolate : bool
            Decode what is asked with in a process of its own, under the limits of the settings: for servers, which
            must outlive any picture that they are sent.
        token : str or None
            Of the server; None takes ``LOOKALIKE_TOKEN`` of the environment, if it is set.

        Raises
        ------
        GalleryNotFoundError
            There is none, and `create` is false.
        StoreError
            It cannot be opened, is damaged, or was written by a newer version.

        Examples
        --------
        >>> with Gallery.open("my.gallery", create=True) as opened:
        ...     opened.add("Pictures").added
        4
        """
        opening = import_module(
            "lookalike.opening"
        )  # by name, for it stands above: it knows every kind of gallery
        opened: Gallery = opening.open_gallery(
            place, create=create, settings=settings, isolate=isolate, token=token
        )
        return opened

    @abstractmethod
    def close(self) -> None:
        """Close the gallery."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Asking

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
        on_stage: StageCallback = ignore_stage,
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
        on_stage : callable
            Called with a stage's name, how much of it is done, and its total.

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

    # Looking up

    @abstractmethod
    def info(self) -> GalleryInfo:
        """Return what the gallery holds and what it costs.

        Returns
        -------
        GalleryInfo

        Examples
        --------
        >>> gallery.info().formats
        {'jpeg': 3, 'png': 1}
        """

    @abstractmethod
    def folders(self) -> list[tuple[str, int]]:
        """Return the folders that the gallery's files lie in, gathered near the top, with how many in each.

        Returns
        -------
        list of (str, int)

        Examples
        --------
        >>> [(Path(folder).name, n_files) for folder, n_files in gallery.folders()]
        [('Pictures', 4)]
        """

    @abstractmethod
    def failures(self, *, offset: int = 0, limit: int = 100) -> tuple[list[Failure], int]:
        """Return some of the files that failed, by path, and how many there are.

        Parameters
        ----------
        offset, limit : int
            Leave out the first so many, and return so many at most.

        Returns
        -------
        list of Failure, int

        Examples
        --------
        >>> gallery.failures()
        ([], 0)
        """

    @abstractmethod
    def picture(self, content_id: int) -> list[FoundPicture]:
        """Return the files that have this content, oldest first.

        Parameters
        ----------
        content_id : int
            As a match of a search has it.

        Returns
        -------
        list of FoundPicture

        Raises
        ------
        QueryError
            There is no such id.

        Examples
        --------
        >>> match, *_ = gallery.search("Pictures/lake.jpg")
        >>> [Path(picture.path).name for picture in gallery.picture(match.picture.content_id)]
        ['lake-small.jpg']
        """

    @abstractmethod
    def pictures(
        self, *, offset: int = 0, limit: int = 100, folder: str | None = None
    ) -> tuple[list[FoundPicture], int]:
        """Return some of the gallery's files by id, and how many there are, maybe only those below a folder.

        Parameters
        ----------
        offset, limit : int
            Leave out the first so many, and return so many at most.
        folder : str or None
            Only files below it.

        Returns
        -------
        list of FoundPicture, int

        Examples
        --------
        >>> pictures, n_pictures = gallery.pictures(limit=2)
        >>> len(pictures), n_pictures
        (2, 4)
        """

    @abstractmethod
    def open_picture(self, content_id: int) -> tuple[BinaryIO, FoundPicture]:
        """Open the file of a picture for reading, after checking that it still has the bytes it was indexed with.

        Parameters
        ----------
        content_id : int
            As a match of a search has it.

        Returns
        -------
        binary file, FoundPicture

        Raises
        ------
        QueryError
            There is no such id.
        ReadError
            None of its files is there unchanged.

        Examples
        --------
        >>> file, picture = gallery.open_picture(1)
        >>> with file:
        ...     len(file.read()) == picture.size_bytes
        True
        """

    @abstractmethod
    def holds(self, path: str | os.PathLike[str]) -> bool:
        """Whether a file of this machine is one of the gallery's.

        Parameters
        ----------
        path : path

        Returns
        -------
        bool

        Examples
        --------
        >>> gallery.holds("Pictures/lake.jpg"), gallery.holds("Pictures/sea.jpg")
        (True, False)
        """

    # Changing what it holds

    @abstractmethod
    def add(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        only: str = "all",
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        hidden: bool = False,
        follow_symlinks: bool = False,
        retry_failed: bool = False,
        on_progress: ProgressCallback = ignore_progress,
    ) -> AddReport:
        """Add the pictures under some files and folders; what is unchanged since costs next to nothing.

        Parameters
        ----------
        paths : path or several
            Files and folders, see `lookalike.media.files.iter_files`; of a served gallery, on the server.
        only : str
            ``all`` features, or just the ``hashes`` (several times faster).
        include, exclude : sequence of str
            Globs of the files to take, and to leave out.
        hidden, follow_symlinks : bool
            Take hidden files and folders; follow symbolic links inside folders.
        retry_failed : bool
            Try unchanged files again that failed before.
        on_progress : callable
            Called with `Progress` now and then.

        Returns
        -------
        AddReport
            A picture that fails is a row in `failed`, never an exception.

        Examples
        --------
        >>> report = gallery.add("Pictures")
        >>> report.added, report.unchanged
        (0, 4)
        """

    @abstractmethod
    def remove(self, paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> int:
        """Forget files, and everything below folders; return how many. The pictures are not touched.

        Parameters
        ----------
        paths : path or several

        Returns
        -------
        int

        Examples
        --------
        >>> gallery.remove(["Pictures/boat.png"])
        1
        """

    @abstractmethod
    def add_again(
        self, *, retry_failed: bool = False, on_progress: ProgressCallback = ignore_progress
    ) -> AddReport:
        """Bring up to date the folders that were named to `add` before, each walked as it was named last.

        Parameters
        ----------
        retry_failed : bool
            As of `add`.
        on_progress : callable
            As of `add`.

        Returns
        -------
        AddReport

        Raises
        ------
        InputError
            No folder was ever named.

        Examples
        --------
        >>> gallery.add_again().unchanged
        4
        """

    @abstractmethod
    def find_gone(self) -> Gone:
        """Return the known files that are not there.

        Where a folder that was named, or a disk that files were found on, holds no known file any more, it is away
        as a whole: a disk that is not connected, perhaps. Its files are told apart from those that are gone one
        by one.

        Returns
        -------
        Gone

        Examples
        --------
        >>> Path("Pictures/boat.png").unlink()
        >>> [Path(path).name for path in gallery.find_gone().files]
        ['boat.png']
        """

    @abstractmethod
    def prune(self, *, with_away: bool = False) -> list[str]:
        """Forget the files that are gone one by one; return their paths.

        Parameters
        ----------
        with_away : bool
            Forget also the files of places that are away as a whole, see `find_gone`.

        Returns
        -------
        list of str
            By path.

        Examples
        --------
        >>> Path("Pictures/boat.png").unlink()
        >>> [Path(path).name for path in gallery.prune()]
        ['boat.png']
        """

    # What a person says

    @abstractmethod
    def mark(self, first: Any, second: Any, is_duplicate: bool | None) -> None:
        """Remember for ever that two pictures are duplicates, or are not; None forgets it.

        What is remembered is their content, so it holds wherever the files are moved.

        Parameters
        ----------
        first, second : path, bytes or ``id:N``
        is_duplicate : bool or None

        Raises
        ------
        InputError
            Both have the same bytes.
        PictureError
            One of them cannot be read.

        Examples
        --------
        >>> gallery.mark("Pictures/lake.jpg", "Pictures/lake-small.jpg", False)
        >>> gallery.duplicates().groups
        ()
        """

    @abstractmethod
    def rate(self, query: Any, content_id: int, is_liked: bool | None) -> None:
        """Remember whether a picture was what a person meant by a query; None forgets it.

        This is no verdict on duplicates: one may well like a picture that is no copy.

        Parameters
        ----------
        query : path, bytes or ``id:N``
        content_id : int
            Of the picture that answered.
        is_liked : bool or None

        Raises
        ------
        QueryError
            There is no such id.
        PictureError
            The query cannot be read.

        Examples
        --------
        >>> gallery.rate("Pictures/lake.jpg", 1, False)
        >>> gallery.rate("Pictures/lake.jpg", 1, None)
        """

    @abstractmethod
    def ratings(self) -> list[Rating]:
        """Return what people said of answers, see `rate`; for learning from it.

        Returns
        -------
        list of Rating

        Examples
        --------
        >>> gallery.rate("Pictures/lake.jpg", 1, True)
        >>> [rating.is_liked for rating in gallery.ratings()]
        [True]
        """

    # Duplicates

    @abstractmethod
    def duplicates(
        self,
        *,
        relation: Relation = "copy",
        against: str | os.PathLike[str] | None = None,
        protect: Sequence[str | os.PathLike[str]] = (),
        prefer: Sequence[str | os.PathLike[str]] = (),
        rules: Sequence[str] = DEFAULT_RULES,
        precision: float | None = None,
        on_stage: StageCallback = ignore_stage,
    ) -> DuplicatesReport:
        """Find the files that are the same picture, each proven against the one to keep.

        Parameters
        ----------
        relation : Relation
            Report this relation or closer on the ladder.
        against : folder or None
            Only groups that join a file below this folder with files elsewhere.
        protect : sequence of folders
            Whose files are never proposed to go.
        prefer : sequence of folders
            Whose files are kept before others, those of the first folder first.
        rules : sequence of str
            How to choose the keeper, in order; see `lookalike.duplicates.keeper.RULES`.
        precision : float or None
            Only copies whose proof is sure enough for it, see `promise`.
        on_stage : callable
            Called with a stage's name, how much of it is done, and its total.

        Returns
        -------
        DuplicatesReport
            Records; `write_plan` plans what to do with them.

        Examples
        --------
        >>> report = gallery.duplicates()
        >>> [(Path(group.keeper.path).name, len(group.members)) for group in report.groups]
        [('lake.jpg', 1)]
        """

    @abstractmethod
    def check_plan(
        self,
        path: str | os.PathLike[str],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
    ) -> None:
        """Make sure, before a long search, that `write_plan` can make such a plan and write it there.

        Parameters
        ----------
        path : path
            Of the file that is to be written.
        act, quarantine : str, folder or None
            As of `write_plan`.

        Raises
        ------
        InputError
            As `write_plan` would, or the file cannot be written.

        Examples
        --------
        >>> gallery.check_plan("plan.json", act="trash")
        """

    @abstractmethod
    def write_plan(
        self,
        report: DuplicatesReport,
        path: str | os.PathLike[str],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
    ) -> Plan:
        """Write what would be done with the members that may go, as a file to read, edit and apply.

        Links can only stand in for files of equal bytes, and only such files may be deleted; other members are
        left out of a plan that does so.

        Parameters
        ----------
        report : DuplicatesReport
        path : path
            Of the file to write.
        act : str
            What to do, one of `lookalike.acting.plan.ACTS`.
        quarantine : folder or None
            Where the act ``quarantine`` moves files to.

        Returns
        -------
        Plan

        Raises
        ------
        InputError
            An unknown act, or a quarantine without its folder.

        Examples
        --------
        >>> plan = gallery.write_plan(gallery.duplicates(), "plan.json", act="quarantine", quarantine="away")
        >>> [(act.act, Path(act.path).name) for act in plan.acts]
        [('quarantine', 'lake-small.jpg')]
        """

    @abstractmethod
    def plan_choices(
        self,
        choices: Sequence[Choice],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
        protect: Sequence[str] = (),
    ) -> tuple[Plan, list[Remark]]:
        """Plan what a person has chosen, group by group; return what is left out, too, with the reason.

        Every file is proven against the chosen keeper again, and no plan takes a last copy.

        Parameters
        ----------
        choices : sequence of Choice
        act, quarantine : str, folder or None
            As of `write_plan`.
        protect : sequence of folders
            Whose files are not planned to go.

        Returns
        -------
        Plan, list of Remark

        Raises
        ------
        InputError
            An unknown act, a quarantine without its folder, or a file that is named twice.

        Examples
        --------
        >>> from lookalike.duplicates.choices import Choice
        >>> (group,) = gallery.duplicates().groups
        >>> chosen = Choice(group.keeper.content_id, (group.members[0].picture.path,))
        >>> plan, left_out = gallery.plan_choices([chosen], act="trash")
        >>> len(plan.acts), left_out
        (1, [])
        """

    @abstractmethod
    def apply(
        self,
        plan: Plan,
        *,
        allow_delete: bool = False,
        allow_trash_without_undo: bool = False,
        on_progress: ActProgressCallback | None = None,
    ) -> ApplyReport:
        """Do what a plan says, and forget the files that it put away, so that no search lists them.

        Parameters
        ----------
        plan : Plan
        allow_delete, allow_trash_without_undo : bool
            Allow what `undo` cannot take back, or not in every case.
        on_progress : callable or None
            Called with `ActProgress` now and then.

        Returns
        -------
        ApplyReport

        Examples
        --------
        >>> plan = gallery.write_plan(gallery.duplicates(), "plan.json", act="quarantine", quarantine="away")
        >>> gallery.apply(plan).done == [str(Path("Pictures/lake-small.jpg").absolute())]
        True
        """

    @abstractmethod
    def runs(self, *, offset: int = 0, limit: int | None = None) -> tuple[list[AppliedRun], int]:
        """Return what was applied here, the last run first, and how many runs there are.

        It is read while another process applies or undoes, too; `undo` takes the number of a run.

        Parameters
        ----------
        offset : int
            Leave out so many of the last runs.
        limit : int or None
            How many at most; None returns all.

        Returns
        -------
        list of AppliedRun, int
        """

    @abstractmethod
    def undo(
        self,
        *,
        run: int | None = None,
        on_progress: ActProgressCallback | None = None,
        on_added: ProgressCallback = ignore_progress,
    ) -> UndoReport:
        """Undo a run of `apply`, and add the files that came back to the gallery again.

        Where nothing was ever applied there is nothing to undo. What comes back but cannot be added is told in the
        report's `remarks`.

        Parameters
        ----------
        run : int or None
            Its number; None takes the last that was not undone.
        on_progress : callable or None
            Called with `ActProgress` now and then.
        on_added : callable
            Called with `Progress` while what came back is added.

        Returns
        -------
        UndoReport

        Examples
        --------
        >>> plan = gallery.write_plan(gallery.duplicates(), "plan.json", act="quarantine", quarantine="away")
        >>> done = gallery.apply(plan)
        >>> gallery.undo().restored == done.done
        True
        """
