"""The page itself, and whether the server is well."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from lookalike import __version__
from lookalike.answers.gallery import HealthAnswer, ReadyAnswer
from lookalike.web.answers import json_answer
from lookalike.web.metrics import CONTENT_TYPE
from lookalike.web.problems import documented
from lookalike.web.routes.shared import TheSite

STATIC = Path(__file__).parent.parent / "static"
router = APIRouter()


@router.get("/", include_in_schema=False)
@router.get("/duplicates", include_in_schema=False)
@router.get("/library", include_in_schema=False)
async def page() -> Response:
    """Answer with the page; which part of it is shown is decided in the browser."""
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})


@router.get("/health", tags=["server"], responses=documented())
async def health() -> HealthAnswer:
    """Say that the server runs."""
    return HealthAnswer("ok", __version__)


@router.get("/ready", tags=["server"], response_model=ReadyAnswer, responses=documented())
async def ready(site: TheSite) -> Response:
    """Say whether the gallery and the model are loaded, so that answers come at once."""
    if site.is_ready:
        return json_answer(ReadyAnswer("ready"))
    return json_answer(ReadyAnswer("starting"), 503, {"Retry-After": "1"})


@router.get("/metrics", tags=["server"], responses=documented(), response_class=Response)
async def metrics(site: TheSite) -> Response:
    """Give the figures that Prometheus reads."""
    return Response(site.metrics.render(), headers={"Content-Type": CONTENT_TYPE})
