"""Answers -> matplotlib figures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from lookalike.answers.search import Answer
from lookalike.extras import require_extra
from lookalike.report.thumbnails import small_image
from lookalike.settings import Settings


def check_matplotlib() -> None:
    """Raise MissingExtraError where matplotlib is not installed."""
    require_extra("figures", "figures")


def search_figure(answer: Answer, query: Any, settings: Settings, *, n_columns: int = 5) -> Any:
    """Return a matplotlib figure of a query with its matches: best first, scores above, reasons below.

    Raises
    ------
    MissingExtraError
        Matplotlib is not installed.
    """
    check_matplotlib()
    from matplotlib.figure import Figure

    shown: list[tuple[Any, str]] = [(query, "query")]
    for rank, match in enumerate(answer.matches, 1):
        relation = match.relation.replace("_", " ")
        name = Path(match.picture.path).name.encode(errors="replace").decode()
        shown.append((match.picture.path, f"{rank}. {match.score:.3f} {relation}\n{name}"))
    n_columns = min(n_columns, len(shown))
    n_rows = -(-len(shown) // n_columns)
    figure = Figure(figsize=(3.0 * n_columns, 3.2 * n_rows), layout="constrained")
    for place, (source, title) in enumerate(shown, 1):
        axes = figure.add_subplot(n_rows, n_columns, place)
        image = small_image(source, settings)
        if image is not None:
            axes.imshow(image)
        axes.set_title(title, fontsize=9, fontweight="bold" if place == 1 else "normal", wrap=True)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def figure_bytes(figure: Any, kind: str) -> bytes:
    """Return a figure as a file of this kind: png, svg or pdf."""
    import logging
    import warnings

    # matplotlib warns of every letter that its font lacks; a name in Chinese is no reason to.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format=kind, dpi=120)
    return buffer.getvalue()
