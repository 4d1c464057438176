"""What the routes have in common: the site, and texts that need not be Unicode."""

from __future__ import annotations

import os
from typing import Annotated, Any, cast

from fastapi import Depends, Path, Request
from pydantic import Field, PlainValidator, WithJsonSchema

from lookalike.gallery.local import LocalGallery
from lookalike.queries.source import Source
from lookalike.web.site import Site

QUERY_PATTERN = r"^(up:[0-9a-f]{32}|id:[0-9]{1,18})$"
SAID_PATTERN = r"^(up:[0-9a-f]{32}|id:[0-9]{1,18}|sha256:[0-9a-f]{64})$"
_NAMED_PATTERN = r"^(id:[0-9]{1,18}|sha256:[0-9a-f]{64})$"
_DIGEST = "sha256:"
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
    return os.path.expanduser(value) if value == "~" or value.startswith("~/") else value


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

Said = Annotated[
    Annotated[int, Field(ge=1, le=MAX_ID)] | Annotated[str, Field(pattern=_NAMED_PATTERN)],
    Field(description="An id, or `sha256:` and the digest of a picture's bytes.", examples=[1]),
]
"""A picture of which something is said, which the gallery need not hold."""


def said_source(picture: int | str) -> Source | str:
    """Return where the picture is of which something is said: in the gallery, or known by its digest alone."""
    if isinstance(picture, int):
        return f"id:{picture}"
    digest = _digest_of(picture)
    return picture if digest is None else Source(picture, digest=digest)


def said_id(gallery: LocalGallery, picture: int | str) -> int:
    """Return the id of the picture of which something is said; 0, which no picture has, where it is not held."""
    if isinstance(picture, int):
        return picture
    digest = _digest_of(picture)
    return int(picture.removeprefix("id:")) if digest is None else gallery.id_of(digest) or 0


def _digest_of(picture: str) -> bytes | None:
    return bytes.fromhex(picture.removeprefix(_DIGEST)) if picture.startswith(_DIGEST) else None
