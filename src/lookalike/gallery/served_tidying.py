"""Find and act on the duplicates of a gallery that another process serves."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from lookalike.acting.apply import ApplyReport
from lookalike.acting.plan import Plan, check_plan, save_plan
from lookalike.acting.undo import UndoReport
from lookalike.answers.duplicates import PlanAnswer, ReviewAnswer
from lookalike.answers.jobs import RunsAnswer
from lookalike.api.tidying import Tidying
from lookalike.duplicates.keeper import DEFAULT_RULES
from lookalike.duplicates.records import DuplicatesReport
from lookalike.errors import InputError
from lookalike.gallery.connection import Connection
from lookalike.gallery.planning import plan_of_report
from lookalike.records.codec import from_document
from lookalike.records.failure import Remark
from lookalike.records.progress import ProgressCallback, ignore_progress
from lookalike.records.relation import Relation

if TYPE_CHECKING:
    from lookalike.acting.history import AppliedRun
    from lookalike.duplicates.choices import Choice

_PAGE = 200
_RUNS_PAGE = 100


class ServedTidying(Tidying):
    """The verbs that tidy, over HTTP. Paths are those of the server, but that of a plan."""

    def __init__(self, server: Connection) -> None:
        self._server = server
        self.address = server.address

    @override
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
        wanted = {
            "kind": "duplicates",
            "relation": relation,
            "against": None if against is None else os.fspath(against),
            "protect": [os.fspath(folder) for folder in protect],
            "prefer": [os.fspath(folder) for folder in prefer],
            "rules": list(rules),
            "precision": precision,
        }
        self._server.run_job(wanted, on_progress)
        groups, page = [], self._review_page(0)
        for offset in range(0, max(1, page.total_groups), _PAGE):
            page = self._review_page(offset)
            groups += [group.group() for group in page.groups]
        return DuplicatesReport(tuple(groups), page.compared, page.failed, page.seconds)

    def _review_page(self, offset: int) -> ReviewAnswer:
        found = self._server.ask("GET", "/duplicates", params={"offset": offset, "limit": _PAGE})
        return from_document(ReviewAnswer, found)

    @override
    def check_plan(
        self,
        path: str | os.PathLike[str],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
    ) -> None:
        check_plan(path, act=act, quarantine=quarantine)

    @override
    def write_plan(
        self,
        report: DuplicatesReport,
        path: str | os.PathLike[str],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
    ) -> Plan:
        plan = plan_of_report(report, act=act, quarantine=quarantine, gallery=self.address)
        save_plan(plan, path)
        return plan

    @override
    def plan_choices(
        self,
        choices: Sequence[Choice],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
        protect: Sequence[str] = (),
    ) -> tuple[Plan, list[Remark]]:
        groups = [
            {"keeper": choice.keeper, "remove": [{"path": path} for path in choice.remove]}
            for choice in choices
        ]
        answer = self._plan(groups, act=act, quarantine=quarantine, protect=protect)
        return answer.plan(self.address), list(answer.left_out)

    def _plan(
        self,
        groups: Sequence[Mapping[str, Any]],
        *,
        act: str,
        quarantine: str | os.PathLike[str] | None,
        protect: Sequence[str] = (),
    ) -> PlanAnswer:
        wanted = {
            "act": act,
            "quarantine": None if quarantine is None else os.fspath(quarantine),
            "groups": list(groups),
            "protect": list(protect),
        }
        return from_document(PlanAnswer, self._server.ask("POST", "/plans", json=wanted))

    @override
    def apply(
        self,
        plan: Plan,
        *,
        allow_delete: bool = False,
        allow_trash_without_undo: bool = False,
        carry_metadata: bool = False,
        on_progress: ProgressCallback = ignore_progress,
    ) -> ApplyReport:
        acts = {one.act for one in plan.acts}
        if len(acts) > 1 or "delete" in acts:
            raise InputError(
                f"{self.address} takes plans of one act, and deletes nothing: apply this one on its own machine."
            )
        if not plan.acts:
            return ApplyReport()
        removed: dict[str, list[dict[str, str]]] = {}
        for one in plan.acts:
            if one.belongs_to:
                continue  # the server finds again what goes with a file
            removed.setdefault(one.keeper_digest, []).append({"path": one.path})
        groups = [{"keeper": f"sha256:{digest}", "remove": removed[digest]} for digest in removed]
        answer = self._plan(groups, act=plan.acts[0].act, quarantine=plan.quarantine)
        wanted = {
            "kind": "apply",
            "plan": answer.id,
            "trash_without_undo": allow_trash_without_undo,
            "carry_metadata": carry_metadata,
        }
        report = from_document(ApplyReport, self._server.run_job(wanted, on_progress))
        report.skipped[:0] = answer.left_out
        return report

    @override
    def runs(self, *, offset: int = 0, limit: int | None = None) -> tuple[list[AppliedRun], int]:
        found: list[AppliedRun] = []
        while True:
            wanted = _RUNS_PAGE if limit is None else min(_RUNS_PAGE, limit - len(found))
            params = {"offset": offset + len(found), "limit": max(1, wanted)}
            answer = from_document(RunsAnswer, self._server.ask("GET", "/runs", params=params))
            found += answer.runs[:wanted]
            if not answer.runs or len(found) == limit or offset + len(found) >= answer.total:
                return found, answer.total

    @override
    def undo(self, *, run: int | None = None, on_progress: ProgressCallback = ignore_progress) -> UndoReport:
        return from_document(UndoReport, self._server.run_job({"kind": "undo", "run": run}, on_progress))
