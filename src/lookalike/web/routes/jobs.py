"""Jobs: index, duplicates, calibrate, apply and undo, started, watched and stopped."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from enum import Enum
from typing import Annotated, Literal

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, FailFast, Field
from starlette.responses import Response, StreamingResponse

from lookalike.answers.calibration import CalibratedAnswer
from lookalike.answers.jobs import DuplicatesFound, JobAnswer, JobReport, JobsAnswer, with_short_seconds
from lookalike.duplicates.keeper import DEFAULT_RULES, RULES
from lookalike.gallery.local import LocalGallery
from lookalike.records.calibration import N_PICTURES
from lookalike.records.codec import to_json
from lookalike.records.progress import ProgressCallback
from lookalike.records.relation import Relation
from lookalike.web.answers import json_answer
from lookalike.web.problems import documented
from lookalike.web.review import Review, review_document
from lookalike.web.routes.acting import start_applying, start_undoing
from lookalike.web.routes.shared import MAX_ID, MAX_ID_LENGTH, PathText, TheSite

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])
EVENT_SECONDS = 0.25
QUIET_SECONDS = 15.0  # after which a silent stream shows that it lives


Rule = Enum("Rule", {name: name for name in RULES}, type=str)  # type: ignore[misc]  # named where they are written


Globs = Annotated[list[PathText], FailFast()]


class IndexJob(BaseModel):
    """Add pictures to the gallery, or bring it up to date."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["index"]
    paths: Annotated[list[PathText], FailFast()] = Field(
        [],
        max_length=100,
        description="Files and folders, on the server; none walks again those named before.",
    )
    only: Literal["all", "hashes"] = "all"
    include: Globs = Field([], max_length=100, description="Only files that match one of these.")
    exclude: Globs = Field([], max_length=100, description="No file or folder that matches one of these.")
    hidden: bool = Field(False, description="Also what starts with a dot.")
    follow_symlinks: bool = False
    retry_failed: bool = Field(False, description="Try files again that failed before and have not changed.")


class DuplicatesJob(BaseModel):
    """Find the files that are the same picture."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["duplicates"]
    relation: Literal["same_file", "same_pixels", "copy", "variant", "same_scene", "similar"] = "copy"
    against: PathText | None = None
    protect: Annotated[list[PathText], FailFast()] = Field([], max_length=100)
    prefer: Annotated[list[PathText], FailFast()] = Field(
        [], max_length=100, description="Folders whose files are kept before others, the first first."
    )
    precision: float | None = Field(None, gt=0, lt=1, description="Only copies that are sure enough for it.")
    rules: Annotated[list[Rule], FailFast()] = Field(
        [], max_length=20, description="How to choose what to keep, the first first."
    )


class ApplyJob(BaseModel):
    """Do what a plan says, every file checked again before it is touched."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["apply"]
    plan: str = Field(max_length=MAX_ID_LENGTH, description="Its id, as `POST /plans` gives it.")
    trash_without_undo: bool = Field(
        False, description="Use the trash also where `undo` cannot find files in it (Windows, macOS)."
    )
    carry_metadata: bool = Field(
        False, description="Bring over to a keeper what only a file that goes says: date, place, caption."
    )


class UndoJob(BaseModel):
    """Bring back what a run of `apply` put away."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["undo"]
    run: int | None = Field(
        None, ge=1, le=MAX_ID, description="Its number; without one, the last that is not undone."
    )


class CalibrateJob(BaseModel):
    """Learn from the gallery's own pictures what scores are worth."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["calibrate"]
    n_pictures: int = Field(N_PICTURES, ge=1, le=100_000, description="How many to make edited copies of.")
    seed: int = Field(0, ge=0, le=MAX_ID)


Wanted = Annotated[IndexJob | DuplicatesJob | ApplyJob | UndoJob | CalibrateJob, Body(discriminator="kind")]


