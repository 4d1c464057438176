"""Duplicates: the groups to review, and plans made of what was chosen."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, FailFast, Field
from starlette.responses import Response

from lookalike.duplicates.choices import Choice
from lookalike.gallery.local import LocalGallery
from lookalike.web.answers import json_answer
from lookalike.web.problems import Refusal, documented
from lookalike.web.routes.shared import MAX_ID, PathText, TheSite

router = APIRouter(prefix="/api/v1", tags=["duplicates"])


class ChosenFile(BaseModel):
    """One file that is to go."""

    model_config = ConfigDict(extra="forbid")

    id: int | None = Field(None, ge=1, le=MAX_ID)
    path: PathText


class ChosenGroup(BaseModel):
    """What is to stay and to go of one group."""

    model_config = ConfigDict(extra="forbid")

    number: int | None = Field(None, ge=1, description="Of the group in the report.")
    keeper: int = Field(ge=1, le=MAX_ID, description="Id of the picture that stays.")
    remove: Annotated[list[ChosenFile], FailFast()] = Field(max_length=10_000)


class WantedPlan(BaseModel):
    """What is to be done with which files."""

    model_config = ConfigDict(extra="forbid")

    report_id: str = Field(description="Of the report that was reviewed.")
    act: Literal["trash", "quarantine", "hardlink", "symlink"] = "trash"
    quarantine: PathText | None = Field(None, description="The folder that files are moved to.")
    groups: Annotated[list[ChosenGroup], FailFast()] = Field(min_length=1, max_length=10_000)


@router.get("/duplicates", responses=documented(422))
async def get_duplicates(
    site: TheSite,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """Give the groups of the last finished job, largest gain first; proven members beside their keeper.

    Before the first such job there are none, and `report_id` is null.
    """
    return json_answer(await site.pictures.run(lambda gallery: site.review.page(gallery, offset, limit)))


@router.post("/plans", status_code=201, responses=documented(403, 404, 409, 413, 422))
async def make_plan(site: TheSite, wanted: WantedPlan) -> Response:
    """Plan what was chosen, each file proven against its keeper again. Nothing is changed."""
    report = site.review.check_report(wanted.report_id)
    if (wanted.act == "quarantine") != (wanted.quarantine is not None):
        raise Refusal(422, "the act quarantine and a folder for it go together: give both, or neither.")
    if wanted.quarantine is not None:
        site.check_folders([wanted.quarantine])
    choices = [Choice(group.keeper, tuple(file.path for file in group.remove)) for group in wanted.groups]

    def plan(gallery: LocalGallery) -> Response:
        planned, left_out = gallery.plan_choices(
            choices, act=wanted.act, quarantine=wanted.quarantine, protect=report["protect"]
        )
        document = site.review.put_plan(planned, left_out)
        return json_answer(document, 201, {"Location": f"/api/v1/plans/{document['id']}"})

    return await site.plan(plan)


@router.get("/plans/{plan_id}", responses=documented(404))
async def get_plan(site: TheSite, plan_id: str) -> Response:
    """Give a plan as it was made."""
    return json_answer(site.review.plan_document(plan_id))
