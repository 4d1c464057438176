"""The app: guard, metrics and routes over one site."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from lookalike import __version__
from lookalike.web import problems
from lookalike.web.guard import Guard
from lookalike.web.metrics import Measured
from lookalike.web.options import ServeOptions
from lookalike.web.routes import acting, duplicates, jobs, library, pages, pictures, search, tending
from lookalike.web.site import Site


class _Static(StaticFiles):
    """The page's own files; a browser asks whether they are still the same before it uses them again."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


OPENAPI_PATH = "/api/v1/openapi.json"
DESCRIPTION = (
    "Reverse image search and duplicate finding over one gallery. Errors are problem details (RFC 9457)."
)


def create_app(options: ServeOptions) -> FastAPI:
    """Return the app that serves a gallery; its threads and processes end with its lifespan."""
    site = Site(options)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        site.start()
        try:
            yield
        finally:
            site.close()

    app = FastAPI(
        title="lookalike",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=OPENAPI_PATH,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        middleware=[
            Middleware(Measured, metrics=site.metrics),
            Middleware(Guard, options=options, patience=site.patience),
        ],
    )
    app.state.site = site
    problems.install(app)
    for routes in (pages, search, pictures, library, tending, jobs, duplicates, acting):
        app.include_router(routes.router)
    app.mount("/static", _Static(directory=pages.STATIC), name="static")
    app.openapi = lambda: _describe(app)  # type: ignore[method-assign]  # FastAPI's own way to change it
    return app


def _describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with problems in place of FastAPI's own errors."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["Problem"] = problems.SCHEMA
        app.openapi_schema = document
    return app.openapi_schema
