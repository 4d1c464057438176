"""Answers as tables and bars for a person at a terminal: results on stdout, the rest on stderr."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

from lookalike.cli.streams import print_problem, printable
from lookalike.records.progress import ignore_progress
from lookalike.report.wording import count, count_duplicates

if TYPE_CHECKING:
    from lookalike.acting.apply import ApplyReport
    from lookalike.acting.history import AppliedRun
    from lookalike.acting.undo import UndoReport
    from lookalike.adding.add import AddReport
    from lookalike.answers.search import Answer
    from lookalike.calibration.record import CalibrationReport
    from lookalike.comparing import Comparison
    from lookalike.doctor import Finding
    from lookalike.duplicates.records import DuplicatesReport
    from lookalike.evaluation.euclidean import EuclideanExperiment
    from lookalike.evaluation.evaluate import Evaluation
    from lookalike.evaluation.experiments import Comparison as MeasureComparison
    from lookalike.records.calibration import CalibrationState
    from lookalike.records.failure import Failure
    from lookalike.records.info import GalleryInfo
    from lookalike.records.progress import Progress, ProgressCallback
    from lookalike.settings import Settings

_N_EXAMPLES = 3

_WIDTH_OF_FILES = 140  # tables that do not go to a terminal
_LEAST_WIDTH = 60  # where a terminal has less, lines are broken by it: else columns would have no room at all


def _width() -> int:
    if not sys.stdout.isatty():
        return _WIDTH_OF_FILES
    return max(_LEAST_WIDTH, get_terminal_size().columns)


_out = Console(highlight=False, emoji=False, width=_width())
_err = Console(stderr=True, highlight=False, emoji=False)


def _name(text: str) -> str:
    """Return a path, or a text with one, so that a table or terminal only shows it."""
    return escape(printable(text))


def _size(n_bytes: int) -> str:
    """Return a number of bytes in the unit that a person would choose."""
    for unit, least in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= least:
            return f"{n_bytes / least:,.1f} {unit}"
    return f"{n_bytes} bytes"


@contextmanager
def progress() -> Iterator[ProgressCallback]:
    """Draw a bar on standard error while the block runs, where that is a terminal."""
    if not _err.is_terminal:
        yield ignore_progress
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
            text = "looking for pictures" if now.stage == "look" else "adding"
            if now.stage == "add" and now.n_done == 0:
                bar.reset(task, total=now.n_total)
            bar.update(task, description=text, completed=now.n_done, total=now.n_total, rate=rate)

        yield on_progress


@contextmanager
def stages() -> Iterator[ProgressCallback]:
    """Draw a bar for each stage on standard error while the block runs, where that is a terminal."""
    if not _err.is_terminal:
        yield ignore_progress
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with RichProgress(*columns, console=_err) as bar:
        tasks: dict[str, TaskID] = {}

        def on_progress(now: Progress) -> None:
            n_total = now.n_total or 0  # else a stage that is not counted would seem to go on for ever
            if now.stage not in tasks or now.n_done == 0:
                tasks[now.stage] = bar.add_task(now.stage, total=n_total)
            bar.update(tasks[now.stage], completed=now.n_done, total=n_total)

        yield on_progress


def add_report(report: AddReport, missing: Sequence[Failure] = ()) -> None:
    """Print what a run of `index` did, but for the failures `missing`, which are told elsewhere."""
    rate = (report.added + report.moved) / report.seconds if report.seconds else 0
    parts = [f"{report.added:,} added", f"{report.unchanged:,} unchanged", f"{report.moved:,} moved"]
    if report.copied:
        were = "was a copy of a known file" if report.copied == 1 else "were copies of known files"
        parts.append(f"of the added {report.copied:,} {were}")
    n_failed = sum(one.stage != "find" for one in report.failed)
    _out.print(
        f"Saw {count(report.seen, 'file')} in {report.seconds:.1f} s: {', '.join(parts)}, "
        f"{n_failed:,} failed." + (f" ({rate:,.0f} added a second)" if report.added > 100 else "")
    )
    if report.gone:
        _out.print(
            f"{count(report.gone, 'known file')} of these folders {'is' if report.gone == 1 else 'are'} not there "
            "any more: `lookalike prune` forgets what is gone."
        )
    failures([one for one in report.failed[report.n_failed_before :] if one not in missing])
    if report.n_failed_before:
        them = "it" if report.n_failed_before == 1 else "them"
        _out.print(f"{count(report.n_failed_before, 'file')} failed before; `lookalike info` lists {them}.")


def failures(failed: Sequence[Failure]) -> None:
    """Print failures by reason, each with a few examples."""
    if not failed:
        return
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in failed:
        reasons.setdefault((one.stage, one.reason), []).append(one.path)
    _out.print("Failed, by reason:")
    for (stage, reason), paths in sorted(reasons.items(), key=lambda item: -len(item[1])):
        _out.print(f"{len(paths):6,}  {stage}: {_name(reason)}", soft_wrap=True)
        for path in paths[:_N_EXAMPLES]:
            _out.print(f"          {_name(path)}", soft_wrap=True)
        if len(paths) > _N_EXAMPLES:
            _out.print(f"          and {len(paths) - _N_EXAMPLES:,} more (`lookalike info --json` lists all)")


def answer(found: Answer) -> None:
    """Print the matches of one query."""
    if found.error is not None:
        print_problem(found.error)
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
        table.add_row(str(rank), f"{match.score:.3f}", relation, _name(match.picture.path), _name(match.why))
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
        table.add_row("keep", "", _name(group.keeper.path), _name(group.why))
        for member in group.members:
            how = member.proof.transform or member.proof.method
            note = f"; stays: {member.note}" if member.note else ""
            relation = member.relation.replace("_", " ")
            fate = "" if member.note else f"-{_size(member.picture.size_bytes)}"
            table.add_row(fate, relation, _name(member.picture.path), _name(how + note))
        _out.print(table)
    saved = sum(group.n_bytes_saved for group in found.groups)
    _out.print(
        f"{count_duplicates(found)}; {_size(saved)} could be saved. "
        f"{count(found.n_compared, 'pair')} compared in {found.seconds:.1f} s."
    )
    failures(found.failed)


def planned(plan: Path) -> None:
    """Print what a plan is good for, now that it is written."""
    command = _name(f"lookalike apply {shlex.quote(str(plan))}")
    _out.print(f"Wrote {_name(str(plan))}. Nothing was changed; `{command}` does it.", soft_wrap=True)


def applied(report: ApplyReport) -> None:
    """Print what was done of a plan, and what was not and why."""
    saved = f"{_size(report.bytes_saved)} saved"
    _out.print(f"{len(report.done):,} done, {len(report.skipped):,} skipped; {saved}. {_way_back(report)}")
    for one in report.skipped:
        _out.print(f"skipped {_name(one.path)}: {_name(one.reason)}", soft_wrap=True)
    for one in report.remarks:
        _out.print(f"{_name(one.path)}: {_name(one.reason)}", soft_wrap=True)


def _way_back(report: ApplyReport) -> str:
    if not report.done:
        return "Nothing was changed."
    if report.n_beyond_undo == len(report.done):
        return "`lookalike undo` cannot bring them back."
    what = f"all but {report.n_beyond_undo:,}" if report.n_beyond_undo else "everything"
    whence = ", what was deleted from its keeper while that is there unchanged" if report.n_deleted else ""
    return f"`lookalike undo` brings {what} back{whence}."


def applied_runs(runs: Sequence[AppliedRun]) -> None:
    """Print what was applied, the last run first, and what of it can be undone."""
    if not runs:
        _out.print("Nothing was ever applied here.")
        return
    table = Table(box=None, pad_edge=False)
    for head in ("run", "when (UTC)", "what", "can be undone"):
        table.add_column(head)
    for run in runs:
        what = ", ".join(f"{act} {n:,}" for act, n in run.acts.items())
        table.add_row(
            str(run.run), (run.started_at or "?")[:19], what, f"{run.n_undoable:,} of {run.n_files:,}"
        )
    _out.print(table)


def undone(report: UndoReport) -> None:
    """Print what came back, and what did not and why."""
    if report.run is None:
        _out.print("There is nothing to undo.")
        return
    _out.print(f"{count(len(report.restored), 'file')} brought back, {len(report.skipped):,} not.")
    for one in report.skipped:
        _out.print(f"not brought back: {_name(one.path)}: {_name(one.reason)}", soft_wrap=True)
    for one in report.remarks:
        _out.print(f"{_name(one.path)}: {_name(one.reason)}", soft_wrap=True)


def info(found: GalleryInfo) -> None:
    """Print what a gallery holds."""
    from lookalike.records.recipe import Recipe

    table = Table(show_header=False, title=_name(found.folder), title_justify="left")
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    table.add_row("files", f"{found.n_files:,}")
    table.add_row("distinct pictures", f"{found.n_contents:,}")
    table.add_row("failed", f"{len(found.failures):,}")
    table.add_row(
        "formats", ", ".join(f"{name} {number:,}" for name, number in sorted(found.formats.items()))
    )
    table.add_row("gallery file", _size(found.store_bytes))
    table.add_row("index caches (can be deleted)", _size(found.cache_bytes))
    if found.n_contents:
        table.add_row("bytes a picture", f"{found.store_bytes / found.n_contents:,.0f}")
    if found.calibration is not None:
        table.add_row("calibration", _name(_calibration_line(found.calibration)))
    for tier in dict.fromkeys(found.tiers.values()):
        names = ", ".join(name for name, its_tier in found.tiers.items() if its_tier == tier)
        table.add_row(f"looked up by the tier {tier}", names)
    for root in found.roots:
        table.add_row("a folder that was named", _name(root.path))
    for place in found.away:
        table.add_row("away now", _name(place))
    for text, number in found.recipes.items():
        table.add_row(count(number, "feature"), _name(Recipe.from_text(text).words))
    _out.print(table)
    failures(found.failures)


def _calibration_line(state: CalibrationState) -> str:
    if state.origin == "shipped":
        return "never calibrated; lookalike's own thresholds are used (`lookalike calibrate` fits them)"
    stale = f"; make it anew, for {state.stale}" if state.stale else ""
    recall = ", ".join(
        f"{way} finds {shares['0.99']:.0%}"
        for way, shares in state.ways.items()
        if way in ("auto", "duplicates")
    )
    return (
        f"of {state.made_at[:10]}, {state.n_pictures:,} of {state.n_contents:,} pictures; at 99 % precision "
        f"{recall}{stale}"
    )


def calibration(report: CalibrationReport) -> None:
    """Print what each way finds at each precision, how the promise held, and what could not be read."""
    from lookalike.report.calibration_notes import calibration_notes, mark

    found = report.calibration
    table = Table(title="Share of edited copies found, at a precision of", title_justify="left")
    table.add_column("by")
    for one in next(iter(found.ways.values())).promises:
        table.add_column(f"{one.precision:.1%}", justify="right")
    table.add_column("held out: promised, found to be", justify="right")
    for name, way in found.ways.items():
        check = way.checks[1]
        held = (
            "-" if check.achieved != check.achieved else f"{check.achieved:.2%} (at least {check.bound:.2%})"
        )
        table.add_row(name, *map(mark, way.promises), f"{check.precision:.0%}: {held}")
    _out.print(table)
    for note in calibration_notes(found):
        _out.print(note, markup=False, highlight=False)
    _out.print(f"It took {report.seconds:.0f} s.")
    failures(report.failed)


def findings(found: Sequence[Finding], settings: Settings) -> None:
    """Print what `doctor` found, with what to do where something is missing, then the settings."""
    from lookalike.settings import describe_settings

    table = _folding("", "what", "found", n_whole=2)
    for one in found:
        sign = "[red]broken[/]" if one.is_broken else "[yellow]absent[/]" if one.remedy else "[green]ok[/]"
        table.add_row(sign, one.name, _name(f"{one.value}: {one.remedy}" if one.remedy else one.value))
    _out.print(table)
    knobs = _folding("setting", "value", "unit", "what it does", n_whole=1)
    knobs.title, knobs.title_justify = "Settings", "left"
    for row in describe_settings(settings):
        knobs.add_row(*(_name(cell) for cell in row))
    _out.print(knobs)


def _folding(*titles: str, n_whole: int) -> Table:
    """Return a table that cuts nothing off: the first `n_whole` columns are kept whole, the others wrapped."""
    table = Table()
    for place, title in enumerate(titles):
        table.add_column(title, overflow="fold", no_wrap=place < n_whole)
    return table


def evaluation(found: Evaluation) -> None:
    """Print how good each way is, and what it costs."""
    title = (
        f"{_name(found.data.name)}: {len(found.data.queries):,} queries, {len(found.data.gallery):,} pictures"
    )
    table = Table(title=title, title_justify="left")
    for column in ("way", "mAP", "95 %", "P@1", "R@10", "µAP", "R@P99.9", "ms/picture", "ms/query", "bytes"):
        table.add_column(column, justify="left" if column == "way" else "right", no_wrap=True)
    for one in found.results:
        values, cost = one.scores.values, one.cost
        names = ("precision@1", "recall@10", "micro_ap", "recall@P99.9")
        table.add_row(
            one.by,
            f"{values['map']:.3f}",
            "-".join(f"{end:.3f}" for end in one.scores.intervals["map"]),
            *(f"{values[name]:.3f}" for name in names),
            f"{1000 * cost.seconds_per_picture:.1f}",
            f"{1000 * cost.seconds_per_query:.1f}",
            f"{cost.bytes_per_picture:,.0f}",
        )
    _out.print(table)
    for number, text in (
        (found.n_without_positives, "queries have nothing to find and are left out of the means"),
        (found.n_failed_queries, "queries could not be read and are left out"),
        (found.n_failed_pictures, "pictures to search in could not be read and cannot be found"),
    ):
        if number:
            _out.print(f"{number:,} {text}.")


def measures(found: MeasureComparison) -> None:
    """Print the measures of an experiment with the published figures beside ours."""
    title = f"{found.n_pictures} pictures of {found.n_groups} things" + (
        f", {found.n_draws} draws" if found.n_draws > 1 else ""
    )
    table = Table(title=title, title_justify="left")
    columns = ("measure", "how", "accuracy %", "published", "ms/pair", "published", "ms/pair, kept")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < 2 else "right")
    kind = found.results[0].kind
    for one in found.results:
        if one.kind != kind:
            table.add_section()
            kind = one.kind
        span = one.accuracy_range
        table.add_row(
            one.measure,
            one.how,
            f"{100 * one.accuracy:.1f}"
            + ("" if found.n_draws == 1 else f" ({100 * span[0]:.0f}-{100 * span[1]:.0f})"),
            "" if one.published_accuracy is None else f"{100 * one.published_accuracy:.1f}",
            f"{1000 * one.seconds_per_pair:.2f}",
            "" if one.published_seconds_per_pair is None else f"{1000 * one.published_seconds_per_pair:.1f}",
            f"{1000 * one.seconds_per_kept_pair:.3f}",
        )
    _out.print(table)
    for remark in found.remarks:
        _out.print(f"- {escape(remark)}", soft_wrap=True)


def euclidean(found: EuclideanExperiment) -> None:
    """Print SciPy's Euclidean distance against NumPy's."""
    table = Table("work", "numbers", "NumPy, µs", "SciPy, µs", "SciPy / NumPy", "relative difference")
    for column in table.columns[2:]:
        column.justify = "right"
    for one in found.results:
        times = (f"{1e6 * seconds:,.1f}" for seconds in (one.numpy_seconds, one.scipy_seconds))
        table.add_row(
            one.case, one.dtype, *times, f"{one.scipy_by_numpy:.2f}", f"{one.relative_difference:.1e}"
        )
    _out.print(table)
    pixels = Table("8-bit pixels (1, 250) and (2, 5), 245.002 apart", "says", "")
    for way in found.eight_bits:
        pixels.add_row(escape(way.way), f"{way.distance:.3f}", "right" if way.is_right else "wraps around")
    _out.print(pixels)
