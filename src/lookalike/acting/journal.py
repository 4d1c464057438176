"""The journal: what is about to be done to each file, and what came of it, on disk before it happens.

::

    journal/
    ├── lock                  held while a process applies or undoes
    └── run-000001.jsonl      one file a run, one JSON object a line, only ever appended to

The first line says when the run began. Then, for each act, ``intent`` before it and ``done`` or ``failed``
after it; when it is undone, ``undoing`` before and ``undone`` after. What is brought over to a keeper has its
``carry`` line before, ``carried`` after, and ``carry undone``. Every line is on the disk before the
next step. A kill leaves at most half a line at the end, which stands for nothing and is cut off.
"""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, get_args

from lookalike.acting.carry import Carry
from lookalike.acting.files import Metadata, RefusedError, explain, sync_folder_of
from lookalike.acting.plan import PlannedAct
from lookalike.errors import InputError, StoreError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

Outcome = Literal["intent", "done", "failed", "undoing", "undone"]
JOURNAL_VERSION = 1
_RUN_NAME = re.compile(r"run-(\d{6,})\.jsonl")
_APPEND = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True)
class Intent:
    """All that is needed to put a file back, written before it is touched.

    Parameters
    ----------
    number : int               of the act within its plan, from 0
    planned : PlannedAct
    metadata : Metadata        of the file
    inode, keeper_inode : int  by which a hard link to the keeper is told from the file itself
    token : str                unique; part of every name that the act makes for a while
    run_folder : str or None   where the run puts files in quarantine
    """

    number: int
    planned: PlannedAct
    metadata: Metadata
    inode: int
    keeper_inode: int
    token: str
    run_folder: str | None = None

    @property
    def aside(self) -> str:
        """The name beside its own that the original has while it is replaced or deleted."""
        return self._beside("aside")

    @property
    def restored(self) -> str:
        """The name of a copy while it is made, before it takes the original's name."""
        return self._beside("restored")

    @property
    def former_link(self) -> str:
        """The name that our link to the keeper has while the original takes its place."""
        return self._beside("link")

    def _beside(self, role: str) -> str:
        return os.path.join(os.path.dirname(self.planned.path), f".lookalike-{self.token}.{role}")

    @property
    def place(self) -> str | None:
        """Where in quarantine the file goes: below the run's folder, by its own absolute path."""
        if self.planned.act != "quarantine" or self.run_folder is None:
            return None
        drive, rest = os.path.splitdrive(self.planned.path)
        return os.path.join(self.run_folder, drive.strip(":\\/").replace("\\", "-"), rest.lstrip("\\/"))

    @property
    def partial(self) -> str | None:
        """The name of a copy in quarantine while it is made."""
        return None if self.place is None else os.path.join(str(self.run_folder), f"{self.token}.partial")


