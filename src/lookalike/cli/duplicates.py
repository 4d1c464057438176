"""Commands that find duplicates and act on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lookalike.cli.context import (
    JsonOption,
    Output,
    app,
    context,
    open_gallery,
    print_line,
)
from lookalike.errors import InputError


@app.command()
def duplicates(
    relation: Annotated[
        str, typer.Option(help="This relation or closer: same_file, same_pixels, copy, same_scene, similar.")
    ] = "copy",
    against: Annotated[
        str | None, typer.Option(help="Only copies of this folder's files elsewhere; the folder is kept.")
    ] = None,
    protect: Annotated[list[str] | None, typer.Option(help="A folder whose files always stay.")] = None,
    keep: Annotated[
        str | None, typer.Option(help="Rules that choose what to keep, joined by commas, the first first.")
    ] = None,
    plan: Annotated[Path | None, typer.Option(help="Write what would be done to this file.")] = None,
    act: Annotated[
        str, typer.Option(help="For --plan: trash, quarantine, hardlink, symlink or delete.")
    ] = "trash",
    quarantine: Annotated[Path | None, typer.Option(help="For --act quarantine: the folder.")] = None,
    output: Annotated[Output, typer.Option(help="How to print the answer.")] = Output.table,
    json: JsonOption = False,
    html: Annotated[
        Path | None, typer.Option(help="Also write a page with the pictures side by side.")
    ] = None,
) -> None:
    """Find the files that are the same picture, each proven. Nothing is changed.

    Example: lookalike duplicates --html report.html --plan plan.json
    """
    from lookalike.cli import show
    from lookalike.matching.keeper import DEFAULT_RULES
    from lookalike.report import documents, pages

    form = Output.json if json else output
    with open_gallery() as gallery, show.stages() as on_stage:
        found = gallery.duplicates(
            relation=relation,  # type: ignore[arg-type]  # checked there
            against=against,
            protect=protect or (),
            rules=keep.split(",") if keep else DEFAULT_RULES,
            on_stage=on_stage,
        )
        if plan is not None:
            gallery.write_plan(found, plan, act=act, quarantine=quarantine)
    if html is not None:
        html.write_text(pages.duplicates_html(found, context.settings), encoding="utf-8")
    if form == Output.json:
        print_line(documents.to_json(documents.duplicates_document(found)))
    elif form == Output.csv:
        print_line(documents.duplicates_csv(found).rstrip("\n"))
    elif form == Output.paths:
        print_line("\n".join(m.picture.path for group in found.groups for m in group.members if not m.note))
    else:
        show.duplicates(found)
        if plan is not None:
            print(
                f"Wrote {plan}. Nothing was changed; `lookalike apply {plan}` does it, `lookalike undo` undoes it."
            )


@app.command()
def apply(
    plan: Annotated[Path, typer.Argument(help="A plan that `duplicates --plan` wrote.")],
    delete: Annotated[
        bool, typer.Option("--delete", help="Allow the acts `delete` of the plan, which cannot be undone.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Do what a plan says, checking every file again before it is touched. `undo` undoes it.

    Example: lookalike apply plan.json
    """
    from lookalike.acting.apply import apply_plan
    from lookalike.acting.plan import load_plan
    from lookalike.cli import show
    from lookalike.report.documents import apply_document, to_json

    loaded = load_plan(plan)
    with open_gallery() as gallery:
        report = apply_plan(loaded, gallery.journal_folder, allow_delete=delete)
    if json:
        print_line(to_json(apply_document(report)))
    else:
        show.applied(report)
    if report.interrupted:
        raise typer.Exit(130)


@app.command()
def undo(json: JsonOption = False) -> None:
    """Undo the last `apply` that was not undone: every file comes back, bit for bit.

    Example: lookalike undo
    """
    from lookalike.acting.undo import undo as undo_last
    from lookalike.cli import show
    from lookalike.report.documents import to_json, undo_document

    with open_gallery() as gallery:
        report = undo_last(gallery.journal_folder)
    if json:
        print_line(to_json(undo_document(report)))
    else:
        show.undone(report)
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
) -> None:
    """Say for ever that two pictures are duplicates, or are not; it holds wherever they are moved.

    Example: lookalike verdict a.jpg b.jpg --different
    """
    if (same is None) != forget:
        raise InputError("say one of --same, --different and --forget.")
    with open_gallery() as gallery:
        gallery.mark(first, second, same)
