"""Answers as tables and sentences for a person at a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from lookalike.cli.streams import print_problem
from lookalike.cli.terminal import out, shown, size
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
    from lookalike.records.calibration import CalibrationState
    from lookalike.records.failure import Failure
    from lookalike.records.info import GalleryInfo
    from lookalike.settings import Settings

_N_EXAMPLES = 3


def add_report(report: AddReport, missing: Sequence[Failure] = ()) -> None:
    """Print what a run of `index` did, but for the failures `missing`, which are told elsewhere."""
    rate = (report.added + report.moved) / report.seconds if report.seconds else 0
    parts = [f"{report.added:,} added", f"{report.unchanged:,} unchanged", f"{report.moved:,} moved"]
    if report.copied:
        were = "was a copy of a known file" if report.copied == 1 else "were copies of known files"
        parts.append(f"of the added {report.copied:,} {were}")
    n_failed = sum(one.stage != "find" for one in report.failed)
    out.print(
        f"Saw {count(report.seen, 'file')} in {report.seconds:.1f} s: {', '.join(parts)}, "
        f"{n_failed:,} failed." + (f" ({rate:,.0f} added a second)" if report.added > 100 else "")
    )
    if report.gone:
        out.print(
            f"{count(report.gone, 'known file')} of these folders {'is' if report.gone == 1 else 'are'} not there "
            "any more: `lookalike prune` forgets what is gone."
        )
    failures([one for one in report.failed[report.n_failed_before :] if one not in missing])
    if report.n_failed_before:
        them = "it" if report.n_failed_before == 1 else "them"
        out.print(f"{count(report.n_failed_before, 'file')} failed before; `lookalike info` lists {them}.")


def failures(failed: Sequence[Failure]) -> None:
    """Print failures by reason, each with a few examples."""
    if not failed:
        return
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in failed:
        reasons.setdefault((one.stage, one.reason), []).append(one.path)
    out.print("Failed, by reason:")
    for (stage, reason), paths in sorted(reasons.items(), key=lambda item: -len(item[1])):
        out.print(f"{len(paths):6,}  {stage}: {shown(reason)}", soft_wrap=True)
        for path in paths[:_N_EXAMPLES]:
            out.print(f"          {shown(path)}", soft_wrap=True)
        if len(paths) > _N_EXAMPLES:
            out.print(f"          and {len(paths) - _N_EXAMPLES:,} more (`lookalike info --json` lists all)")


def answer(found: Answer) -> None:
    """Print the matches of one query."""
    if found.error is not None:
        print_problem(found.error)
        return
    if not found.matches:
        out.print(f"{shown(found.query)}: nothing was found.")
        return
    table = Table(title=shown(found.query), title_justify="left")
    for column, justify in (("", "right"), ("score", "right"), ("relation", "left")):
        table.add_column(column, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("path", overflow="fold")
    table.add_column("why", overflow="fold")
    for rank, match in enumerate(found.matches, 1):
        relation = match.relation.replace("_", " ")
        table.add_row(str(rank), f"{match.score:.3f}", relation, shown(match.picture.path), shown(match.why))
    out.print(table)


def comparison(found: Comparison) -> None:
    """Print all measures of a pair and the verdict."""
    table = Table("measure", "value", "range", "more alike is")
    table.columns[1].justify = "right"
    for one in found.measures:
        value = f"{one.value:.0f}" if isinstance(one.value, int) else f"{one.value:.4f}"
        span = f"{one.lowest:g} to {one.highest:g}"
        table.add_row(one.name.replace("_", " "), value, span, "lower" if one.is_distance else "higher")
    out.print(table)
    out.print(f"{found.relation.replace('_', ' ')}: {found.verdict}")


def duplicates(found: DuplicatesReport) -> None:
    """Print the groups, what could be saved, and what could not be read."""
    for number, group in enumerate(found.groups, 1):
        table = Table(title=f"{number}. {shown(group.keeper.path)}", title_justify="left")
        for column in ("", "relation", "path", "how"):
            table.add_column(column, overflow="fold")
        table.add_row("keep", "", shown(group.keeper.path), shown(group.why))
        for member in group.members:
            how = member.proof.transform or member.proof.method
            note = f"; stays: {member.note}" if member.note else ""
            relation = member.relation.replace("_", " ")
            fate = "" if member.note else f"-{size(member.picture.size_bytes)}"
            table.add_row(fate, relation, shown(member.picture.path), shown(how + note))
        out.print(table)
    saved = sum(group.n_bytes_saved for group in found.groups)
    out.print(
        f"{count_duplicates(found)}; {size(saved)} could be saved. "
        f"{count(found.n_compared, 'pair')} compared in {found.seconds:.1f} s."
    )
    failures(found.failed)


def planned(plan: Path) -> None:
    """Print what a plan is good for, now that it is written."""
    command = shown(f"lookalike apply {shlex.quote(str(plan))}")
    out.print(f"Wrote {shown(str(plan))}. Nothing was changed; `{command}` does it.", soft_wrap=True)


def applied(report: ApplyReport) -> None:
    """Print what was done of a plan, and what was not and why."""
    saved = f"{size(report.bytes_saved)} saved"
    out.print(f"{len(report.done):,} done, {len(report.skipped):,} skipped; {saved}. {_way_back(report)}")
    for one in report.skipped:
        out.print(f"skipped {shown(one.path)}: {shown(one.reason)}", soft_wrap=True)
    for one in report.remarks:
        out.print(f"{shown(one.path)}: {shown(one.reason)}", soft_wrap=True)


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
        out.print("Nothing was ever applied here.")
        return
    table = Table(box=None, pad_edge=False)
    for head in ("run", "when (UTC)", "what", "can be undone"):
        table.add_column(head)
    for run in runs:
        what = ", ".join(f"{act} {n:,}" for act, n in run.acts.items())
        table.add_row(
            str(run.run), (run.started_at or "?")[:19], what, f"{run.n_undoable:,} of {run.n_files:,}"
        )
    out.print(table)


def undone(report: UndoReport) -> None:
    """Print what came back, and what did not and why."""
    if report.run is None:
        out.print("There is nothing to undo.")
        return
    out.print(f"{count(len(report.restored), 'file')} brought back, {len(report.skipped):,} not.")
    for one in report.skipped:
        out.print(f"not brought back: {shown(one.path)}: {shown(one.reason)}", soft_wrap=True)
    for one in report.remarks:
        out.print(f"{shown(one.path)}: {shown(one.reason)}", soft_wrap=True)


def info(found: GalleryInfo) -> None:
    """Print what a gallery holds."""
    from lookalike.records.recipe import Recipe

    table = Table(show_header=False, title=shown(found.folder), title_justify="left")
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    table.add_row("files", f"{found.n_files:,}")
    table.add_row("distinct pictures", f"{found.n_contents:,}")
    table.add_row("failed", f"{len(found.failures):,}")
    table.add_row(
        "formats", ", ".join(f"{name} {number:,}" for name, number in sorted(found.formats.items()))
    )
    table.add_row("gallery file", size(found.store_bytes))
    table.add_row("index caches (can be deleted)", size(found.cache_bytes))
    if found.n_contents:
        table.add_row("bytes a picture", f"{found.store_bytes / found.n_contents:,.0f}")
    if found.calibration is not None:
        table.add_row("calibration", shown(_calibration_line(found.calibration)))
    for tier in dict.fromkeys(found.tiers.values()):
        names = ", ".join(name for name, its_tier in found.tiers.items() if its_tier == tier)
        table.add_row(f"looked up by the tier {tier}", names)
    for root in found.roots:
        table.add_row("a folder that was named", shown(root.path))
    for place in found.away:
        table.add_row("away now", shown(place))
    for text, number in found.recipes.items():
        table.add_row(count(number, "feature"), shown(Recipe.from_text(text).words))
    out.print(table)
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
    out.print(table)
    for note in calibration_notes(found):
        out.print(note, markup=False, highlight=False)
    out.print(f"It took {report.seconds:.0f} s.")
    failures(report.failed)


def findings(found: Sequence[Finding], settings: Settings) -> None:
    """Print what `doctor` found, with what to do where something is missing, then the settings."""
    from lookalike.settings import describe_settings

    table = _folding("", "what", "found", n_whole=2)
    for one in found:
        sign = "[red]broken[/]" if one.is_broken else "[yellow]absent[/]" if one.remedy else "[green]ok[/]"
        table.add_row(sign, one.name, shown(f"{one.value}: {one.remedy}" if one.remedy else one.value))
    out.print(table)
    knobs = _folding("setting", "value", "unit", "what it does", n_whole=1)
    knobs.title, knobs.title_justify = "Settings", "left"
    for row in describe_settings(settings):
        knobs.add_row(*(shown(cell) for cell in row))
    out.print(knobs)


def _folding(*titles: str, n_whole: int) -> Table:
    """Return a table that cuts nothing off: the first `n_whole` columns are kept whole, the others wrapped."""
    table = Table()
    for place, title in enumerate(titles):
        table.add_column(title, overflow="fold", no_wrap=place < n_whole)
    return table
