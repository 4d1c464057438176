"""Search: by upload, by id, several at once; refine and compare."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from lookalike.answers.search import (
    BatchAnswer,
    ComparedAnswer,
    FullPromiseAnswer,
    MatchAnswer,
    PromiseAnswer,
    SearchAnswer,
    SearchPage,
)
from lookalike.errors import PictureError
from lookalike.gallery.local import LocalGallery
from lookalike.queries.source import Box, Source, parse_box
from lookalike.records.calibration import PROOF
from lookalike.records.relation import Relation
from lookalike.searching.way import AUTO
from lookalike.searching.ways import find_way, ways
from lookalike.storage.filters import Filter
from lookalike.web.answers import json_answer
from lookalike.web.problems import Refusal, documented
from lookalike.web.routes.shared import QUERY_PATTERN, TheSite
from lookalike.web.site import Site

router = APIRouter(prefix="/api/v1", tags=["search"])
MAX_BATCH = 32
MAX_PROOFS = 100  # each takes some milliseconds of one search thread
_IDS = r"^[0-9]{1,18}(,[0-9]{1,18}){0,99}$"


class Question(BaseModel):
    """What is asked of a search, besides the picture."""

    model_config = ConfigDict(extra="forbid")

    k: int = Field(10, ge=1, le=1000, description="How many matches at most.")
    by: str = Field(AUTO, description="The way to search; see `/api/v1/ways`.", examples=["auto"])
    verify: bool = Field(
        False, description=f"Prove the matches, {MAX_PROOFS} an answer; the proven come first."
    )
    offset: int | None = Field(None, ge=0, le=1000, description="Leave out so many of the first matches.")
    box: str | None = Field(
        None, description="Only this part: left,top,width,height as fractions.", examples=["0.25,0.1,0.5,0.5"]
    )
    folder: str | None = Field(None, description="Only files below this folder.")
    format: list[str] = Field([], description="Only these formats.", examples=[["jpeg", "png"]])
    min_side: int = Field(0, ge=0, description="Shorter side at least, in pixels.")
    min_bytes: int | None = Field(None, ge=0)
    max_bytes: int | None = Field(None, ge=0)
    since: str | None = Field(None, description="Taken on or after this date.", examples=["2019-06-01"])
    until: str | None = Field(None, description="Taken on or before this date.", examples=["2019"])
    relation: Relation | None = Field(None, description="This relation or closer.")
    min_score: float | None = Field(None, description="Leave out scores below this.")
    max_distance: float | None = Field(None, description="Leave out what is further, in the way's own unit.")
    precision: float | None = Field(
        None, gt=0, lt=1, description="Only copies, so that this share of them is right.", examples=[0.99]
    )
    liked: str | None = Field(
        None, pattern=_IDS, description="Ids of answers to move towards.", examples=["3,8"]
    )
    disliked: str | None = Field(None, pattern=_IDS, description="Ids of answers to move away from.")

    def cut(self) -> tuple[int, int | None]:
        """Return how many matches one answer gives after which: no request may hold a thread for long."""
        if not self.verify or self.k <= MAX_PROOFS:
            return self.k, self.offset
        return MAX_PROOFS, self.offset or 0

    def filter(self) -> Filter:
        """Return which pictures may answer."""
        return Filter(
            self.folder,
            tuple(self.format),
            self.min_side,
            self.min_bytes,
            self.max_bytes,
            self.since,
            self.until,
        )

    def parsed_box(self) -> Box | None:
        """Return the box, if there is one."""
        return None if self.box is None else parse_box(self.box)


class StoredQuestion(Question):
    """A question about a picture that the server has."""

    query: str = Field(
        pattern=QUERY_PATTERN,
        description="`id:N`, a picture of the gallery, or `up:...`, one that was sent before.",
        examples=["id:1"],
    )


def _ids(text: str | None) -> list[int]:
    return [] if text is None else [int(part) for part in text.split(",")]


def answer(gallery: LocalGallery, source: Source | str, label: str, question: Question) -> SearchPage:
    """Return the page that answers one question."""
    query = gallery.load(source, box=question.parsed_box(), keep=True)
    liked, disliked = _ids(question.liked), _ids(question.disliked)
    if liked or disliked:
        query = gallery.refine(query, liked, disliked, by=question.by)
    k, offset = question.cut()
    page = gallery.search_page(
        query,
        k=k,
        offset=offset,
        by=question.by,
        min_score=question.min_score,
        max_distance=question.max_distance,
        where=question.filter(),
        verify=question.verify,
        relation=question.relation,
        precision=question.precision,
    )
    promised = None
    if question.precision is not None:
        promised = gallery.promise(PROOF if question.verify else question.by, question.precision)
    note = None
    if k < question.k and page.has_more:
        note = f"one answer proves {k} matches at most: ask for the next with offset={page.offset + k}."
    return SearchPage(
        query=label,
        matches=tuple(MatchAnswer.of(match) for match in page.matches),
        query_width_px=query.size_px[0],
        query_height_px=query.size_px[1],
        offset=page.offset,
        has_more=page.has_more,
        promise=None if promised is None else PromiseAnswer.of(promised),
        note=note,
    )


async def _read(upload: UploadFile) -> bytes:
    data = await upload.read()
    if not data:
        raise Refusal(422, "the picture is empty: send its bytes.")
    return data


def _label(upload: UploadFile) -> str:
    return upload.filename or "upload"


@router.get("/ways", responses=documented())
async def get_ways(site: TheSite) -> list[str]:
    """List the ways to search, the default first."""
    return ways(site.options.settings)


@router.get("/promise", response_model=FullPromiseAnswer, responses=documented(422))
async def get_promise(
    site: TheSite,
    precision: Annotated[
        float, Query(description="Share of copies among what is returned.", examples=[0.99])
    ],
    by: Annotated[str, Query(description="A way to search, or `duplicates`.", examples=["auto"])] = AUTO,
) -> Response:
    """Say what a precision is worth in this gallery: the threshold, and the recall to expect."""
    promised = await site.searches.run(lambda gallery: gallery.promise(by, precision))
    return json_answer(FullPromiseAnswer.of(promised))


@router.get("/search", response_model=SearchPage, responses=documented(404, 409, 422))
async def search(site: TheSite, question: Annotated[StoredQuestion, Query()]) -> Response:
    """Search with a picture of the gallery, or with one that was sent before."""
    find_way(question.by, site.options.settings)

    def ask(gallery: LocalGallery) -> SearchPage:
        return answer(gallery, site.uploads.named(question.query), question.query, question)

    return json_answer(replace(await site.searches.run(ask), query_id=question.query))


@router.post("/search", response_model=SearchPage, responses=documented(404, 408, 409, 413, 415, 422))
async def search_upload(
    site: TheSite,
    question: Annotated[Question, Query()],
    image: Annotated[UploadFile | None, File(description="The picture.")] = None,
    address: Annotated[str | None, Form(description="An http or https address of a picture.")] = None,
) -> Response:
    """Search with a picture that is sent, or with the address of one."""
    find_way(question.by, site.options.settings)
    if (image is None) == (address is None):
        raise Refusal(422, "send one picture as the field `image`, or its address as the field `address`.")
    if image is not None:
        data, label = await _read(image), _label(image)
    else:
        data, label = await site.fetch(address or ""), address or ""
    return json_answer(await _search_sent(site, data, label, question))


async def _search_sent(site: Site, data: bytes, label: str, question: Question) -> SearchPage:
    query_id = await asyncio.to_thread(site.uploads.put, data)
    page = await site.searches.run(
        lambda gallery: answer(gallery, site.uploads.named(query_id, label), label, question)
    )
    return replace(page, query_id=query_id)


@router.post("/search/batch", response_model=BatchAnswer, responses=documented(408, 409, 413, 415, 422))
async def search_batch(
    site: TheSite,
    question: Annotated[Question, Query()],
    image: Annotated[list[UploadFile], File(description="The pictures, 32 at most.")],
) -> Response:
    """Search with several pictures; one that cannot be read is told in its place."""
    if len(image) > MAX_BATCH:
        raise Refusal(422, f"{len(image)} pictures are too many for one request: send {MAX_BATCH} at most.")
    find_way(question.by, site.options.settings)
    answers: list[SearchPage | SearchAnswer] = []
    for upload in image:
        label = _label(upload)
        try:
            answers.append(await _search_sent(site, await _read(upload), label, question))
        except PictureError as error:
            answers.append(SearchAnswer(label, error=str(error)))
    return json_answer(BatchAnswer(tuple(answers)))


Place = Annotated[str, Query(pattern=QUERY_PATTERN, description="`id:N` or `up:...`", examples=["id:1"])]


@router.get("/compare", response_model=ComparedAnswer, responses=documented(404, 422))
async def compare(site: TheSite, first: Place, second: Place) -> Response:
    """Compare two pictures that the server has, by every measure."""
    compared = await site.searches.run(
        lambda gallery: _compare(gallery, site.uploads.named(first), site.uploads.named(second))
    )
    return json_answer(compared)


@router.post("/compare", response_model=ComparedAnswer, responses=documented(408, 413, 415, 422))
async def compare_uploads(
    site: TheSite, first: Annotated[UploadFile, File()], second: Annotated[UploadFile, File()]
) -> Response:
    """Compare two pictures that are sent, by every measure."""
    ids = [await asyncio.to_thread(site.uploads.put, await _read(upload)) for upload in (first, second)]
    compared = await site.searches.run(
        lambda gallery: _compare(gallery, site.uploads.named(ids[0]), site.uploads.named(ids[1]))
    )
    return json_answer(replace(compared, first_id=ids[0], second_id=ids[1]))


def _compare(gallery: LocalGallery, first: Source | str, second: Source | str) -> ComparedAnswer:
    return ComparedAnswer.of(gallery.compare(first, second))
