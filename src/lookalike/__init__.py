"""lookalike finds the picture you mean and the copies you forgot.

>>> from lookalike import Gallery
>>> with Gallery.open("my.gallery", create=True) as gallery:   # doctest: +SKIP
...     gallery.add("Pictures")
...     for match in gallery.search("holiday.jpg", k=5):
...         print(match.picture.path, match.score, match.why)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lookalike.errors import LookalikeError as LookalikeError
    from lookalike.loose import compare as compare
    from lookalike.loose import hash_picture as hash_picture
    from lookalike.opening import Gallery as Gallery
    from lookalike.settings import Settings as Settings
    from lookalike.storage.filters import Filter as Filter

__version__ = "0.1.0"

_HOMES = {
    "Gallery": "lookalike.opening",
    "compare": "lookalike.loose",
    "hash_picture": "lookalike.loose",
    "Filter": "lookalike.storage.filters",
    "Settings": "lookalike.settings",
    "LookalikeError": "lookalike.errors",
}
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that importing lookalike stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
