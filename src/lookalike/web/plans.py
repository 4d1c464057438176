"""Plans that were made on the page: kept beside the gallery, the last ones only."""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lookalike.acting.plan import Plan, load_plan, save_plan
from lookalike.answers.duplicates import PlanAnswer
from lookalike.records.codec import to_document, to_json
from lookalike.records.failure import Remark
from lookalike.web.kept_report import write_whole
from lookalike.web.problems import Refusal

MAX_PLANS = 20
_PLAN_ID = re.compile("[0-9a-f]{16}")


class Plans:
    """The plans in a folder, each as `apply` reads it and as it was shown.

    Parameters
    ----------
    folder : Path
        Made when the first plan is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def put(
        self, plan: Plan, left_out: Sequence[Remark], id_of: Callable[[bytes], int | None]
    ) -> dict[str, Any]:
        """Keep a plan; return it as the API gives it, with the ids of its pictures, which `id_of` looks up."""
        plan_id = secrets.token_hex(8)
        shown = PlanAnswer.of(plan_id, plan, left_out)
        removals = (replace(one, id=id_of(bytes.fromhex(one.digest))) for one in shown.removals)
        document = dict(to_document(replace(shown, removals=tuple(removals))))
        self._folder.mkdir(mode=0o700, exist_ok=True)
        save_plan(plan, self._place(plan_id))
        write_whole(self._shown(plan_id), iter([to_json(document).encode()]))
        with self._lock:
            self._forget_oldest()
        return document

    def _forget_oldest(self) -> None:
        plans = sorted(self._folder.glob("*.plan.json"), key=lambda path: path.stat().st_mtime_ns)
        for path in plans[:-MAX_PLANS]:
            path.unlink(missing_ok=True)
            path.with_name(path.name.replace(".plan.", ".shown.")).unlink(missing_ok=True)

    def _place(self, plan_id: str) -> Path:
        return self._folder / f"{plan_id}.plan.json"

    def _shown(self, plan_id: str) -> Path:
        return self._folder / f"{plan_id}.shown.json"

    def _check(self, plan_id: str) -> None:
        if not _PLAN_ID.fullmatch(plan_id) or not self._place(plan_id).is_file():
            raise Refusal(404, "there is no such plan: make a new one.")

    def document(self, plan_id: str) -> dict[str, Any]:
        """Return a plan as it was made; raise Refusal (404)."""
        self._check(plan_id)
        try:
            return dict(json.loads(self._shown(plan_id).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return dict(to_document(PlanAnswer.of(plan_id, load_plan(self._place(plan_id)), [])))

    def get(self, plan_id: str) -> Plan:
        """Return a plan to apply; raise Refusal (404)."""
        self._check(plan_id)
        return load_plan(self._place(plan_id))
