"""The last report on duplicates and what was decided of it, kept beside the gallery: no restart loses either."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lookalike.answers.duplicates import DecisionAnswer, ReviewedGroup
from lookalike.duplicates.choices import Choice
from lookalike.duplicates.records import DuplicatesReport
from lookalike.gallery.local import LocalGallery
from lookalike.records.codec import to_document
from lookalike.web.decisions import Decision, Decisions, DecisionState, decide
from lookalike.web.kept_report import KeptReport, write_report
from lookalike.web.problems import Refusal

NO_REPORT: dict[str, Any] = {"report_id": None, "groups": [], "total_groups": 0, "total_saved_bytes": 0}


@dataclass(frozen=True)
class Wish:
    """What a person says of one group; see `lookalike.web.decisions.decide`."""

    number: int
    state: DecisionState | None
    keeper: str | None
    apart: tuple[str, ...]


class Review:
    """What a person reviews: groups of duplicates, and what was decided about them.

    Parameters
    ----------
    gallery : Path
        Its folder, where all is kept.
    """

    def __init__(self, gallery: Path) -> None:
        self._path = gallery / "duplicates.jsonl"
        self._old_path = gallery / "duplicates.json"  # as the first release kept it
        self._decisions_path = gallery / "duplicates.decisions.jsonl"
        self._lock = threading.Lock()
        self._kept: tuple[KeptReport, Decisions] | None = None

    def keep(self, report: dict[str, Any]) -> None:
        """Keep a report in place of the last one, and forget what was decided of that."""
        head = {name: value for name, value in report.items() if name != "groups"}
        write_report(self._path, head, report["groups"])
        with self._lock:
            for outdated in (self._decisions_path, self._old_path):
                with suppress(OSError):
                    outdated.unlink(missing_ok=True)
            self._kept = (KeptReport(self._path), Decisions(self._decisions_path))

    def _last(self) -> tuple[KeptReport, Decisions] | None:
        """Return the last report and its decisions; None where none was made, or it is damaged."""
        with self._lock:
            if self._kept is None:
                with suppress(OSError, ValueError, Refusal):
                    self._take_over_old()
                    self._kept = (KeptReport(self._path), Decisions(self._decisions_path))
            return self._kept

    def _take_over_old(self) -> None:
        if self._old_path.is_file() and not self._path.exists():
            report = json.loads(self._old_path.read_text(encoding="utf-8"))
            groups = report.pop("groups")
            write_report(self._path, {"last_file": 0, **report}, groups)

    def page(self, gallery: LocalGallery, offset: int, limit: int) -> dict[str, Any]:
        """Return the groups from `offset` on, as their files are now; a group of less than two files is left out.

        So a page may be short; `offset` counts the groups of the report, and no page shifts while files go.
        """
        last = self._last()
        if last is None:
            return {**NO_REPORT, "offset": offset}
        report, decisions = last
        some = [
            group
            for one in report.groups(range(offset + 1, offset + limit + 1))
            if (group := _present_group(one))
        ]
        for group in some:
            for file in (group["keeper"], *group["members"]):
                file["id"] = gallery.id_of(bytes.fromhex(file["digest"]))
            decided = decisions.of(group["number"])
            group["decision"] = None if decided is None else decision_document(decided)
        return {
            **report.head,
            "groups": some,
            "offset": offset,
            "total_groups": report.n_groups,
            "total_saved_bytes": report.head["saved_bytes"],
            "decided": self._summary(report, decisions),
            "n_added_since": gallery.n_files_after(report.head["last_file"], decisions.paths_back()),
        }

    def _summary(self, report: KeptReport, decisions: Decisions) -> dict[str, Any]:
        return decisions.summary(report.n_groups, report.head["saved_bytes"])

    def _check(self, report_id: str) -> tuple[KeptReport, Decisions]:
        last = self._last()
        if last is None:
            raise Refusal(404, "no duplicates were looked for yet: start a job of kind `duplicates`.")
        if last[0].head["report_id"] != report_id:
            raise Refusal(409, "duplicates were looked for again since: load the groups anew.")
        return last

    def protected(self, report_id: str) -> list[str]:
        """Return the folders whose files stay; raise Refusal (404, 409) where this is not the last report."""
        return list(self._check(report_id)[0].head["protect"])

    def decide(self, report_id: str, wishes: Sequence[Wish]) -> dict[str, Any]:
        """Keep what a person says of some groups; return how many are in which state.

        Raises
        ------
        Refusal    404, 409: it is not the last report; 422: a group or a file that it does not have
        """
        report, decisions = self._check(report_id)
        strange = [wish.number for wish in wishes if wish.number > report.n_groups]
        if strange:
            raise Refusal(422, f"there is no group {strange[0]}: the report has {report.n_groups:,}.")
        decided = []
        for wish, group in zip(wishes, report.groups(wish.number for wish in wishes), strict=True):
            before = decisions.of(wish.number)
            if before is not None and before.state == "done":
                continue  # in another tab, say; `note_back` opens it again
            decided.append(decide(group, wish.state, wish.keeper, wish.apart, before))
        decisions.put(decided)
        return self._summary(report, decisions)

    def decisions(self, report_id: str, since: int) -> dict[str, Any]:
        """Return what was decided after a revision, and how many groups are in which state."""
        report, decisions = self._check(report_id)
        return {
            **self._summary(report, decisions),
            "groups": [decision_document(one) for one in decisions.since(since)],
        }

    def choices(self, gallery: LocalGallery, report_id: str) -> list[Choice]:
        """Return what was accepted, as a plan wants it."""
        report, decisions = self._check(report_id)
        accepted = [one for one in decisions.since(0) if one.state == "accepted"]
        groups = report.groups(one.number for one in accepted)
        found = []
        for one, group in zip(accepted, groups, strict=True):
            files = {file["path"]: file for file in (group["keeper"], *group["members"])}
            keeper = gallery.id_of(bytes.fromhex(files[one.keeper]["digest"]))
            # A keeper that the gallery does not know any more is none: the plan leaves out what it should show.
            found.append(Choice(keeper or 0, tuple(one.remove)))
        return found

    def note_gone(self, paths: Iterable[str]) -> None:
        """Take note that files were put away."""
        self._note("note_gone", paths)

    def note_back(self, paths: Iterable[str]) -> None:
        """Take note that files came back."""
        self._note("note_back", paths)

    def _note(self, what: str, paths: Iterable[str]) -> None:
        last = self._last()
        if last is not None:
            getattr(last[1], what)(paths)


def decision_document(decision: Decision) -> dict[str, Any]:
    """Return a decision as the API gives it."""
    gone = tuple(decision.gone) if decision.state == "done" else ()
    answer = DecisionAnswer(decision.number, decision.state, decision.keeper, decision.apart, gone)
    return dict(to_document(answer))


def review_document(report: DuplicatesReport, report_id: str, protect: Sequence[str]) -> dict[str, Any]:
    """Return duplicates with the facts of every file, as the review of them needs: largest gain first."""
    return {
        "report_id": report_id,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "compared": report.n_compared,
        "failed": to_document(report.failed),
        "seconds": round(report.seconds, 3),
        "protect": list(protect),
        "groups": [to_document(ReviewedGroup.of(group, n)) for n, group in enumerate(report.groups, 1)],
    }


def _present_group(group: dict[str, Any]) -> dict[str, Any] | None:
    """Return a group of a `review_document` with the files that are still there; None for less than two."""
    members = [member for member in group["members"] if os.path.isfile(member["path"])]
    if not members or not os.path.isfile(group["keeper"]["path"]):
        return None
    saved = sum(member["size_bytes"] for member in members if member["removable"])
    return {
        **group,
        "keeper": dict(group["keeper"]),
        "members": [dict(member) for member in members],
        "saved_bytes": saved,
    }
