"""Commands that fill and tend a gallery."""

from __future__ import annotations

from typing import Annotated

import typer

from lookalike.cli.context import (
    JsonOption,
    ZeroOption,
    app,
    context,
    open_gallery,
    print_line,
    print_name,
    print_problem,
    read_paths,
)


@app.command()
def index(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH",
            help="Files and folders; - reads names from standard input. Without any, the folders that were named "
            "before, each as it was named last.",
        ),
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Worker processes; the default is one a core.")] = None,
    only: Annotated[str, typer.Option(help="all, or just the hashes (much faster).")] = "all",
    include: Annotated[list[str] | None, typer.Option(help="Take only files that match this glob.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Leave out what matches this glob.")] = None,
    hidden: Annotated[bool, typer.Option("--hidden", help="Take hidden files and folders too.")] = False,
    follow_symlinks: Annotated[
        bool, typer.Option("--follow-symlinks", help="Follow symbolic links inside folders.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try files again that failed before and have not changed.")
    ] = False,
    null: ZeroOption = False,
    json: JsonOption = False,
) -> None:
    """Add pictures to the gallery, or bring it up to date.

    What has not changed is not read again, and known files that are not there any more are counted. Your
    pictures are only ever read. The exit code is 1 where a file or folder that you named could not be found, or
    where every file failed; else 0, though some may have failed.

    Example: lookalike index ~/Pictures --exclude '*.gif'
    """
    from lookalike.answers.jobs import with_short_seconds
    from lookalike.cli import bars, show
    from lookalike.records.codec import to_json

    settings = context.settings
    if jobs is not None:
        context.settings = settings.with_values({"jobs": str(jobs)})
    with open_gallery(create=bool(paths)) as gallery, bars.adding() as on_progress:
        if paths:
            named = read_paths(paths, null=null)
            report = gallery.add(
                named,
                only=only,
                include=include or (),
                exclude=exclude or (),
                hidden=hidden,
                follow_symlinks=follow_symlinks,
                retry_failed=retry_failed,
                on_progress=on_progress,
            )
        else:
            named = [root.path for root in gallery.info().roots]
            report = gallery.add_again(retry_failed=retry_failed, on_progress=on_progress)
    missing = report.not_found(named)
    if json:
        print_line(to_json(with_short_seconds(report)))
    else:
        show.add_report(report, missing)
    if report.interrupted:
        raise typer.Exit(130)
    for failure in missing:
        print_problem(f"{failure.path}: {failure.reason}")
    if missing or report.has_only_failures:
        raise typer.Exit(1)


@app.command()
def info(json: JsonOption = False) -> None:
    """Say what the gallery holds, what failed and why.

    Example: lookalike info
    """
    from lookalike.cli import show
    from lookalike.records.codec import to_json

    with open_gallery() as gallery:
        found = gallery.info()
    if json:
        print_line(to_json(found))
    else:
        show.info(found)


@app.command()
def remove(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Files and folders to forget.")],
    null: ZeroOption = False,
    json: JsonOption = False,
) -> None:
    """Forget files and folders. The gallery forgets them; the pictures stay where they are.

    Example: lookalike remove ~/Pictures/screenshots
    """
    from lookalike.records.codec import to_json
    from lookalike.report.wording import count

    with open_gallery() as gallery:
        n_removed = gallery.remove(read_paths(paths, null=null))
    sentence = f"Forgot {count(n_removed, 'file')}; no picture was touched."
    print_line(to_json({"removed": n_removed}) if json else sentence)


@app.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be forgotten.")] = False,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Forget also the files of folders and disks that are away as a whole."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Forget the files that are gone.

    Where not one file of a folder that you named, or of a disk, is there any more, the disk is probably not
    connected: its files stay known, and are found by a search, until --all is given.

    Example: lookalike prune --dry-run
    """
    from lookalike.records.codec import to_json
    from lookalike.report.wording import count

    with open_gallery() as gallery:
        n_files = gallery.info().n_files
        gone = gallery.find_gone()
        forgotten = gone.paths(with_away=everything) if dry_run else gallery.prune(with_away=everything)
    if json:
        left = [{"place": one.place, "n_files": len(one.files)} for one in gone.away if not everything]
        print_line(to_json({"gone": forgotten, "left": left, "forgotten": not dry_run}))
    else:
        for path in forgotten:
            print_name(path)
        verb = "Would forget" if dry_run else "Forgot"
        print_line(f"{verb} {len(forgotten):,} of {count(n_files, 'file')}.")
    if everything:
        return
    for one in gone.away:
        print_problem(
            f"{one.place}: of {count(len(one.files), 'file')} none is there, so that they stay known: is a disk "
            "not connected? Use `lookalike prune --all` to forget them too."
        )
    if gone.away and not (forgotten or dry_run):
        raise typer.Exit(1)
