"""Parts of a query, cut out blindly: of a collage, a page or a screenshot each may be a picture of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.features.prepared import Prepared
from lookalike.queries.source import Box, Source, cut_box, decode_source

if TYPE_CHECKING:
    from lookalike.queries.reader import LocalReader

_GRIDS = ((2, 1), (1, 2), (2, 2), (3, 3))  # columns and rows

PARTS = tuple(
    Box(column / n_columns, row / n_rows, 1 / n_columns, 1 / n_rows)
    for n_columns, n_rows in _GRIDS
    for row in range(n_rows)
    for column in range(n_columns)
)
"""Halves, quarters and ninths: what people lay pictures out in."""


def prepare_parts(reader: LocalReader, source: Source) -> list[Prepared]:
    """Return every part of a picture ready for the features, from one decode; raise PictureError."""
    extractor = reader.extractor
    least = min(min(part.width, part.height) for part in PARTS)
    picture, _ = decode_source(source, extractor.settings, min_side_px=round(extractor.min_side_px / least))
    return [extractor.prepare(cut_box(picture, part)) for part in PARTS]
