"""What people said of pictures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rating:
    """Whether a person liked a picture as an answer to a query, both by the digest of their bytes."""

    query_digest: bytes
    picture_digest: bytes
    is_liked: bool
