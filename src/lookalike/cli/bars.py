"""Bars on standard error that tell how far a run is, where that is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from lookalike.cli.terminal import err
from lookalike.records.progress import Progress, ProgressCallback, ignore_progress


@contextmanager
def adding() -> Iterator[ProgressCallback]:
    """Draw one bar while the block adds pictures."""
    if not err.is_terminal:
        yield ignore_progress
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=err, transient=True) as bar:
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
    """Draw a bar for each stage while the block runs."""
    if not err.is_terminal:
        yield ignore_progress
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with RichProgress(*columns, console=err) as bar:
        tasks: dict[str, TaskID] = {}

        def on_progress(now: Progress) -> None:
            n_total = now.n_total or 0  # else a stage that is not counted would seem to go on for ever
            if now.stage not in tasks or now.n_done == 0:
                tasks[now.stage] = bar.add_task(now.stage, total=n_total)
            bar.update(tasks[now.stage], completed=now.n_done, total=n_total)

        yield on_progress
