"""Duplicates: the groups to review, and plans made of what was chosen."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, FailFast, Field
from starlette.responses import Response

from lookalike.answers.duplicates import DecidedAnswer, DecisionsAnswer, PlanAnswer, ReviewAnswer
from lookalike.duplicates.choices import Choice
from lookalike.gallery.local import LocalGallery
from lookalike.web.answers import json_answer
from lookalike.web.problems import Refusal, documented
from lookalike.web.review import Wish
from lookalike.web.routes.shared import MAX_ID, MAX_ID_LENGTH, PathText, Said, TheSite, said_id
from lookalike.web.site import Site

router = APIRouter(prefix="/api/v1", tags=["duplicates"])


ReportId = Annotated[str, Field(max_length=MAX_ID_LENGTH, description="Of the report that was reviewed.")]


class ChosenFile(BaseModel):
    """One file that is to go."""

    model_config = ConfigDict(extra="forbid")

    id: int | None = Field(None, ge=1, le=MAX_ID)
    path: PathText


class ChosenGroup(BaseModel):
    """What is to stay and to go of one group."""

    model_config = ConfigDict(extra="forbid")

    number: int | None = Field(None, ge=1, description="Of the group in the report.")
    keeper: Said = Field(description="The picture that stays: its id, or `sha256:` and its digest.")
    remove: Annotated[list[ChosenFile], FailFast()] = Field(max_length=10_000)


class WantedPlan(BaseModel):
    """What is to be done with which files."""

    model_config = ConfigDict(extra="forbid")

    report_id: ReportId | None = Field(None, description="Of the report that was reviewed, if any was.")
    act: Literal["trash", "quarantine", "hardlink", "symlink"] = "trash"
    quarantine: PathText | None = Field(None, description="The folder that files are moved to.")
    groups: Annotated[list[ChosenGroup], Field(min_length=1, max_length=10_000, fail_fast=True)] | None = (
        Field(None, description="Without it, the groups of the report that were accepted.")
    )
    protect: Annotated[list[PathText], FailFast()] = Field(
        [], max_length=100, description="Folders whose files stay, beside those of the report."
    )


class Decided(BaseModel):
    """What a person says of one group."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(ge=1, le=MAX_ID, description="Of the group in the report.")
    state: Literal["accepted", "apart"] | None = Field(
        description="`apart`: none of them is a duplicate; null takes a decision back."
    )
    keeper: PathText | None = Field(None, description="The file that stays; null for the suggested one.")
    apart: Annotated[list[PathText], FailFast()] = Field(
        [], max_length=10_000, description="Files that were said not to be duplicates."
    )


class WantedDecisions(BaseModel):
    """What a person says of some groups."""

    model_config = ConfigDict(extra="forbid")

    report_id: ReportId
    groups: Annotated[list[Decided], FailFast()] = Field(min_length=1, max_length=1000)


@router.get("/duplicates", response_model=ReviewAnswer, responses=documented(409, 422))
async def get_duplicates(
    site: TheSite,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """Give the groups of the last finished job, largest gain first; proven members beside their keeper.

    Before the first such job there are none, and `report_id` is null.
    """
    return json_answer(await site.pictures.run(lambda gallery: site.review.page(gallery, offset, limit)))


@router.get("/decisions", response_model=DecisionsAnswer, responses=documented(404, 409, 422))
async def get_decisions(
    site: TheSite,
    report_id: Annotated[str, Query(max_length=MAX_ID_LENGTH, description="Of the report.")],
    since: Annotated[
        int, Query(ge=0, le=MAX_ID, description="Only what was decided after this revision.")
    ] = 0,
) -> Response:
    """Give what was decided about the groups of the last report, on any device."""
    return json_answer(await asyncio.to_thread(site.review.decisions, report_id, since))


@router.post("/decisions", response_model=DecidedAnswer, responses=documented(403, 404, 409, 413, 422))
async def decide(site: TheSite, wanted: WantedDecisions) -> Response:
    """Keep what a person says of some groups; nothing happens to a file by it. What was put away stays done."""
    wishes = [Wish(one.number, one.state, one.keeper, tuple(one.apart)) for one in wanted.groups]
    return json_answer(await asyncio.to_thread(site.review.decide, wanted.report_id, wishes))


@router.post(
    "/plans", status_code=201, response_model=PlanAnswer, responses=documented(403, 404, 409, 413, 422)
)
async def make_plan(site: TheSite, wanted: WantedPlan) -> Response:
    """Plan what was chosen, each file proven against its keeper again. Nothing is changed."""
    if (wanted.act == "quarantine") != (wanted.quarantine is not None):
        raise Refusal(422, "the act quarantine and a folder for it go together: give both, or neither.")
    if wanted.report_id is None and wanted.groups is None:
        raise Refusal(422, "name the report whose accepted groups are planned, or the groups themselves.")
    if wanted.quarantine is not None:
        site.check_folders([wanted.quarantine])

    def plan(gallery: LocalGallery) -> Response:
        protect = [] if wanted.report_id is None else site.review.protected(wanted.report_id)
        planned, left_out = gallery.plan_choices(
            _choices(site, gallery, wanted),
            act=wanted.act,
            quarantine=wanted.quarantine,
            protect=[*protect, *wanted.protect],
        )
        document = site.plans.put(planned, left_out, gallery.id_of)
        return json_answer(document, 201, {"Location": f"/api/v1/plans/{document['id']}"})

    return await site.plan(plan)


def _choices(site: Site, gallery: LocalGallery, wanted: WantedPlan) -> list[Choice]:
    if wanted.groups is None:
        return site.review.choices(gallery, wanted.report_id or "")
    return [
        Choice(said_id(gallery, group.keeper), tuple(file.path for file in group.remove))
        for group in wanted.groups
    ]


@router.get("/plans/{plan_id}", response_model=PlanAnswer, responses=documented(404))
async def get_plan(site: TheSite, plan_id: str) -> Response:
    """Give a plan as it was made."""
    return json_answer(await asyncio.to_thread(site.plans.document, plan_id))