@router.post("", status_code=202, response_model=JobAnswer, responses=documented(403, 404, 409, 413, 422))
async def start_job(site: TheSite, wanted: Wanted) -> Response:
    """Start a job; one looks at pictures at a time, and one acts on files."""
    match wanted:
        case IndexJob():
            site.check_folders(wanted.paths)
            job = site.jobs.start("index", lambda gallery, on_progress: _index(gallery, wanted, on_progress))
        case DuplicatesJob():
            site.check_folders([*wanted.protect, *([] if wanted.against is None else [wanted.against])])
            job = site.jobs.start(
                "duplicates",
                lambda gallery, on_progress: _duplicates(gallery, wanted, on_progress, site.review),
            )
        case ApplyJob():
            job = await start_applying(
                site,
                wanted.plan,
                trash_without_undo=wanted.trash_without_undo,
                carry_metadata=wanted.carry_metadata,
            )
        case UndoJob():
            job = start_undoing(site, wanted.run)
        case CalibrateJob():
            job = site.jobs.start(
                "calibrate", lambda gallery, on_progress: _calibrate(gallery, wanted, on_progress)
            )
    return json_answer(job.answer(), 202, {"Location": f"/api/v1/jobs/{job.id}"})


def _index(gallery: LocalGallery, wanted: IndexJob, on_progress: ProgressCallback) -> tuple[JobReport, bool]:
    if not wanted.paths:
        found = gallery.add_again(retry_failed=wanted.retry_failed, on_progress=on_progress)
        return with_short_seconds(found), not found.interrupted
    found = gallery.add(
        wanted.paths,
        only=wanted.only,
        include=wanted.include,
        exclude=wanted.exclude,
        hidden=wanted.hidden,
        follow_symlinks=wanted.follow_symlinks,
        retry_failed=wanted.retry_failed,
        on_progress=on_progress,
    )
    return with_short_seconds(found), not found.interrupted


def _calibrate(
    gallery: LocalGallery, wanted: CalibrateJob, on_progress: ProgressCallback
) -> tuple[JobReport, bool]:
    found = gallery.calibrate(n_pictures=wanted.n_pictures, seed=wanted.seed, on_progress=on_progress)
    return CalibratedAnswer.of(found), True


def _duplicates(
    gallery: LocalGallery, wanted: DuplicatesJob, on_progress: ProgressCallback, review: Review
) -> tuple[JobReport, bool]:
    relation: Relation = wanted.relation
    last_file = gallery.last_file()
    found = gallery.duplicates(
        relation=relation,
        against=wanted.against,
        protect=wanted.protect,
        prefer=wanted.prefer,
        rules=[rule.value for rule in wanted.rules] or DEFAULT_RULES,
        precision=wanted.precision,
        on_progress=on_progress,
    )
    protect = [*wanted.protect, *([] if wanted.against is None else [wanted.against])]
    document = {**review_document(found, secrets.token_hex(8), protect), "last_file": last_file}
    review.keep(document)
    answer = DuplicatesFound(
        report_id=document["report_id"],
        total_groups=len(found.groups),
        total_saved_bytes=sum(group.n_bytes_saved for group in found.groups),
        compared=found.n_compared,
        seconds=document["seconds"],
    )
    return answer, True


@router.get("", response_model=JobsAnswer, responses=documented())
async def get_jobs(site: TheSite) -> Response:
    """List the jobs of this server, the last one first."""
    return json_answer(JobsAnswer(tuple(job.answer() for job in site.jobs.list())))


@router.get("/{job_id}", response_model=JobAnswer, responses=documented(404))
async def get_job(site: TheSite, job_id: str) -> Response:
    """Say how far a job is."""
    return json_answer(site.jobs.get(job_id).answer())


@router.post("/{job_id}/stop", status_code=202, response_model=JobAnswer, responses=documented(404))
async def stop_job(site: TheSite, job_id: str) -> Response:
    """Ask a job to end; what is done is kept, and starting it again goes on."""
    return json_answer(site.jobs.stop(job_id).answer(), 202)


@router.get("/{job_id}/events", responses=documented(404), response_class=StreamingResponse)
async def watch_job(site: TheSite, job_id: str) -> Response:
    """Stream the progress of a job as server-sent events: `progress`, and `end` as the last."""
    job = site.jobs.get(job_id)

    async def events() -> AsyncIterator[bytes]:
        last, quiet = "", 0.0
        while True:
            is_running = job.state == "running"
            text = to_json(job.answer())
            if not is_running:
                yield f"event: end\ndata: {text}\n\n".encode()
                return
            if site.is_closing():
                return
            marks = f"{job.stage} {job.n_done}"
            if marks != last or quiet == 0:
                yield f"event: progress\ndata: {text}\n\n".encode()
                last, quiet = marks, 0.0
            elif quiet >= QUIET_SECONDS:
                yield b": still here\n\n"
                quiet = 0.0
            await asyncio.sleep(EVENT_SECONDS)
            quiet += EVENT_SECONDS

    return StreamingResponse(events(), media_type="text/event-stream")
