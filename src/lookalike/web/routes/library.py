"""The library: what is indexed, what failed, sign-in, and what a person says of pictures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, FailFast, Field
from starlette.responses import Response

from lookalike import __version__
from lookalike.answers.gallery import FolderAnswer, LibraryAnswer, RemovedAnswer, SettingAnswer
from lookalike.answers.pictures import FailuresAnswer, PicturesAnswer
from lookalike.gallery.local import LocalGallery
from lookalike.settings import describe_settings
from lookalike.web.answers import json_answer
from lookalike.web.guard import COOKIE, SESSION_SECONDS, is_token, make_session
from lookalike.web.problems import documented
from lookalike.web.routes.shared import MAX_ID, SAID_PATTERN, PathText, PictureId, Said, TheSite, said_source

router = APIRouter(prefix="/api/v1", tags=["library"])
Offset = Annotated[int, Query(ge=0, le=10**9)]
Limit = Annotated[int, Query(ge=1, le=1000)]


class Session(BaseModel):
    """What is needed to sign in."""

    token: str = Field(max_length=1000)


class Feedback(BaseModel):
    """What a person says of an answer; null forgets it."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(pattern=SAID_PATTERN, examples=["id:1"])
    picture: int = Field(ge=1, le=MAX_ID)
    liked: bool | None


class Verdict(BaseModel):
    """What a person says of two pictures; null forgets it."""

    model_config = ConfigDict(extra="forbid")

    first: Said
    second: Said
    is_duplicate: bool | None


@router.get("/info", response_model=LibraryAnswer, responses=documented())
async def get_info(site: TheSite) -> Response:
    """Say what the gallery holds, what it costs, and how the server was set up."""
    info, folders = await site.pictures.run(lambda gallery: (gallery.info(), gallery.folders()))
    answer = LibraryAnswer(
        **vars(info),
        folders=tuple(FolderAnswer(*one) for one in folders),
        version=__version__,
        model=site.options.settings.model,
        settings=tuple(SettingAnswer(*one) for one in describe_settings(site.options.settings)),
        read_only=site.options.read_only,
        address_fetching=site.options.allow_addresses,
        key=site.key,
        findings=await site.findings(),
    )
    return json_answer(answer)


@router.get("/failures", response_model=FailuresAnswer, responses=documented(422))
async def get_failures(site: TheSite, offset: Offset = 0, limit: Limit = 100) -> Response:
    """List the files that are not searchable, with the reason of each."""
    found = await site.pictures.run(lambda gallery: gallery.failures(offset=offset, limit=limit))
    return json_answer(FailuresAnswer(tuple(found[0]), found[1], offset))


@router.get("/pictures", response_model=PicturesAnswer, responses=documented(422))
async def get_pictures(
    site: TheSite, offset: Offset = 0, limit: Limit = 100, folder: Annotated[str | None, Query()] = None
) -> Response:
    """List the pictures of the gallery by id, maybe only those below a folder."""
    found = await site.pictures.run(
        lambda gallery: gallery.pictures(offset=offset, limit=limit, folder=folder)
    )
    return json_answer(PicturesAnswer.of(*found, offset))


@router.delete("/pictures/{picture_id}", status_code=204, responses=documented(403, 404, 422))
async def forget_picture(site: TheSite, picture_id: PictureId) -> Response:
    """Forget a picture; its files are not touched."""
    await site.change(lambda gallery: gallery.remove([file.path for file in gallery.picture(picture_id)]))
    return Response(status_code=204)


class Forgotten(BaseModel):
    """Files and folders that the gallery is to forget."""

    model_config = ConfigDict(extra="forbid")

    paths: Annotated[list[PathText], FailFast()] = Field(min_length=1, max_length=10_000)


@router.post("/forget", responses=documented(403, 413, 422))
async def forget(site: TheSite, forgotten: Forgotten) -> RemovedAnswer:
    """Forget files, and everything below folders; the pictures are not touched."""
    return RemovedAnswer(await site.change(lambda gallery: gallery.remove(forgotten.paths)))


@router.post("/feedback", status_code=204, responses=documented(403, 404, 413, 422))
async def give_feedback(site: TheSite, feedback: Feedback) -> Response:
    """Remember whether a picture was what was meant."""

    def rate(gallery: LocalGallery) -> None:
        source = site.uploads.source(feedback.query) or said_source(feedback.query)
        gallery.rate(source, feedback.picture, feedback.liked)

    await site.change(rate)
    return Response(status_code=204)


@router.post("/verdicts", status_code=204, responses=documented(403, 404, 413, 422))
async def give_verdict(site: TheSite, verdict: Verdict) -> Response:
    """Remember whether two pictures are duplicates; it holds wherever they are moved."""
    first, second = (said_source(one) for one in (verdict.first, verdict.second))
    await site.change(lambda gallery: gallery.mark(first, second, verdict.is_duplicate))
    return Response(status_code=204)


@router.post("/session", status_code=204, responses=documented(413, 422, 429))
async def sign_in(site: TheSite, request: Request, session: Session) -> Response:
    """Give the token once, and get a cookie that only this server's own page sends."""
    answer = Response(status_code=204)
    if site.options.token is None:
        return answer
    if not is_token(session.token, site.options.token):
        raise site.patience.note_wrong_token(request.scope)
    answer.set_cookie(
        COOKIE,
        make_session(site.options.token),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer
