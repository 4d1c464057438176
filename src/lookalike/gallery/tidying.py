"""Find the duplicates of a local gallery, plan which may go, do it, and undo it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lookalike.acting.apply import ApplyReport, apply_plan
from lookalike.acting.checks import find_conflicts
from lookalike.acting.files import RefusedError
from lookalike.acting.history import AppliedRun, load_history
from lookalike.acting.plan import Plan, Removal, check_act, save_plan
from lookalike.acting.undo import UndoReport, undo
from lookalike.duplicates.choices import Choice, prove_choices
from lookalike.duplicates.find import find_duplicates
from lookalike.duplicates.records import DuplicatesReport, Question
from lookalike.errors import InputError, LookalikeError, PictureError
from lookalike.gallery.asking import Asking
from lookalike.gallery.changing import Changing
from lookalike.gallery.opened import Opened
from lookalike.gallery.places import WhereFilesAre
from lookalike.gallery.planning import plan_of_removals, plan_of_report, removals_of
from lookalike.media.carrying import carry_over
from lookalike.media.files import absolute_path, is_own_file
from lookalike.media.folders import is_in
from lookalike.records.calibration import PROOF
from lookalike.records.failure import Remark
from lookalike.records.progress import ProgressCallback
from lookalike.records.relation import Relation


class Tidying:
    """What finds and acts on the duplicates of an open gallery."""

    def __init__(self, opened: Opened, asking: Asking, changing: Changing) -> None:
        self._opened = opened
        self._asking = asking
        self._changing = changing

    @property
    def journal_folder(self) -> Path:
        """Where what was done to files is written down."""
        return self._opened.store.folder / "journal"

    def duplicates(
        self,
        *,
        relation: Relation,
        against: str | os.PathLike[str] | None,
        protect: Sequence[str | os.PathLike[str]],
        prefer: Sequence[str | os.PathLike[str]],
        rules: Sequence[str],
        precision: float | None,
        on_progress: ProgressCallback,
    ) -> DuplicatesReport:
        """Find the files that are the same picture."""
        opened, away = self._opened, WhereFilesAre(self._opened).away()
        for folder in (*protect, *prefer, *([] if against is None else [against])):
            if not os.path.isdir(folder) and not is_in(absolute_path(folder), away):
                raise InputError(
                    f"there is no folder {os.fspath(folder)!r}: check its name; nothing was done."
                )
        question = Question(
            relation,
            None if against is None else absolute_path(against),
            tuple(absolute_path(folder) for folder in protect),
            tuple(rules),
            0.0 if precision is None else self._asking.promise(PROOF, precision).promise.least,
            tuple(absolute_path(folder) for folder in prefer),
        )
        return find_duplicates(
            opened.store,
            opened.settings,
            question,
            opened.searcher.look_up(),
            places_away=away,
            on_progress=on_progress,
        )

    def write_plan(
        self,
        report: DuplicatesReport,
        path: str | os.PathLike[str],
        *,
        act: str,
        quarantine: str | os.PathLike[str] | None,
    ) -> Plan:
        """Write what would be done with the members that may go."""
        gallery = str(self._opened.store.folder)
        plan = plan_of_report(report, act=act, quarantine=quarantine, gallery=gallery)
        save_plan(plan, Path(path))
        return plan

    def plan_choices(
        self,
        choices: Sequence[Choice],
        *,
        act: str,
        quarantine: str | os.PathLike[str] | None,
        protect: Sequence[str],
    ) -> tuple[Plan, list[Remark]]:
        """Plan what a person has chosen; return what is left out, too."""
        check_act(act, quarantine)
        going, refused = prove_choices(
            self._opened.store, self._opened.settings, choices, act=act, protect=protect
        )
        removals = removals_of((keeper, member, "chosen by a person") for keeper, member in going)
        left_out = [Remark(path, reason) for path, reason in refused]
        conflicts = find_conflicts(self._make_plan(removals, act, quarantine).acts)
        left_out += [Remark(removals[number].path, why) for number, why in conflicts.items()]
        kept = [removal for number, removal in enumerate(removals) if number not in conflicts]
        return self._make_plan(kept, act, quarantine), left_out

    def _make_plan(
        self, removals: Sequence[Removal], act: str, quarantine: str | os.PathLike[str] | None
    ) -> Plan:
        gallery = str(self._opened.store.folder)
        return plan_of_removals(removals, act=act, quarantine=quarantine, gallery=gallery)

    def apply(
        self,
        plan: Plan,
        *,
        allow_delete: bool,
        allow_trash_without_undo: bool,
        carry_metadata: bool,
        on_progress: ProgressCallback,
    ) -> ApplyReport:
        """Do what a plan says, and forget the files that it put away."""
        report = apply_plan(
            plan,
            self.journal_folder,
            allow_delete=allow_delete,
            allow_trash_without_undo=allow_trash_without_undo,
            write_over=self._write_over if carry_metadata else None,
            on_progress=on_progress,
        )
        try:
            self._opened.store.files.remove(path for path in report.done if not is_own_file(path))
        except LookalikeError as error:  # what was done to files is told, whatever else fails
            reason = f"the gallery still lists what was put away (`prune` forgets it): {error}"
            report.remarks.append(Remark(str(self._opened.store.folder), reason))
        if report.carried:
            self._add_carried(report)
        return report

    def _add_carried(self, report: ApplyReport) -> None:
        """Add the keepers that say more now; tell in the report which could not be added."""
        only = "all" if self._opened.has_embeddings else "hashes"
        try:
            failures = [
                (one.path, one.reason) for one in self._changing.add(report.carried, only=only).failed
            ]
        except LookalikeError as error:
            failures = [(path, str(error)) for path in report.carried]
        report.remarks += [Remark(path, f"the gallery knows it as it was: {why}") for path, why in failures]

    def _write_over(self, keeper: bytes, other: bytes) -> bytes:
        try:
            return carry_over(keeper, other, self._opened.settings)
        except PictureError as error:
            raise RefusedError(f"what it says cannot be brought over to its keeper: {error}") from error

    def runs(self, *, offset: int, limit: int | None) -> tuple[list[AppliedRun], int]:
        """Return what was applied, the last run first, and how many runs there are."""
        return load_history(self.journal_folder, offset=offset, limit=limit)

    def undo(self, *, run: int | None, on_progress: ProgressCallback) -> UndoReport:
        """Undo a run of `apply`, and add the files that came back."""
        if run is None and not self.journal_folder.is_dir():
            return UndoReport()
        report = undo(self.journal_folder, run=run, on_progress=on_progress)
        if report.restored:
            self._add_again(report, on_progress)
        return report

    def _add_again(self, report: UndoReport, on_progress: ProgressCallback) -> None:
        """Add files that came back; tell in the report which could not be added, with the reason."""
        only = "all" if self._opened.has_embeddings else "hashes"
        try:
            added = self._changing.add(report.restored, only=only, on_progress=on_progress)
            failures = [(failure.path, failure.reason) for failure in added.failed]
            report.interrupted = report.interrupted or added.interrupted
        except LookalikeError as error:
            failures = [(path, str(error)) for path in report.restored]
        report.remarks += [
            Remark(path, f"it is back, but not in the gallery: {why}") for path, why in failures
        ]
