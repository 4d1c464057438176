"""The measured figures as Markdown; the best of each row or column stands in bold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Result = Mapping[str, Any]

# Recall in % at 99.99 % precision over 3,854 pictures an edit, as perception's documentation has it.
PUBLISHED_EDITS = (
    "blur2", "crop0.05", "gamma2", "jpeg95", "noise0.2", "pad0.2", "resize0.5", "rotate4", "vignette", "watermark"
)  # fmt: skip
PUBLISHED = {
    "perception pdq": (99.9, 9.0, 100, 99.9, 99.2, 1.3, 99.8, 54.5, 100, 99.0, 77.2),
    "perception phash 16": (100, 7.1, 100, 99.9, 99.9, 2.4, 100, 59.6, 100, 99.4, 82.0),
    "perception dhash 16": (99.2, 0.5, 90.0, 74.1, 40.1, 0.2, 99.3, 1.4, 12.2, 100, 52.0),
    "perception ahash 16": (49.0, 0.1, 0.9, 5.3, 3.0, 0.0, 70.8, 1.3, 4.7, 18.5, 17.6),
    "perception marrhildreth": (99.0, 1.6, 94.2, 59.3, 33.1, 0.1, 97.8, 3.8, 30.5, 99.5, 55.9),
    "perception blockmean": (80.8, 0.2, 1.7, 32.0, 8.6, 0.0, 95.2, 3.0, 6.1, 41.6, 27.7),
    "perception wavelet 16": (62.2, 0.0, 15.0, 3.7, 1.9, 0.0, 80.7, 0.0, 1.9, 46.9, 18.5),
}
HEADS = {
    "ImageHash ahash": "IH a", "ImageHash dhash": "IH d", "ImageHash phash": "IH p", "ImageHash whash": "IH w",
    "imagededup PHash": "idd p", "imagededup CNN": "idd CNN", "PDQ PDQ": "PDQ", "perception phash 16": "per p16",
    "perception dhash 16": "per d16", "fastdup fastdup": "fastdup", "lookalike ahash": "our a",
    "lookalike dhash": "our d", "lookalike phash": "our p", "lookalike whash": "our w",
    "lookalike phash 16": "our p16", "lookalike hsv": "hsv", "lookalike embedding": "embedding",
    "lookalike auto": "auto", "lookalike copy, proven": "proven",
}  # fmt: skip


def as_markdown(result: Result) -> str:
    """Return everything as one page."""
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    parts = [f"{result['machine']}.\nVersions: {versions}.\nCommand: `{result['command']}`."]
    for name, (title, draw) in _TABLES.items():
        if name in result:
            parts += [f"### {title}", draw(result)]
    return "\n\n".join(part for part in (*parts, _absent(result)) if part)


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _measured(section: Result) -> dict[str, Any]:
    """Return the rows that hold figures, without those of absent rivals."""
    return {name: row for name, row in section.items() if not isinstance(row, str)}


def _percent(value: float, best: float) -> str:
    text = f"{value:.1f}"
    return f"**{text}**" if round(value, 1) >= round(best, 1) else text


def _published_table(result: Result) -> str:
    header = ["method", *PUBLISHED_EDITS, "all"]
    lines = [[f"*{name}, published*", *(f"{value:.1f}" for value in row)] for name, row in PUBLISHED.items()]
    measured = {
        name: [100 * row["by_edit"][edit] for edit in PUBLISHED_EDITS] + [100 * row["overall"]]
        for name, row in _measured(result["published"]).items()
    }
    best = [max(column) for column in zip(*measured.values(), strict=True)]
    for name, row in sorted(measured.items(), key=lambda item: item[1][-1]):  # the best last
        lines.append([name, *(_percent(value, top) for value, top in zip(row, best, strict=True))])
    return _rows(header, lines)


def _standard_table(result: Result) -> str:
    measured = {name: row for name, row in _measured(result["standard"]).items() if name in HEADS}
    edits = list(next(iter(measured.values()))["by_edit"])
    lines = []
    for edit in [*edits, "all"]:
        values = [
            100 * (row["overall"] if edit == "all" else row["by_edit"][edit]) for row in measured.values()
        ]
        lines.append([edit, *(_percent(value, max(values)) for value in values)])
    lines.append(["false pairs", *(str(row["n_false"]) for row in measured.values())])
    legend = "; ".join(f"{HEADS[name]}: {name}" for name in measured)
    return _rows(["edit", *(HEADS[name] for name in measured)], lines) + f"\n\n{legend}."


def _duplicates_table(result: Result) -> str:
    measured = _measured(result["duplicates"])
    n_planted = result["n_planted"]
    header = ["tool", "found", "found, %", "false pairs", "seconds", "pictures/s, files to pairs", "peak MB"]
    best = [
        max(row["found"] for row in measured.values()),
        min(row["false"] for row in measured.values()),
        min(row["seconds"] for row in measured.values()),
        min(row["peak_mb"] for row in measured.values()),
    ]
    lines = []
    for name, row in sorted(measured.items(), key=lambda item: item[1]["found"]):
        lines.append([
            name,
            _marked(row["found"], best[0], "{:,}"),
            f"{100 * row['found'] / n_planted:.1f}",
            _marked(row["false"], best[1], "{:,}"),
            _marked(row["seconds"], best[2], "{:,.1f}"),
            f"{row['pictures_per_second']:,.0f}",
            _marked(row["peak_mb"], best[3], "{:,.0f}"),
        ])  # fmt: skip
    return _rows(header, lines)


def _speed_table(result: Result) -> str:
    measured = _measured(result["speed"])
    columns: list[tuple[str, str, Callable[..., float]]] = [
        ("pictures/s, one core", "on 1", max),
        ("pictures/s, two cores", "on 2", max),
        ("peak MB, one core", "peak_mb on 1", min),
        ("peak MB, two cores", "peak_mb on 2", min),
    ]
    best = {key: pick(row[key] for row in measured.values()) for _, key, pick in columns}
    ordered = sorted(measured.items(), key=lambda item: item[1]["on 2"])
    lines = [
        [name, *(_marked(row[key], best[key], "{:,.0f}") for _, key, _ in columns)] for name, row in ordered
    ]
    return _rows(["file to feature", *(title for title, _, _ in columns)], lines)


def _marked(value: float, best: float, form: str) -> str:
    text = form.format(value)
    return f"**{text}**" if value == best else text


def _absent(result: Result) -> str:
    """Return one line for each rival or method that could not be asked, with its reason."""
    reasons = {name: text for name, text in result["versions"].items() if text.startswith("absent")}
    for section in _TABLES:
        for name, row in result.get(section, {}).items():
            if isinstance(row, str) and name.split()[0] not in reasons:
                reasons.setdefault(name, f"absent: {row}")
    return "\n".join(f"- {name}: {reason}" for name, reason in reasons.items())


_TABLES: dict[str, tuple[str, Callable[[Result], str]]] = {
    "published": ("perception's published table, reproduced", _published_table),
    "standard": ("Twenty edits, one threshold at 99.9 % precision", _standard_table),
    "duplicates": ("Planted duplicates", _duplicates_table),
    "speed": ("Speed and memory", _speed_table),
}
