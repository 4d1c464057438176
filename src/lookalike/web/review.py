"""The last report on duplicates and the plans made of it: kept beside the gallery, so that a restart loses none."""

from __future__ import annotations

import json
import os
import re
import secrets
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from lookalike.acting.plan import Plan, load_plan, save_plan
from lookalike.gallery.local import LocalGallery
from lookalike.records.codec import to_json
from lookalike.records.failure import Remark
from lookalike.report.documents import plan_document, present_group
from lookalike.web.problems import Refusal

MAX_PLANS = 20
_PLAN_ID = re.compile("[0-9a-f]{16}")


class Review:
    """What a person reviews: groups of duplicates, and what would be done with them."""

    def __init__(self, gallery: Path) -> None:
        self._report_path = gallery / "duplicates.json"
        self._plans = gallery / "plans"
        self._lock = threading.Lock()
        self._report: dict[str, Any] | None = None

    def keep(self, report: dict[str, Any]) -> None:
        """Keep a report in place of the last one."""
        with self._lock:
            _write(self._report_path, report)
            self._report = report

    def report(self) -> dict[str, Any] | None:
        """Return the last report; None where none was made."""
        with self._lock:
            if self._report is None:
                with suppress(OSError, ValueError):
                    self._report = json.loads(self._report_path.read_text(encoding="utf-8"))
            return self._report

    def page(self, gallery: LocalGallery, offset: int, limit: int) -> dict[str, Any]:
        """Return some groups as the files are now: what was put away since is left out.

        Where no duplicates were looked for yet there are no groups, and `report_id` is None.
        """
        report = self.report() or {"report_id": None, "groups": []}
        groups = [shown for group in report["groups"] if (shown := present_group(group)) is not None]
        some = groups[offset : offset + limit]
        for group in some:
            for file in (group["keeper"], *group["members"]):
                file["id"] = gallery.id_of(bytes.fromhex(file["digest"]))
        return {
            **{name: value for name, value in report.items() if name != "groups"},
            "groups": some,
            "offset": offset,
            "total_groups": len(groups),
            "total_saved_bytes": sum(group["saved_bytes"] for group in groups),
        }

    def check_report(self, report_id: str) -> dict[str, Any]:
        """Return the last report, if it is this one; raise Refusal (404, 409)."""
        report = self.report()
        if report is None:
            raise Refusal(404, "no duplicates were looked for yet: start a job of kind `duplicates`.")
        if report["report_id"] != report_id:
            raise Refusal(409, "duplicates were looked for again since: load the groups anew.")
        return report

    def put_plan(self, plan: Plan, left_out: list[Remark]) -> dict[str, Any]:
        """Keep a plan; return it as the API gives it."""
        plan_id = secrets.token_hex(8)
        document = plan_document(plan_id, plan, left_out)
        with self._lock:
            self._plans.mkdir(mode=0o700, exist_ok=True)
            save_plan(plan, self._place(plan_id))
            _write(self._plans / f"{plan_id}.shown.json", document)
            self._forget_oldest()
        return document

    def _forget_oldest(self) -> None:
        plans = sorted(self._plans.glob("*.plan.json"), key=lambda path: path.stat().st_mtime_ns)
        for path in plans[:-MAX_PLANS]:
            path.unlink(missing_ok=True)
            path.with_name(path.name.replace(".plan.", ".shown.")).unlink(missing_ok=True)

    def _place(self, plan_id: str) -> Path:
        return self._plans / f"{plan_id}.plan.json"

    def _check(self, plan_id: str) -> None:
        if not _PLAN_ID.fullmatch(plan_id) or not self._place(plan_id).is_file():
            raise Refusal(404, "there is no such plan: make a new one.")

    def plan_document(self, plan_id: str) -> dict[str, Any]:
        """Return a plan as it was made; raise Refusal (404)."""
        self._check(plan_id)
        try:
            text = (self._plans / f"{plan_id}.shown.json").read_text(encoding="utf-8")
            return dict(json.loads(text))
        except (OSError, ValueError):
            return plan_document(plan_id, load_plan(self._place(plan_id)), [])

    def plan(self, plan_id: str) -> Plan:
        """Return a plan to apply; raise Refusal (404)."""
        self._check(plan_id)
        return load_plan(self._place(plan_id))


def _write(path: Path, document: dict[str, Any]) -> None:
    unfinished = path.with_suffix(f".{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(to_json(document).encode())
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise Refusal(507, f"{path.name} could not be kept beside the gallery: {error.strerror}.") from error
