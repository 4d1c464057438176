"""What finds duplicates, plans which may go, does it, and undoes it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lookalike.duplicates.keeper import DEFAULT_RULES
from lookalike.records.progress import ignore_progress

if TYPE_CHECKING:
    from lookalike.acting.apply import ApplyReport
    from lookalike.acting.history import AppliedRun
    from lookalike.acting.plan import Plan
    from lookalike.acting.undo import UndoReport
    from lookalike.duplicates.choices import Choice
    from lookalike.duplicates.records import DuplicatesReport
    from lookalike.records.failure import Remark
    from lookalike.records.progress import ProgressCallback
    from lookalike.records.relation import Relation


class Tidying(ABC):
    """The verbs that find and act on duplicates."""

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
        on_progress: ProgressCallback = ignore_progress,
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
        on_progress : callable
            Called with `Progress` now and then.

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
        carry_metadata: bool = False,
        on_progress: ProgressCallback = ignore_progress,
    ) -> ApplyReport:
        """Do what a plan says, and forget the files that it put away, so that no search lists them.

        Parameters
        ----------
        plan : Plan
        allow_delete, allow_trash_without_undo : bool
            Allow what `undo` cannot take back, or not in every case.
        carry_metadata : bool
            Bring over to a keeper what only a file that goes says: date, place, caption and the like.
        on_progress : callable
            Called with `Progress` now and then.

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

        Examples
        --------
        >>> plan = gallery.write_plan(gallery.duplicates(), "plan.json", act="quarantine", quarantine="away")
        >>> done = gallery.apply(plan)
        >>> [(run.run, run.n_files) for run in gallery.runs()[0]]
        [(1, 1)]
        """

    @abstractmethod
    def undo(
        self,
        *,
        run: int | None = None,
        on_progress: ProgressCallback = ignore_progress,
    ) -> UndoReport:
        """Undo a run of `apply`, and add the files that came back to the gallery again.

        Where nothing was ever applied there is nothing to undo. What comes back but cannot be added is told in the
        report's `remarks`.

        Parameters
        ----------
        run : int or None
            Its number; None takes the last that was not undone.
        on_progress : callable
            Called with `Progress` now and then, also while what came back is added.

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
