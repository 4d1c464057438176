"""Commands that find duplicates and act on them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.cli.context import (
    JsonOption,
    Output,
    app,
    context,
    open_gallery,
    print_csv,
    print_line,
    print_name,
    print_problem,
)
from lookalike.cli.precision import PrecisionOption, promise
from lookalike.errors import InputError

if TYPE_CHECKING:
    from lookalike.duplicates.records import DuplicatesReport


class Which(StrEnum):
    """Which members `--output paths` prints."""

    going = "going"
    staying = "staying"
    all = "all"


@app.command()
def duplicates(
    relation: Annotated[
        str,
        typer.Option(
            help="This relation or closer: same_file, same_pixels, copy, variant, same_scene, similar."
        ),
    ] = "copy",
    against: Annotated[
        str | None, typer.Option(help="Only copies of this folder's files elsewhere; the folder is kept.")
    ] = None,
    protect: Annotated[list[str] | None, typer.Option(help="A folder whose files always stay.")] = None,
    prefer: Annotated[
        list[str] | None, typer.Option(help="A folder whose files are kept before others; the first first.")
    ] = None,
    keep: Annotated[
        str | None, typer.Option(help="Rules that choose what to keep, joined by commas, the first first.")
    ] = None,
    precision: PrecisionOption = None,
    plan: Annotated[Path | None, typer.Option(help="Write what would be done to this file.")] = None,
    act: Annotated[
        str | None,
        typer.Option(help="For --plan: trash (the default), quarantine, hardlink, symlink or delete."),
    ] = None,
    quarantine: Annotated[Path | None, typer.Option(help="For --act quarantine: the folder.")] = None,
    output: Annotated[Output, typer.Option(help="How to print the answer.")] = Output.table,
    print_: Annotated[
        Which,
        typer.Option(
            "--print", help="For --output paths: the files that may go, that stay beside a keeper, or all."
        ),
    ] = Which.going,
    null: Annotated[
        bool, typer.Option("-0", "--null", help="For --output paths: end names with NUL.")
    ] = False,
    json: JsonOption = False,
    html: Annotated[
        Path | None, typer.Option(help="Also write a page with the pictures side by side.")
    ] = None,
) -> None:
    """Find the files that are the same picture, each proven. Nothing is changed.

    Example: lookalike duplicates --html report.html --plan plan.json
    """
    from lookalike.cli import bars, show
    from lookalike.cli.away import tell_compared_away
    from lookalike.duplicates.keeper import DEFAULT_RULES
    from lookalike.report.pages import duplicates_html
    from lookalike.report.writing import check_output, write_output

    check_output(html)
    if plan is None and (act is not None or quarantine is not None):
        raise InputError("--act and --quarantine say what a plan is to do: give --plan FILE too.")
    with open_gallery() as gallery, bars.stages() as on_progress:
        if plan is not None:
            gallery.check_plan(plan, act=act or "trash", quarantine=quarantine)
        if precision is not None:
            promise(gallery, "duplicates", precision)
        found = gallery.duplicates(
            relation=relation,  # type: ignore[arg-type]  # checked there
            against=against,
            protect=protect or (),
            prefer=prefer or (),
            rules=keep.split(",") if keep is not None else DEFAULT_RULES,
            precision=precision,
            on_progress=on_progress,
        )
        tell_compared_away(gallery)
        if plan is not None:
            gallery.write_plan(found, plan, act=act or "trash", quarantine=quarantine)
    if html is not None:
        write_output(html, duplicates_html(found, context.settings).encode())
    form = Output.json if json else output
    if form == Output.paths:
        _print_paths(found, print_, null=null)
    else:
        _print_found(found, form)
    if plan is not None and form == Output.table:
        show.planned(plan)


def _print_found(found: DuplicatesReport, form: Output) -> None:
    from lookalike.answers.duplicates import DuplicatesAnswer
    from lookalike.cli import show
    from lookalike.records.codec import to_json
    from lookalike.report.tables import duplicates_csv

    if form == Output.json:
        print_line(to_json(DuplicatesAnswer.of(found)))
    elif form == Output.csv:
        print_csv(duplicates_csv(found))
    else:
        show.duplicates(found)


def _print_paths(found: DuplicatesReport, which: Which, *, null: bool) -> None:
    """Print the members' paths, and on standard error how many were left out."""
    members = [member for group in found.groups for member in group.members]
    wanted = [one for one in members if which == Which.all or bool(one.note) == (which == Which.staying)]
    for member in wanted:
        print_name(member.picture.path, null=null)
    n_others = len(members) - len(wanted)
    if n_others:
        kind = "may go" if which == Which.staying else "stay, each with a reason"
        print_problem(f"{n_others:,} more {kind}: `--print all` lists them too.")


