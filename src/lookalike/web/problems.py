"""Errors as problem details (RFC 9457): every answer that is no success has this form."""

from __future__ import annotations

import http
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lookalike.errors import (
    FeatureMismatchError,
    GalleryNotFoundError,
    InputError,
    LookalikeError,
    PictureError,
    QueryError,
    UnwritableError,
)
from lookalike.records.codec import to_json

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
MAX_INSTANCE_LENGTH = 200
MAX_TOLD = 10  # of what is wrong with a request
MAX_PLACE_LENGTH = 200
SCHEMA = {
    "title": "Problem",
    "type": "object",
    "description": "What went wrong, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:lookalike:QueryError", "about:blank"]},
        "title": {"type": "string", "examples": ["Not Found"]},
        "status": {"type": "integer", "examples": [404]},
        "detail": {"type": "string", "examples": ["'id:7' is no picture of this gallery."]},
        "instance": {"type": "string", "examples": ["/api/v1/pictures/7"]},
    },
}


class Refusal(HTTPException):
    """A request that is refused, with one sentence for a person."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, dict(headers or {}))


class BusyError(Refusal):
    """Too much waits already; the client may try again soon."""

    def __init__(self, what: str = "requests") -> None:
        super().__init__(
            503,
            f"the server has as many {what} as it can hold: try again in a moment.",
            {"Retry-After": str(RETRY_AFTER_S)},
        )


def problem(
    status: int, detail: str, path: str, headers: Mapping[str, str] | None = None, kind: str = "about:blank"
) -> Response:
    """Return a problem as a response; `kind` is a URI that names it."""
    document = {
        "type": kind,
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": path[:MAX_INSTANCE_LENGTH],
    }
    return Response(to_json(document), status, dict(headers or {}), MEDIA_TYPE)


def status_of(error: LookalikeError) -> int:
    """Return the status that tells a client what kind of error it was."""
    kinds: tuple[tuple[type[LookalikeError], int], ...] = (
        (QueryError, 404),
        (InputError, 422),
        (PictureError, 422),
        (FeatureMismatchError, 409),
        (GalleryNotFoundError, 503),
        (UnwritableError, 507),
    )
    return next((status for kind, status in kinds if isinstance(error, kind)), 500)


def install(app: FastAPI) -> None:
    """Have every error of the app answered as a problem."""

    async def on_refusal(request: Request, error: Exception) -> Response:
        refused = error if isinstance(error, HTTPException) else HTTPException(500)
        return problem(refused.status_code, str(refused.detail), request.url.path, refused.headers)

    async def on_invalid(request: Request, error: Exception) -> Response:
        return problem(422, _explain(error), request.url.path)

    async def on_known(request: Request, error: Exception) -> Response:
        status = status_of(error) if isinstance(error, LookalikeError) else 500
        return problem(status, str(error), request.url.path, kind=f"urn:lookalike:{type(error).__name__}")

    async def on_unknown(request: Request, _: Exception) -> Response:
        return problem(500, "something unexpected happened; the server's log has it.", request.url.path)

    app.add_exception_handler(HTTPException, on_refusal)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(LookalikeError, on_known)
    app.add_exception_handler(Exception, on_unknown)


def _explain(error: Exception) -> str:
    """Say in one sentence what a request lacks or has wrong."""
    if not isinstance(error, RequestValidationError):
        return str(error)
    errors = error.errors()
    parts = []
    for one in errors[:MAX_TOLD]:
        place = " ".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0])
        parts.append(f"{place[:MAX_PLACE_LENGTH]}: {one['msg']}")
    more = f"; and {len(errors) - MAX_TOLD:,} more" if len(errors) > MAX_TOLD else ""
    return "; ".join(parts) + f"{more}."


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that can answer with these problems, and with what any route can."""
    return {
        status: {
            "description": http.HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted({*statuses, 400, 401, 403, 421, 422, 500, 503, 507})
    }
