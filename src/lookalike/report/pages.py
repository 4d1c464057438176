"""Answers -> self-contained HTML pages, which load nothing from elsewhere."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lookalike.report.documents import Answer
from lookalike.report.thumbnails import thumbnail
from lookalike.report.wording import count_duplicates
from lookalike.settings import Settings

if TYPE_CHECKING:
    from lookalike.duplicates.records import DuplicatesReport, Member
    from lookalike.searching.searcher import Match
    from lookalike.storage.store import FoundPicture

_STYLE = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; overflow-wrap: anywhere; }
ol { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); gap: 1rem;
     list-style: none; padding: 0; }
li { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; }
img { width: 100%; height: 12rem; object-fit: contain; display: block; outline: 1px solid var(--line);
      outline-offset: -1px; }
.query img { width: auto; height: 16rem; max-width: 100%; }
.score { font-weight: 600; font-size: 1.1rem; } .why, .path { font-size: .85rem; overflow-wrap: anywhere; }
.path { opacity: .75; } .error { color: #c0392b; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; }
.overlap { position: relative; } .overlap svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.overlap polygon { fill: none; stroke: #27ae60; stroke-width: 3; vector-effect: non-scaling-stroke; }
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
    saved = sum(group.n_bytes_saved for group in report.groups)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<title>lookalike: duplicates</title><style>{_STYLE}</style><h1>Duplicates</h1>"
        f"<p>{count_duplicates(report)}; "
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
    data = thumbnail(source, settings)
    if data is None:
        return f"<p class=error>({_escape(alt)} cannot be shown)</p>"
    encoded = base64.b64encode(data).decode()
    return f'<img alt="{_escape(alt)}" src="data:image/jpeg;base64,{encoded}">'
