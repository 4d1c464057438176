"""Tending the gallery: what is gone, forgotten or liked, and which lookalike serves."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from lookalike import __version__
from lookalike.answers.gallery import ForgottenAnswer, RatingsAnswer, VersionAnswer
from lookalike.gallery.local import LocalGallery
from lookalike.records.places import Gone
from lookalike.web.answers import json_answer
from lookalike.web.problems import documented
from lookalike.web.routes.shared import TheSite

router = APIRouter(prefix="/api/v1", tags=["library"])


class Pruned(BaseModel):
    """What is to be forgotten beside the files that are gone one by one."""

    model_config = ConfigDict(extra="forbid")

    with_away: bool = Field(False, description="Also the files of places that are away as a whole.")


@router.get("/version", response_model=VersionAnswer, responses=documented())
async def get_version() -> Response:
    """Say which lookalike serves."""
    return json_answer(VersionAnswer(__version__))


@router.get("/gone", response_model=Gone, responses=documented())
async def get_gone(site: TheSite) -> Response:
    """List the known files that are not there, those of disks and folders that are away as a whole apart."""
    return json_answer(await site.pictures.run(LocalGallery.find_gone))


@router.post("/prune", response_model=ForgottenAnswer, responses=documented(403, 413, 422))
async def prune(site: TheSite, wanted: Pruned) -> Response:
    """Forget the files that are gone; nothing happens to a file by it."""
    forgotten = await site.change(lambda gallery: gallery.prune(with_away=wanted.with_away))
    return json_answer(ForgottenAnswer(tuple(forgotten)))


@router.get("/ratings", response_model=RatingsAnswer, responses=documented())
async def get_ratings(site: TheSite) -> Response:
    """List what people said of answers."""
    return json_answer(RatingsAnswer.of(await site.pictures.run(LocalGallery.ratings)))
