"""What the routes have in common: the site, and texts that need not be Unicode."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import Depends, Path, Request
from pydantic import PlainValidator, WithJsonSchema

from lookalike.web.site import Site

QUERY_PATTERN = r"^(up:[0-9a-f]{32}|id:[0-9]{1,18})$"
MAX_ID = 2**63 - 1
MAX_ID_LENGTH = 64  # of a job, a plan or a report


def site_of(request: Request) -> Site:
    """Return the site of the app that serves a request."""
    return cast("Site", request.app.state.site)


TheSite = Annotated[Site, Depends(site_of)]
PictureId = Annotated[int, Path(ge=1, le=MAX_ID, description="A picture's id, as searches give it.")]


MAX_PATH_LENGTH = 4096  # longer ones no system opens


def _is_text(value: Any) -> str:
    if not isinstance(value, str) or not value or "\x00" in value or len(value) > MAX_PATH_LENGTH:
        raise ValueError(f"this must be text of 1 to {MAX_PATH_LENGTH:,} characters, without a NUL character")
    return value


# A path need not be Unicode; pydantic's own text would refuse what JSON carries as lone surrogates.
PathText = Annotated[
    str,
    PlainValidator(_is_text),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[^\\x00]+$",
            "maxLength": MAX_PATH_LENGTH,
            "examples": ["/home/ada/Pictures"],
        }
    ),
]
