"""Records -> HTML by the templates beside this module: self-contained pages, which load nothing from elsewhere.

Whatever a template shows is escaped, for a name of a file may hold anything; only what a template itself made, and
what `Markup` vouches for, is not.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup


def render(template: str, **values: Any) -> Markup:
    """Return a template of the folder ``templates``, filled in."""
    return Markup(_environment().get_template(template).render(values))  # noqa: S704  (escaped by the template)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("lookalike.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.tests["finite"] = math.isfinite
    environment.filters["last_two_parts"] = _last_two_parts
    return environment


def _last_two_parts(name: str) -> str:
    """Return the end of a name: class and file."""
    return "/".join(name.split("/")[-2:])


def _printable(value: Any) -> Any:
    """Return a text as something that UTF-8 can carry: names of files may hold bytes that are no text."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return value.encode(errors="replace").decode()
