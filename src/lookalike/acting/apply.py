"""Do what a plan says: every file checked again, every act in the journal, nothing ever lost."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from lookalike.acting.acts import perform
from lookalike.acting.carry import Carry, WriteOver, carry_out, prepare, take_back
from lookalike.acting.checks import Permissions, check_files
from lookalike.acting.files import (
    FileState,
    RefusedError,
    explain,
    has_digest,
    read_metadata,
    read_state,
    real_place,
    reason_of,
)
from lookalike.acting.journal import Entry, Intent, Journal, RunWriter
from lookalike.acting.plan import Plan, PlannedAct
from lookalike.acting.restore import has_traces, put_back
from lookalike.acting.trash import CAN_BE_FOUND_AGAIN
from lookalike.media.files import QUARANTINE_SUFFIX
from lookalike.records.failure import Remark
from lookalike.records.progress import Progress, ProgressCallback, ignore_progress


@dataclass
class ApplyReport:
    """What a run did.

    Parameters
    ----------
    run : int or None       its number, for `undo`; None where nothing was done
    done : list of str      paths that were acted on, in order
    skipped : list of Remark    paths that were not, and why; they are as they were, unless a remark says otherwise
    remarks : list of Remark    what else to know: an earlier act that was put back, one that undo cannot find
    seconds : float
    interrupted : bool      stopped by Ctrl-C; the acts after it were not begun
    n_deleted : int         how many of the done were deleted; `undo` copies them from their keepers
    n_beyond_undo : int     how many of the done are in a trash where `undo` cannot find them
    bytes_saved : int       sizes of the files done that had no other hard link; the trash and the quarantine
                            hold theirs until they are emptied
    carried : list of str   keepers to which something was brought over; `undo` gives them their own bytes back
    """

    run: int | None = None
    done: list[str] = field(default_factory=list)
    skipped: list[Remark] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False
    n_deleted: int = 0
    n_beyond_undo: int = 0
    bytes_saved: int = 0
    carried: list[str] = field(default_factory=list)


def apply_plan(
    plan: Plan,
    journal_folder: str | os.PathLike[str],
    *,
    allow_delete: bool = False,
    allow_trash_without_undo: bool = False,
    write_over: WriteOver | None = None,
    on_progress: ProgressCallback = ignore_progress,
) -> ApplyReport:
    """Do the acts of a plan, in order.

    Before each act the file and its keeper are read again and compared with the plan. What cannot be done
    safely is skipped, with a reason. Acts that an earlier run was killed in are put back first.

    Parameters
    ----------
    plan : Plan
    journal_folder : path    the journal, beside the gallery; made where it is missing
    allow_delete : bool      the second word without which no ``delete`` is done
    allow_trash_without_undo : bool    also use a trash that `undo` cannot look into (Windows, macOS)
    write_over : callable or None    the second word without which nothing is brought over to a keeper: gives the
                             keeper's new bytes from its own and those of the file that goes
    on_progress : callable   called after each act with `Progress`

    Returns
    -------
    ApplyReport    a file that cannot be acted on is a row in `skipped`, never an exception

    Raises
    ------
    StoreError    the journal cannot be written or is in use; nothing was done
    """
    started = time.monotonic()
    with Journal(journal_folder, create=True) as journal:
        applying = _Applying(plan, journal, allow_delete, allow_trash_without_undo, write_over)
        try:
            applying.settle()
            applying.do_all(on_progress)
        except KeyboardInterrupt:
            applying.report.interrupted = True
        finally:
            applying.close()
    applying.report.seconds = time.monotonic() - started
    return applying.report


class _Done(NamedTuple):
    """An act that was done, where its file is now, and whether the file had no other name."""

    intent: Intent
    place: str | None
    is_only_name: bool


def _units(acts: Sequence[PlannedAct]) -> list[list[int]]:
    """Return the numbers of the acts in order, each with those of the files that belong to its own."""
    numbers = {act.path: number for number, act in enumerate(acts) if not act.belongs_to}
    units = {number: [number] for number, act in enumerate(acts) if act.belongs_to not in numbers}
    for number, act in enumerate(acts):
        if act.belongs_to in numbers:
            units.setdefault(numbers[act.belongs_to], [numbers[act.belongs_to]]).append(number)
    return list(units.values())


class _Applying:
    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        allow_delete: bool,
        allow_trash_without_undo: bool,
        write_over: WriteOver | None,
    ) -> None:
        self.report = ApplyReport()
        self._plan = plan
        self._journal = journal
        self._runs = journal.load_runs()
        self._permissions = Permissions(
            plan.acts,
            self._runs,
            allow_delete=allow_delete,
            allow_trash=CAN_BE_FOUND_AGAIN or allow_trash_without_undo,
            allow_carry=write_over is not None,
        )
        self._writer: RunWriter | None = None
        self._write_over = write_over
        self._carried: dict[str, str] = {}  # digests of the keepers to which something was brought over
        self._run_folder: str | None = None

    def settle(self) -> None:
        """Put back the files that a kill left under names that only the journal knows."""
        for run in self._runs:
            cut_short = [entry for entry in run.open_entries if entry.is_cut_short and has_traces(entry)]
            carries = [carry for carry in run.open_carries if carry.is_cut_short]
            if not cut_short and not carries:
                continue
            with self._journal.resume_run(run) as writer:
                for carry in carries:
                    self._settle_carry(carry, writer)
                for entry in cut_short:
                    self._settle(entry, writer)

    def _settle(self, entry: Entry, writer: RunWriter) -> None:
        path = entry.intent.planned.path
        try:
            put_back(entry)
            writer.note("undone", entry.intent.number)
        except (OSError, RefusedError) as error:
            reason = f"an earlier act on it was cut short and cannot be put back yet: {reason_of(error)}"
        else:
            reason = "an earlier act on it was cut short; it was put back"
        self.report.remarks.append(Remark(path, reason))

    def _settle_carry(self, carry: Carry, writer: RunWriter) -> None:
        try:
            take_back(carry)
            writer.write({"event": "carry undone", "token": carry.token})
        except (OSError, RefusedError) as error:
            reason = (
                f"what was brought over to it was cut short and cannot be taken back yet: {reason_of(error)}"
            )
        else:
            reason = "what was brought over to it was cut short; it is as it was"
        self.report.remarks.append(Remark(carry.path, reason))

    def do_all(self, on_progress: ProgressCallback) -> None:
        """Do one act after the other."""
        n_done = 0
        for numbers in _units(self._plan.acts):
            try:
                self._do_together(numbers)
            except (OSError, RefusedError) as error:
                reason = reason_of(error)
                self.report.skipped += [Remark(self._plan.acts[number].path, reason) for number in numbers]
            for _ in numbers:
                n_done += 1
                on_progress(Progress("apply", n_done, len(self._plan.acts), len(self.report.skipped)))

    def _do_together(self, numbers: Sequence[int]) -> None:
        """Do acts on files that belong together: all of them, or none."""
        for number in numbers[1:]:
            self._permissions.check(number, self._plan.acts[number])
            self._check_files(self._plan.acts[number])
        done: list[_Done] = []
        try:
            done += [self._do(number, self._plan.acts[number]) for number in numbers[:1]]
            for number in numbers[1:]:
                done.append(self._do(number, self._plan.acts[number]))
        except BaseException as error:
            for one in reversed(done):
                self._take_back_done(one, error)
            raise
        for one in done:
            self._count(one)

    def _take_back_done(self, done: _Done, cause: BaseException) -> None:
        """Put a file back that was acted on, because one that belongs to it could not be."""
        intent = done.intent
        try:
            put_back(Entry(intent, "done", was_done=True, found_at=done.place))
        except (OSError, RefusedError) as error:
            reason = (
                f"what belongs to it stays ({reason_of(cause)}), and it is not back yet: {reason_of(error)}"
            )
            self.report.remarks.append(Remark(intent.planned.path, reason))
            return
        with suppress(OSError):
            self._open_writer().note("undone", intent.number)

    def _count(self, done: _Done) -> None:
        planned = done.intent.planned
        self.report.done.append(planned.path)
        self.report.n_deleted += planned.act == "delete"
        if done.is_only_name:
            self.report.bytes_saved += planned.size_bytes

    def _do(self, number: int, planned: PlannedAct) -> _Done:
        self._permissions.check(number, planned)
        file, keeper = self._check_files(planned)
        if planned.carry:
            keeper = self._carry(planned, keeper)
        intent = self._prepare(number, planned, file, keeper)
        writer = self._open_writer()
        writer.intend(intent)
        try:
            place = perform(intent, file, keeper)
            self._note_done(intent, place)
        except BaseException as error:
            self._take_back(intent, error)
            raise
        return _Done(intent, place, file.status.st_nlink == 1)

    def _check_files(self, planned: PlannedAct) -> tuple[FileState, FileState]:
        known = self._carried.get(real_place(planned.keeper), planned.keeper_digest)
        return check_files(planned, known)

    def _carry(self, planned: PlannedAct, keeper: FileState) -> FileState:
        """Bring over to the keeper what the file says, and return the keeper as it is then."""
        write_over, path = self._write_over, planned.keeper
        if write_over is None:
            raise RefusedError("nothing may be brought over")
        with open(path, "rb") as own, open(planned.path, "rb") as other:
            new = write_over(own.read(), other.read())
        carry = prepare(path, keeper, new, self._journal.folder, secrets.token_hex(8))
        writer = self._open_writer()
        try:
            writer.intend_carry(carry)
            carry_out(carry, keeper, new)
        except BaseException:
            if has_digest(path, carry.before):
                with suppress(OSError):
                    writer.write({"event": "carry undone", "token": carry.token})
            raise
        writer.write({"event": "carried", "token": carry.token})
        self._carried[real_place(path)] = carry.after
        if path not in self.report.carried:
            self.report.carried.append(path)
        return read_state(path)

    def _prepare(self, number: int, planned: PlannedAct, file: FileState, keeper: FileState) -> Intent:
        return Intent(
            number=number,
            planned=planned,
            metadata=read_metadata(planned.path, file.status),
            inode=file.status.st_ino,
            keeper_inode=keeper.status.st_ino,
            token=secrets.token_hex(8),
            run_folder=self._make_run_folder() if planned.act == "quarantine" else None,
        )

    def _make_run_folder(self) -> str:
        """Make a folder in quarantine that only this run writes to, so that no name can be taken there."""
        if self._run_folder is None:
            moment = datetime.now(UTC).strftime("%Y-%m-%d-%H%M%S")
            quarantine = str(self._plan.quarantine)
            name = f"{moment}-{secrets.token_hex(4)}{QUARANTINE_SUFFIX}"  # which `index` leaves out
            folder = os.path.join(quarantine, name)
            try:
                os.makedirs(quarantine, exist_ok=True)
                os.mkdir(folder, mode=0o700)
            except OSError as error:
                raise RefusedError(f"the quarantine {quarantine} cannot be used: {explain(error)}") from error
            self._run_folder = folder
        return self._run_folder

    def _open_writer(self) -> RunWriter:
        if self._writer is None:
            self._writer = self._journal.start_run()
            self.report.run = self._writer.number
        return self._writer

    def _note_done(self, intent: Intent, place: str | None) -> None:
        path = intent.planned.path
        if intent.planned.act == "trash" and place is None:
            reason = (
                "it is in the system's trash, where undo cannot find it: restore it with the file manager"
            )
            self.report.remarks.append(Remark(path, reason))
            self.report.n_beyond_undo += 1
        try:
            self._open_writer().note("done", intent.number, found_at=place)
        except OSError as error:  # undo reads the disk, so that it does without this line
            reason = f"it was done, but the journal could not note it: {explain(error)}"
            self.report.remarks.append(Remark(path, reason))

    def _take_back(self, intent: Intent, cause: BaseException) -> None:
        """Put the file of an act that did not work out back at once; if that fails, undo can try again."""
        try:
            put_back(Entry(intent))
        except (OSError, RefusedError) as error:
            reason = (
                f"the act on it was cut short ({reason_of(cause)}) and it is not back yet: {reason_of(error)}"
            )
            self.report.remarks.append(Remark(intent.planned.path, reason))
            return
        with suppress(OSError):
            self._open_writer().note("failed", intent.number)

    def close(self) -> None:
        """Close the run, and leave no empty folder behind."""
        if self._writer is not None:
            self._writer.close()
        if self._run_folder is not None:
            with suppress(OSError):
                os.rmdir(self._run_folder)
