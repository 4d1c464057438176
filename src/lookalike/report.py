"""Answers -> JSON, CSV, paths, HTML and figures: one serialiser for every face."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.errors import LookalikeError, MissingExtraError
from lookalike.settings import Settings

if TYPE_CHECKING:
    from lookalike.acting.apply import ApplyReport
    from lookalike.acting.undo import UndoReport
    from lookalike.adding.add import AddReport
    from lookalike.gallery import GalleryInfo
    from lookalike.matching.compare import Comparison
    from lookalike.matching.duplicates import DuplicatesReport, Member
    from lookalike.matching.search import Match
    from lookalike.storage.store import FoundPicture

_THUMBNAIL_PX = 224


@dataclass(frozen=True)
class Answer:
    """The answer to one query of a search: its matches, or why there are none."""

    query: str
    matches: Sequence[Match] = ()
    error: str | None = None


def to_json(document: Any) -> str:
    """Return one line of JSON, readable where the text allows it; undecodable names are escaped."""
    text = json.dumps(document, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(document)
    return text


def add_document(report: AddReport) -> dict[str, Any]:
    """Return what `index --json` prints."""
    return {**asdict(report), "seconds": round(report.seconds, 3)}


def match_document(match: Match) -> dict[str, Any]:
    """Return one match as `search --json` prints it."""
    picture = match.picture
    return {
        "path": picture.path,
        "score": round(match.score, 6),
        "distance": round(match.distance, 6),
        "unit": match.unit,
        "relation": match.relation,
        "by": match.by,
        "why": match.why,
        "id": picture.content_id,
        "format": picture.format,
        "width_px": picture.width_px,
        "height_px": picture.height_px,
        "size_bytes": picture.size_bytes,
        "date": picture.date,
        **({} if match.proof is None else {"proof": dict(match.proof)}),
    }


def search_document(answer: Answer) -> dict[str, Any]:
    """Return what `search --json` prints for one query."""
    if answer.error is not None:
        return {"query": answer.query, "error": answer.error}
    return {"query": answer.query, "matches": [match_document(match) for match in answer.matches]}


def compare_document(comparison: Comparison) -> dict[str, Any]:
    """Return what `compare --json` prints."""
    return {
        "measures": {one.name: round(one.value, 6) for one in comparison.measures},
        "relation": comparison.relation,
        "verdict": comparison.verdict,
        "proof": dict(comparison.proof),
    }


def info_document(info: GalleryInfo) -> dict[str, Any]:
    """Return what `info --json` prints."""
    return asdict(info)


def search_csv(answers: Sequence[Answer]) -> str:
    """Return all matches as CSV with a header, one a row, after the query they answer."""
    columns = ["query", "rank", "path", "score", "distance", "unit", "relation", "by", "why", "error"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for answer in answers:
        if answer.error is not None:
            writer.writerow({"query": answer.query, "error": answer.error})
        for rank, match in enumerate(answer.matches, 1):
            writer.writerow({"query": answer.query, "rank": rank, **match_document(match)})
    return text.getvalue()


def duplicates_document(report: DuplicatesReport) -> dict[str, Any]:
    """Return what `duplicates --json` prints; a group's members are the files beside its keeper."""
    return {
        "groups": [
            {
                "relation": group.relation,
                "keeper": group.keeper.path,
                "why": group.why,
                "members": [_member_document(member) for member in group.members],
                "saved_bytes": group.n_bytes_saved,
            }
            for group in report.groups
        ],
        "compared": report.n_compared,
        "failed": [asdict(failure) for failure in report.failed],
        "seconds": round(report.seconds, 3),
    }


def _member_document(member: Member) -> dict[str, Any]:
    return {
        "path": member.picture.path,
        "relation": member.relation,
        "score": round(member.score, 4),
        "proof": dict(member.proof),
        "removable": not member.note,
        "note": member.note,
        "size_bytes": member.picture.size_bytes,
    }


