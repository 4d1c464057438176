"""What was decided about the groups of a report: kept beside it, the same on every device and in every tab.

A line of JSON for each decision is appended; the last one of a group counts, and its place is its revision.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from lookalike.records.codec import to_json
from lookalike.web.problems import Refusal

DecisionState = Literal["accepted", "apart", "done"]


@dataclass(frozen=True)
class Decision:
    """What was decided about one group.

    Parameters
    ----------
    number : int
        Of the group in the report.
    state : str or None
        ``accepted``, ``apart`` (none of them is a duplicate), ``done`` (its files were put away), or None.
    keeper : str
        The path that stays.
    apart : tuple of str
        Paths that were said not to be duplicates.
    remove : dict
        Paths that are to go, with their sizes in bytes.
    gone : dict
        Paths that were put away, with their sizes in bytes; they are back where the state is not ``done``.
    """

    number: int
    state: DecisionState | None
    keeper: str
    apart: tuple[str, ...] = ()
    remove: dict[str, int] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)

    @property
    def saved_bytes(self) -> int:
        """Sizes of what went, or is to go."""
        return sum((self.gone if self.state == "done" else self.remove).values())


def decide(
    group: Mapping[str, Any],
    state: DecisionState | None,
    keeper: str | None,
    apart: Sequence[str],
    before: Decision | None = None,
) -> Decision:
    """Return a decision about a group of a report.

    With the suggested keeper, those go that it was proven to show. With another, the same ones and the former
    keeper: a plan proves them anew, and leaves out what it cannot.

    Raises
    ------
    Refusal    422: a path that is none of the group's
    """
    files = {one["path"]: one for one in (group["keeper"], *group["members"])}
    kept = group["keeper"]["path"] if keeper is None else keeper
    strange = [path for path in (kept, *apart) if path not in files]
    if strange:
        raise Refusal(422, f"{strange[0]!r} is no file of group {group['number']}.")
    remove = {
        path: one["size_bytes"]
        for path, one in files.items()
        if path != kept and path not in apart and one.get("removable", True)
    }
    return Decision(group["number"], state, kept, tuple(apart), remove, {} if before is None else before.gone)


class Decisions:
    """The decisions about one report.

    Parameters
    ----------
    path : Path
        Where they are kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._by_number: dict[int, tuple[int, Decision]] = {}
        self._n: Counter[DecisionState | None] = Counter()
        self._bytes: Counter[DecisionState | None] = Counter()
        self.revision = 0
        self._is_torn = (
            False  # whether half a line may stand at the end, which the next one must not go on with
        )
        with suppress(OSError):
            self._read(path.read_bytes())

    def _read(self, data: bytes) -> None:
        lines = data.split(b"\n")
        self._is_torn = lines[-1] != b""
        for line in lines[:-1]:
            with suppress(ValueError, TypeError, KeyError):
                values = json.loads(line)
                self._take(Decision(**{**values, "apart": tuple(values["apart"])}))

    def _take(self, decision: Decision) -> None:
        before = self.of(decision.number)
        for one, sign in ((before, -1), (decision, 1)):
            if one is not None:
                self._n[one.state] += sign
                self._bytes[one.state] += sign * one.saved_bytes
        self.revision += 1
        self._by_number[decision.number] = (self.revision, decision)

    def put(self, decisions: Iterable[Decision]) -> None:
        """Keep decisions; raise Refusal (507) where they cannot be written."""
        decisions = list(decisions)
        data = b"".join(to_json(asdict(one)).encode() + b"\n" for one in decisions)
        with self._lock:
            if self._is_torn:
                data = b"\n" + data
            try:
                descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                with os.fdopen(descriptor, "ab") as file:
                    file.write(data)
            except OSError as error:
                self._is_torn = True
                raise Refusal(507, f"the decision could not be kept: {error.strerror}.") from error
            self._is_torn = False
            for one in decisions:
                self._take(one)

    def of(self, number: int) -> Decision | None:
        """Return the decision about a group; None where there is none yet."""
        found = self._by_number.get(number)
        return None if found is None else found[1]

    def since(self, revision: int) -> list[Decision]:
        """Return what was decided after a revision, group by group."""
        with self._lock:
            found = [one for at, one in self._by_number.values() if at > revision]
        return sorted(found, key=lambda one: one.number)

    def note_gone(self, paths: Iterable[str]) -> None:
        """Take note that files were put away: their groups are done."""
        self._change("accepted", "done", set(paths))

    def note_back(self, paths: Iterable[str]) -> None:
        """Take note that files came back: their groups are open again, so that no plan repeats it unasked."""
        self._change("done", None, set(paths))

    def _change(self, before: DecisionState, after: DecisionState | None, paths: set[str]) -> None:
        changed = []
        for one in self.since(0):
            files = one.gone if before == "done" else one.remove
            named = {path: size for path, size in files.items() if path in paths}
            if one.state == before and named:
                changed.append(replace(one, state=after, gone=named))
        if changed:
            self.put(changed)

    def paths_back(self) -> list[str]:
        """Return the paths that were put away and came back."""
        with self._lock:
            return [path for _, one in self._by_number.values() if one.state != "done" for path in one.gone]

    def summary(self, n_groups: int, saved_bytes: int) -> dict[str, Any]:
        """Return how many groups are in which state, and how many bytes that is; totals are the report's."""
        with self._lock:
            n_accepted, n_done, n_apart = (self._n[state] for state in ("accepted", "done", "apart"))
            return {
                "revision": self.revision,
                "n_accepted": n_accepted,
                "accepted_bytes": self._bytes["accepted"],
                "n_done": n_done,
                "done_bytes": self._bytes["done"],
                "n_apart": n_apart,
                "n_open": n_groups - n_accepted - n_done - n_apart,
                "left_bytes": saved_bytes - self._bytes["done"],
            }