@dataclass(frozen=True)
class Entry:
    """One act in the journal and the last that is known of it; `found_at` is where the trash put the file."""

    intent: Intent
    outcome: Outcome = "intent"
    was_done: bool = False
    found_at: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is, or may be, something to undo."""
        return self.outcome in ("intent", "done", "undoing")

    @property
    def is_cut_short(self) -> bool:
        """Whether the act, or its undoing, was begun and did not end."""
        return self.outcome in ("intent", "undoing")


@dataclass
class Run:
    """One run as the journal tells it: when it began, its acts by number, and the lines that cannot be read."""

    number: int
    path: str
    started_at: str | None = None
    entries: dict[int, Entry] = field(default_factory=dict)
    unreadable_lines: list[int] = field(default_factory=list)
    carries: dict[str, Carry] = field(default_factory=dict)

    @property
    def open_carries(self) -> list[Carry]:
        """The keepers to which something was brought over, and may be taken back, in order."""
        return [carry for carry in self.carries.values() if not carry.is_undone]

    @property
    def is_open(self) -> bool:
        """Whether there is something to undo."""
        return bool(self.open_entries or self.open_carries)

    @property
    def open_entries(self) -> list[Entry]:
        """The acts that there is something to undo of, in order."""
        return [entry for entry in self.entries.values() if entry.is_open]

    def take(self, record: Mapping[str, Any]) -> None:
        """Take in one line; an unknown or impossible one raises KeyError, TypeError or ValueError."""
        event = record["event"]
        if event == "run":
            self.started_at = record.get("at")
            return
        if event == "intent":
            intent = _intent_from(record["intent"])
            self.entries[intent.number] = Entry(intent)
            return
        if event == "carry":
            carry = Carry.from_document(record["carry"])
            self.carries[carry.token] = carry
            return
        if event in ("carried", "carry undone"):
            known = self.carries[record["token"]]
            self.carries[known.token] = replace(
                known, is_done=known.is_done or event == "carried", is_undone=event == "carry undone"
            )
            return
        if event not in get_args(Outcome):
            raise ValueError(event)
        entry = self.entries[record["number"]]
        found_at = record.get("found_at", entry.found_at)
        was_done = entry.was_done or event == "done"
        self.entries[record["number"]] = replace(entry, outcome=event, was_done=was_done, found_at=found_at)


def _intent_from(values: dict[str, Any]) -> Intent:
    planned, metadata = PlannedAct.from_document(values.pop("planned")), Metadata(**values.pop("metadata"))
    return Intent(planned=planned, metadata=metadata, **values)


class Journal:
    """The journal in a folder, held by this process until it is closed.

    Parameters
    ----------
    folder : path    made where it is missing, if `create` is true

    Raises
    ------
    InputError    there is no journal there, and `create` is false
    StoreError    it cannot be opened, or another process holds it
    """

    def __init__(self, folder: str | os.PathLike[str], *, create: bool) -> None:
        self.folder = os.path.abspath(folder)
        if not create and not os.path.isdir(self.folder):
            raise InputError(f"there is no journal at {self.folder}: nothing was ever done there.")
        with _translated(self.folder):
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            self._lock = os.open(os.path.join(self.folder, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock_at_once(self._lock)
        except OSError as error:
            os.close(self._lock)
            raise StoreError(_explain_lock(self.folder, error)) from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._lock)  # which also gives the lock back

    def load_runs(self) -> list[Run]:
        """Return all runs, oldest first."""
        return [load_run(path) for path in list_runs(self.folder)]

    def start_run(self) -> RunWriter:
        """Begin the next run, with a number above all others."""
        with _translated(self.folder):
            numbers = [_run_number(name) for name in os.listdir(self.folder) if _RUN_NAME.fullmatch(name)]
            number = max(numbers, default=0) + 1
            path = os.path.join(self.folder, f"run-{number:06d}.jsonl")
            writer = RunWriter(path, number, os.open(path, _APPEND | os.O_CREAT | os.O_EXCL, 0o600))
            started_at = datetime.now(UTC).isoformat(timespec="seconds")
            try:
                writer.write({"event": "run", "version": JOURNAL_VERSION, "number": number, "at": started_at})
            except OSError:
                writer.close()
                raise
            sync_folder_of(path)
        return writer

    def resume_run(self, run: Run) -> RunWriter:
        """Go on writing to a run."""
        with _translated(self.folder):
            writer = RunWriter(run.path, run.number, os.open(run.path, _APPEND))
            writer.cut_torn_line()
        return writer


class RunWriter:
    """Appends lines to the file of one run; each is on the disk when the call returns."""

    def __init__(self, path: str, number: int, descriptor: int) -> None:
        self.path = path
        self.number = number
        self.descriptor = descriptor

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End writing."""
        os.close(self.descriptor)

    def intend(self, intent: Intent) -> None:
        """Note what is about to be done.

        Raises
        ------
        RefusedError    it cannot be noted, and must not be done
        """
        try:
            document = {**asdict(intent), "planned": intent.planned.to_document()}
            self.write({"event": "intent", "intent": document})
        except OSError as error:
            raise RefusedError(f"the journal {self.path} cannot be written: {explain(error)}") from error

    def note(self, event: Outcome, number: int, **details: str | None) -> None:
        """Note what came of an act."""
        self.write({"event": event, "number": number, **details})

    def intend_carry(self, carry: Carry) -> None:
        """Note what is about to be brought over; raise RefusedError where it cannot be noted."""
        document = asdict(carry)
        for name in ("is_done", "is_undone"):
            del document[name]
        try:
            self.write({"event": "carry", "carry": document})
        except OSError as error:
            raise RefusedError(f"the journal {self.path} cannot be written: {explain(error)}") from error

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one line, whole or not at all."""
        line = json.dumps(record).encode("ascii") + b"\n"
        before = os.fstat(self.descriptor).st_size
        try:
            while line:
                line = line[os.write(self.descriptor, line) :]
            os.fsync(self.descriptor)
        except OSError:
            os.ftruncate(self.descriptor, before)  # half a line would spoil the next one
            raise

    def cut_torn_line(self) -> None:
        """Cut off the half line that a kill left."""
        with open(self.path, "rb") as file:
            whole_bytes = file.read().rfind(b"\n") + 1
        os.ftruncate(self.descriptor, whole_bytes)


def list_runs(folder: str | os.PathLike[str]) -> list[str]:
    """Return the files of all runs in a journal's folder, oldest first; none where there is no such folder."""
    with _translated(os.fspath(folder)):
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return [
            os.path.join(folder, name) for name in sorted(filter(_RUN_NAME.fullmatch, names), key=_run_number)
        ]


def load_run(path: str) -> Run:
    """Read the file of a run; one that is being written is read as far as it got."""
    run = Run(_run_number(os.path.basename(path)), path)
    with _translated(os.path.dirname(path)), open(path, "rb") as file:
        lines = file.read().split(b"\n")[:-1]  # what follows the last line end is torn, or empty
    for number, line in enumerate(lines, start=1):
        try:
            run.take(json.loads(line))
        except (KeyError, TypeError, ValueError, AttributeError):
            run.unreadable_lines.append(number)
    return run


def _run_number(name: str) -> int:
    found = _RUN_NAME.fullmatch(name)
    return int(found[1]) if found else 0


def _lock_at_once(descriptor: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _explain_lock(folder: str, error: OSError) -> str:
    if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
        return (
            f"the journal {folder} is in use: another lookalike applies or undoes just now. Wait until it has "
            "ended."
        )
    return (
        f"the journal {folder} cannot be locked ({explain(error)}), and without a lock two runs could take both "
        "copies of a picture: keep the gallery on another disk."
    )


@contextmanager
def _translated(folder: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"the journal {folder} cannot be used: {explain(error)}. Without it nothing is done, for nothing "
            "could be undone."
        ) from error
