"""Acting on files: plans applied, undone, and the history of both."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from lookalike.acting.apply import ApplyReport
from lookalike.acting.undo import UndoReport
from lookalike.answers.jobs import JobReport, RunsAnswer, with_short_seconds
from lookalike.gallery.local import LocalGallery
from lookalike.records.progress import Progress, ProgressCallback
from lookalike.web.answers import json_answer
from lookalike.web.jobs import Job
from lookalike.web.problems import documented
from lookalike.web.routes.shared import MAX_ID, TheSite
from lookalike.web.site import Site

router = APIRouter(prefix="/api/v1", tags=["acting"])
POLL_SECONDS = 0.05


async def start_applying(
    site: Site, plan_id: str, *, trash_without_undo: bool = False, carry_metadata: bool = False
) -> Job:
    """Start to do what a plan says; stopped between two files, it keeps what is done."""
    plan = await asyncio.to_thread(site.plans.get, plan_id)

    def work(gallery: LocalGallery, on_progress: ProgressCallback) -> tuple[JobReport, bool]:
        on_progress(Progress("apply", 0, len(plan.acts)))
        found = gallery.apply(
            plan,
            allow_trash_without_undo=trash_without_undo,
            carry_metadata=carry_metadata,
            on_progress=on_progress,
        )
        site.review.note_gone(found.done)
        return with_short_seconds(found), not found.interrupted

    return site.jobs.start("apply", work)


def start_undoing(site: Site, run: int | None) -> Job:
    """Start to bring back what a run put away; stopped between two files, it keeps what is done."""

    def work(gallery: LocalGallery, on_progress: ProgressCallback) -> tuple[JobReport, bool]:
        found = gallery.undo(run=run, on_progress=on_progress)
        site.review.note_back(found.restored)
        return with_short_seconds(found), not found.interrupted

    return site.jobs.start("undo", work)


async def _report_of(job: Job) -> JobReport | None:
    """Wait for a job and return its report; what it failed with is raised."""
    while job.state == "running":
        await asyncio.sleep(POLL_SECONDS)
    if job.failure is not None:
        raise job.failure
    return job.report


@router.post("/plans/{plan_id}/apply", response_model=ApplyReport, responses=documented(403, 404, 409, 422))
async def apply_plan(site: TheSite, plan_id: str) -> Response:
    """Do what a plan says, and answer when all is done; a job of kind `apply` tells how far it is."""
    return json_answer(await _report_of(await start_applying(site, plan_id)))


@router.post("/undo", response_model=UndoReport, responses=documented(403, 409, 422))
async def undo(
    site: TheSite,
    run: Annotated[int | None, Query(ge=1, le=MAX_ID, description="Its number; else the last one.")] = None,
) -> Response:
    """Undo what was applied, and answer when every file is back; a job of kind `undo` tells how far it is."""
    return json_answer(await _report_of(start_undoing(site, run)))


@router.get("/runs", response_model=RunsAnswer, responses=documented(422))
async def get_runs(
    site: TheSite,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """List the plans that were applied, the last one first, with what of each there is to undo."""
    runs, total = await site.pictures.run(lambda gallery: gallery.runs(offset=offset, limit=limit))
    return json_answer(RunsAnswer(tuple(runs), total, offset))
