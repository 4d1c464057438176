"""Answers as tables and bars for a person at a terminal: results on stdout, the rest on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

if TYPE_CHECKING:
    from lookalike.acting.apply import ApplyReport
    from lookalike.acting.undo import UndoReport
    from lookalike.adding.add import AddReport, Failure, Progress
    from lookalike.doctor import Finding
    from lookalike.gallery import GalleryInfo
    from lookalike.matching.compare import Comparison
    from lookalike.matching.duplicates import DuplicatesReport
    from lookalike.report.documents import Answer
    from lookalike.settings import Settings
    from lookalike.workers.process import Failed

_N_EXAMPLES = 3

_WIDTH_OF_FILES = 140  # tables that do not go to a terminal

_out = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_FILES)
_err = Console(stderr=True, highlight=False)


def _name(path: str) -> str:
    """Return a path as text that can be printed: undecodable bytes and control characters are escaped."""
    text = path.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return escape("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text))


@contextmanager
def progress() -> Iterator[Callable[[Progress], None]]:
    """Draw a bar on standard error while the block runs, where that is a terminal."""
    if not _err.is_terminal:
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task("looking for pictures", total=None, rate="")

        def on_progress(now: Progress) -> None:
            failed = f", {now.n_failed} failed" if now.n_failed else ""
            speed = bar.tasks[0].speed
            rate = f"{speed:,.0f}/s{failed}" if speed else failed.lstrip(", ")
            text = "looking for pictures" if now.phase == "look" else "adding"
            if now.phase == "add" and now.n_done == 0:
                bar.reset(task, total=now.n_total)
            bar.update(task, description=text, completed=now.n_done, total=now.n_total, rate=rate)

        yield on_progress


@contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """Draw a bar for each stage on standard error while the block runs, where that is a terminal."""
    if not _err.is_terminal:
        yield lambda _stage, _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with RichProgress(*columns, console=_err) as bar:
        tasks: dict[str, TaskID] = {}

        def on_stage(stage: str, n_done: int, n_total: int) -> None:
            if stage not in tasks or n_done == 0:
                tasks[stage] = bar.add_task(stage, total=n_total)
            bar.update(tasks[stage], completed=n_done, total=n_total)

        yield on_stage


def add_report(report: AddReport) -> None:
    """Print what a run of `index` did."""
    rate = (report.added + report.moved) / report.seconds if report.seconds else 0
    parts = [f"{report.added:,} added", f"{report.unchanged:,} unchanged", f"{report.moved:,} moved"]
    if report.copied:
        parts.append(f"of the added {report.copied:,} were copies of known files")
    _out.print(
        f"Saw {report.seen:,} files in {report.seconds:.1f} s: {', '.join(parts)}, "
        f"{len(report.failed):,} failed." + (f" ({rate:,.0f} added a second)" if report.added > 100 else "")
    )
    failures(report.failed)
    if report.interrupted:
        _err.print("Interrupted; what was done is kept. Run the same command to go on.")


def failures(failed: Sequence[Failure | Failed]) -> None:
    """Print failures by reason, each with a few examples."""
    if not failed:
        return
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in failed:
        reasons.setdefault((one.stage, one.reason), []).append(one.path)
    _out.print("Failed, by reason:")
    for (stage, reason), paths in sorted(reasons.items(), key=lambda item: -len(item[1])):
        _out.print(f"{len(paths):6,}  {stage}: {escape(reason)}", soft_wrap=True)
        for path in paths[:_N_EXAMPLES]:
            _out.print(f"          {_name(path)}", soft_wrap=True)
        if len(paths) > _N_EXAMPLES:
            _out.print(f"          and {len(paths) - _N_EXAMPLES:,} more (`lookalike info --json` lists all)")


def answer(found: Answer) -> None:
    """Print the matches of one query."""
    if found.error is not None:
        _err.print(f"lookalike: {_name(found.error)}", soft_wrap=True)
        return
    if not found.matches:
        _out.print(f"{_name(found.query)}: nothing was found.")
        return
    table = Table(title=_name(found.query), title_justify="left")
    for column, justify in (("", "right"), ("score", "right"), ("relation", "left")):
        table.add_column(column, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("path", overflow="fold")
    table.add_column("why", overflow="fold")
    for rank, match in enumerate(found.matches, 1):
        relation = match.relation.replace("_", " ")
        table.add_row(str(rank), f"{match.score:.3f}", relation, _name(match.picture.path), escape(match.why))
    _out.print(table)


def comparison(found: Comparison) -> None:
    """Print all measures of a pair and the verdict."""
    table = Table("measure", "value", "range", "more alike is")
    table.columns[1].justify = "right"
    for one in found.measures:
        value = f"{one.value:.0f}" if isinstance(one.value, int) else f"{one.value:.4f}"
        span = f"{one.lowest:g} to {one.highest:g}"
        table.add_row(one.name.replace("_", " "), value, span, "lower" if one.is_distance else "higher")
    _out.print(table)
    _out.print(f"{found.relation.replace('_', ' ')}: {found.verdict}")


def duplicates(found: DuplicatesReport) -> None:
    """Print the groups, what could be saved, and what could not be read."""
    for number, group in enumerate(found.groups, 1):
        table = Table(title=f"{number}. {_name(group.keeper.path)}", title_justify="left")
        for column in ("", "relation", "path", "how"):
            table.add_column(column, overflow="fold")
        table.add_row("keep", "", _name(group.keeper.path), escape(group.why))
        for member in group.members:
            how = str(member.proof.get("transform") or member.proof.get("method", ""))
            note = f"; stays: {member.note}" if member.note else ""
            relation = member.relation.replace("_", " ")
            fate = "" if member.note else f"-{member.picture.size_bytes / 1000:,.0f} kB"
            table.add_row(fate, relation, _name(member.picture.path), escape(how + note))
        _out.print(table)
    n_files = sum(len(group.members) for group in found.groups)
    saved = sum(group.n_bytes_saved for group in found.groups)
    _out.print(
        f"{len(found.groups):,} groups, {n_files:,} files beside those to keep; {saved / 1e6:,.1f} MB could be "
        f"saved. {found.n_compared:,} pairs compared in {found.seconds:.1f} s."
    )
    failures(found.failed)


def applied(report: ApplyReport) -> None:
    """Print what was done of a plan, and what was not and why."""
    _out.print(
        f"{len(report.done):,} done, {len(report.skipped):,} skipped; {report.bytes_saved / 1e6:,.1f} MB saved. "
        "`lookalike undo` brings everything back."
    )
    for one in report.skipped:
        _out.print(f"skipped {_name(one.path)}: {escape(one.reason)}", soft_wrap=True)
    for one in report.remarks:
        _out.print(f"{_name(one.path)}: {escape(one.reason)}", soft_wrap=True)
    if report.interrupted:
        _err.print("Interrupted; what was done is in the journal. Apply the plan again to go on.")


def undone(report: UndoReport) -> None:
    """Print what came back, and what did not and why."""
    _out.print(f"{len(report.restored):,} files brought back, {len(report.skipped):,} not.")
    for one in report.skipped:
        _out.print(f"not brought back: {_name(one.path)}: {escape(one.reason)}", soft_wrap=True)


def info(found: GalleryInfo) -> None:
    """Print what a gallery holds."""
    table = Table(show_header=False, title=_name(found.folder), title_justify="left")
    table.add_row("files", f"{found.n_files:,}")
    table.add_row("distinct pictures", f"{found.n_contents:,}")
    table.add_row("failed", f"{len(found.failures):,}")
    table.add_row("formats", ", ".join(f"{name} {count:,}" for name, count in sorted(found.formats.items())))
    table.add_row("gallery file", f"{found.store_bytes / 1e6:,.1f} MB")
    table.add_row("index caches (can be deleted)", f"{found.cache_bytes / 1e6:,.1f} MB")
    if found.n_contents:
        table.add_row("bytes a picture", f"{found.store_bytes / found.n_contents:,.0f}")
    for text, count in found.recipes.items():
        table.add_row(f"{count:,} features", escape(text))
    _out.print(table)
    failures(found.failures)


def findings(found: Sequence[Finding], settings: Settings) -> None:
    """Print what `doctor` found, then the settings."""
    from lookalike.settings import describe_settings

    table = Table("", "what", "found", "what to do")
    for one in found:
        sign = "[red]broken[/]" if one.is_broken else "[yellow]absent[/]" if one.remedy else "[green]ok[/]"
        table.add_row(sign, one.name, escape(one.value), escape(one.remedy))
    _out.print(table)
    knobs = Table("setting", "value", "unit", "what it does", title="Settings", title_justify="left")
    for row in describe_settings(settings):
        knobs.add_row(*(escape(cell) for cell in row))
    _out.print(knobs)
