"""What came to nothing, told to a person."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """One file that could not be used, with the step that failed and the reason in words."""

    path: str
    stage: str
    reason: str
