"""How a feature was computed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """How a feature was computed; two features may be compared only when their recipes are equal.

    Parameters
    ----------
    feature : str         name of the feature, such as ``phash`` or ``embedding``
    version : int         raised whenever the same input would give other numbers
    parameters : mapping  everything else that changes the numbers, JSON values only
    """

    feature: str
    version: int
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @cached_property
    def text(self) -> str:
        """The recipe as canonical JSON text, equal for equal recipes."""
        return json.dumps(
            {"feature": self.feature, "version": self.version, **self.parameters},
            sort_keys=True,
            separators=(",", ":"),
        )

    @property
    def words(self) -> str:
        """The recipe for a person: ``phash, version 1, from_px=56, size=8``."""
        values = (
            f"{name}={value if isinstance(value, str) and value else json.dumps(value, separators=(',', ':'))}"
            for name, value in sorted(self.parameters.items())
        )
        return ", ".join([self.feature, f"version {self.version}", *values])

    @classmethod
    def from_text(cls, text: str) -> Recipe:
        """Return the recipe whose `text` this is."""
        values = json.loads(text)
        return cls(values.pop("feature"), values.pop("version"), values)