def duplicates_csv(report: DuplicatesReport) -> str:
    """Return the groups as CSV with a header: a row a file, keepers first."""
    columns = [
        "group",
        "role",
        "path",
        "relation",
        "score",
        "transform",
        "removable",
        "note",
        "size_bytes",
        "why",
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for number, group in enumerate(report.groups, 1):
        keeper = group.keeper
        writer.writerow(
            {
                "group": number,
                "role": "keep",
                "path": keeper.path,
                "size_bytes": keeper.size_bytes,
                "why": group.why,
            }
        )
        for member in group.members:
            transform = member.proof.get("transform", "")
            row = {**_member_document(member), "transform": transform}
            writer.writerow({"group": number, "role": "member", **row})
    return text.getvalue()


def apply_document(report: ApplyReport) -> dict[str, Any]:
    """Return what `apply --json` prints."""
    return {**asdict(report), "seconds": round(report.seconds, 3)}


def undo_document(report: UndoReport) -> dict[str, Any]:
    """Return what `undo --json` prints."""
    return {**asdict(report), "seconds": round(report.seconds, 3)}


_STYLE = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; overflow-wrap: anywhere; }
ol { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; list-style: none;
     padding: 0; }
li { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; }
img { width: 100%; height: 12rem; object-fit: contain; display: block; }
.query img { width: auto; height: 16rem; }
.score { font-weight: 600; font-size: 1.1rem; } .why, .path { font-size: .85rem; overflow-wrap: anywhere; }
.path { opacity: .75; } .error { color: #c0392b; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; }
.overlap { position: relative; } .overlap svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.overlap polygon { fill: #27ae6022; stroke: #27ae60; stroke-width: 3; vector-effect: non-scaling-stroke; }
.overlap img { height: auto; max-height: none; }
ol.groups { display: block; } ol.groups > li { margin-bottom: 1rem; }
.keep { color: #1e8449; font-weight: 600; } .stay { color: #b9770e; }
.relation { border-radius: 1rem; padding: .1rem .6rem; background: #2874a622; font-size: .85rem; }
"""


def search_html(answers: Sequence[Answer], queries: Sequence[Any], settings: Settings) -> str:
    """Return a page that shows each query with its matches; self-contained, it loads nothing.

    `queries` are what was asked with, in the order of `answers`; their pictures are shown where they can be
    read again (standard input cannot).
    """
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<title>lookalike: search</title><style>{_STYLE}</style><h1>What looks like this?</h1>"
    ]
    for answer, query in zip(answers, queries, strict=True):
        parts.append(f"<section><h2>{_escape(answer.query)}</h2>")
        if answer.error is not None:
            parts.append(f"<p class=error>{_escape(answer.error)}</p></section>")
            continue
        parts.append(f"<div class=query>{_image_tag(query, 'the query', settings)}</div>")
        parts.append("<ol>" if answer.matches else "<p>Nothing was found.</p><ol>")
        parts.extend(_match_card(rank, match, settings) for rank, match in enumerate(answer.matches, 1))
        parts.append("</ol></section>")
    return "\n".join(parts)


def _match_card(rank: int, match: Match, settings: Settings) -> str:
    picture = match.picture
    relation = match.relation.replace("_", " ")
    overlap = None if match.proof is None else match.proof.get("overlap_second")
    return (
        f"<li>{_overlap_tag(picture, overlap, f'match {rank}', settings)}"
        f"<p><span class=score>{rank}. {match.score:.3f}</span> <span class=relation>{relation}</span></p>"
        f"<p class=why>{_escape(match.why)}</p>"
        f"<p class=path>{_escape(picture.path)}<br>{picture.format}, {picture.width_px} × {picture.height_px}, "
        f"{picture.size_bytes / 1000:,.0f} kB</p></li>"
    )


def duplicates_html(report: DuplicatesReport, settings: Settings) -> str:
    """Return a page with every group side by side, the overlap drawn; self-contained, it loads nothing."""
    n_files = sum(len(group.members) for group in report.groups)
    saved = sum(group.n_bytes_saved for group in report.groups)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<title>lookalike: duplicates</title><style>{_STYLE}</style><h1>Duplicates</h1>"
        f"<p>{len(report.groups):,} groups, {n_files:,} files beside those to keep; "
        f"{saved / 1e6:,.1f} MB could be saved. Nothing was changed.</p><ol class=groups>"
    ]
    for number, group in enumerate(report.groups, 1):
        keeper = group.keeper
        parts.append(
            f"<li><h2>{number}. <span class=keep>keep</span> {_escape(keeper.path)}</h2>"
            f"<p class=why>{keeper.format}, {keeper.width_px} × {keeper.height_px}, "
            f"{keeper.size_bytes / 1000:,.0f} kB; {_escape(group.why)}</p>"
        )
        parts.extend(_member_card(keeper, member, settings) for member in group.members)
        parts.append("</li>")
    return "\n".join([*parts, "</ol>"])


def _member_card(keeper: FoundPicture, member: Member, settings: Settings) -> str:
    picture, proof = member.picture, member.proof
    fate = f"<span class=stay>stays: {_escape(member.note)}</span>" if member.note else "may go"
    words = proof.get("transform") or proof.get("method", "")
    points = f", {proof['inliers']} points agree" if proof.get("inliers") else ""
    facts = f"{picture.format}, {picture.width_px} × {picture.height_px}, {picture.size_bytes / 1000:,.0f} kB"
    relation = member.relation.replace("_", " ")
    return (
        f"<div class=pair><div>{_overlap_tag(keeper, proof.get('overlap_first'), 'keep', settings)}</div>"
        f"<div>{_overlap_tag(picture, proof.get('overlap_second'), 'member', settings)}</div></div>"
        f"<p><span class=relation>{relation}</span> {_escape(str(words))}{points}; {fate}</p>"
        f"<p class=path>{_escape(picture.path)}<br>{facts}</p>"
    )


def _overlap_tag(picture: FoundPicture, polygon: Any, alt: str, settings: Settings) -> str:
    """Return a thumbnail with the overlap drawn over it, in the picture's own pixels."""
    corners = " ".join(f"{x},{y}" for x, y in polygon or ())
    drawn = (
        f'<svg viewBox="0 0 {picture.width_px} {picture.height_px}" preserveAspectRatio="none" '
        f'aria-hidden=true><polygon points="{corners}"/></svg>'
        if corners
        else ""
    )
    return f"<div class=overlap>{_image_tag(picture.path, alt, settings)}{drawn}</div>"


def _escape(text: str) -> str:
    return html.escape(text.encode(errors="replace").decode())


def _image_tag(source: Any, alt: str, settings: Settings) -> str:
    data = _thumbnail(source, settings)
    if data is None:
        return f"<p class=error>({_escape(alt)} cannot be shown)</p>"
    encoded = base64.b64encode(data).decode()
    return f'<img alt="{_escape(alt)}" src="data:image/jpeg;base64,{encoded}">'


def _thumbnail(source: Any, settings: Settings) -> bytes | None:
    """Return a small JPEG of a picture, in its own shape, or None where it cannot be read."""
    image = _small_image(source, settings)
    if image is None:
        return None
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _small_image(source: Any, settings: Settings) -> Any | None:
    from lookalike.matching.query import STDIN, parse_source
    from lookalike.media.decode import decode

    if source == STDIN:
        return None
    try:
        place = parse_source(source, None) if isinstance(source, str) else None
        where: Any = Path(place.path) if place is not None and place.path is not None else source
        image = decode(where, min_side_px=_THUMBNAIL_PX, settings=settings).image
    except LookalikeError:
        return None
    image = image.copy()
    image.thumbnail((2 * _THUMBNAIL_PX, 2 * _THUMBNAIL_PX))
    return image


def search_figure(answer: Answer, query: Any, settings: Settings, *, n_columns: int = 5) -> Any:
    """Return a matplotlib figure of a query with its matches: best first, scores above, reasons below.

    Raises
    ------
    MissingExtraError    matplotlib is not installed
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            "figures need matplotlib: install it with `pip install 'lookalike[figures]'`."
        ) from error
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
        image = _small_image(source, settings)
        if image is not None:
            axes.imshow(image)
        axes.set_title(title, fontsize=9, fontweight="bold" if place == 1 else "normal", wrap=True)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure; the suffix says the format (png, svg, pdf)."""
    import logging

    # matplotlib warns of every letter that its font lacks; a name in Chinese is no reason to.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(path, dpi=120)