@app.command()
def apply(
    plan: Annotated[Path, typer.Argument(help="A plan that `duplicates --plan` wrote.")],
    delete: Annotated[bool, typer.Option("--delete", help="Allow the acts `delete` of the plan.")] = False,
    trash_without_undo: Annotated[
        bool,
        typer.Option(
            "--trash-without-undo",
            help="Use the trash also where `undo` cannot find files in it (Windows, macOS).",
        ),
    ] = False,
    carry_metadata: Annotated[
        bool,
        typer.Option(
            "--carry-metadata",
            help="Bring over to a keeper the date, place, caption and the like that only a file which goes has.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Do what a plan says; `undo` undoes it.

    Every file is checked again before it is touched. What is deleted (`--delete`) comes back from its keeper, as
    long as that is there unchanged. The exit code is 1 where nothing could be done.

    Example: lookalike apply plan.json
    """
    from lookalike.acting.plan import load_plan
    from lookalike.answers.jobs import with_short_seconds
    from lookalike.cli import show
    from lookalike.records.codec import to_json

    loaded = load_plan(plan)
    with open_gallery() as gallery:
        report = gallery.apply(
            loaded,
            allow_delete=delete,
            allow_trash_without_undo=trash_without_undo,
            carry_metadata=carry_metadata,
        )
    if json:
        print_line(to_json(with_short_seconds(report)))
    else:
        show.applied(report)
    if report.interrupted:
        raise typer.Exit(130)
    if report.skipped and not report.done:
        raise typer.Exit(1)


@app.command()
def undo(
    run: Annotated[
        int | None, typer.Option("--run", metavar="N", help="Undo this run, not the last one.")
    ] = None,
    list_runs: Annotated[bool, typer.Option("--list", help="List what was applied; undo nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Undo the last `apply`: every file comes back, bit for bit.

    Again, it undoes the one before. The exit code is 1 where a file could not come back.

    Example: lookalike undo
    """
    from lookalike.answers.jobs import RunsAnswer, with_short_seconds
    from lookalike.cli import show
    from lookalike.records.codec import to_json

    with open_gallery() as gallery:
        if list_runs:
            runs, total = gallery.runs()
            if json:
                print_line(to_json(RunsAnswer(tuple(runs), total)))
            else:
                show.applied_runs(runs)
            return
        report = gallery.undo(run=run)
    if json:
        print_line(to_json(with_short_seconds(report)))
    else:
        show.undone(report)
    if report.interrupted:
        raise typer.Exit(130)
    if report.skipped:
        raise typer.Exit(1)


@app.command()
def verdict(
    first: Annotated[str, typer.Argument(metavar="A", help="A picture.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another picture.")],
    same: Annotated[
        bool | None, typer.Option("--same/--different", help="They are duplicates, or they are not.")
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Forget what was said of them.")] = False,
    json: JsonOption = False,
) -> None:
    """Say for ever that two pictures are duplicates, or are not.

    It holds for their content, wherever the files are moved.

    Example: lookalike verdict a.jpg b.jpg --different
    """
    if (same is None) != forget:
        raise InputError("say one of --same, --different and --forget.")
    from lookalike.records.codec import to_json

    with open_gallery() as gallery:
        gallery.mark(first, second, same)
    if json:
        print_line(to_json({"first": first, "second": second, "is_duplicate": same}))
    else:
        words = {True: "the same picture", False: "different pictures", None: "of no verdict any more"}
        print_name(f"Noted: {first} and {second} are {words[same]}.")
