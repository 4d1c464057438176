"""The commands. Everything heavy is imported where it is used: `--help` must stay quick."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.errors import InputError, LookalikeError, PictureError

if TYPE_CHECKING:
    from lookalike.gallery import Gallery
    from lookalike.settings import Settings

app = typer.Typer(
    name="lookalike",
    help="Find the picture you mean and the copies you forgot, in your own pictures, offline.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


class Output(StrEnum):
    """The forms in which an answer is printed."""

    table = "table"
    json = "json"
    csv = "csv"
    paths = "paths"


@dataclass
class _Context:
    gallery: str
    settings: Settings


_context = _Context("", None)  # type: ignore[arg-type]  # filled in before any command runs

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ZeroOption = Annotated[bool, typer.Option("-0", "--null", help="Names on standard input end with NUL.")]


@app.callback()
def _open(
    gallery: Annotated[
        str, typer.Option(envvar="LOOKALIKE_GALLERY", help="The gallery: a folder of its own.")
    ] = "lookalike.gallery",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change a setting; `doctor` lists them."),
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        from lookalike import __version__

        print(f"lookalike {__version__}")
        raise typer.Exit
    from lookalike.settings import Settings

    values = {}
    for text in set_ or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--set {text!r} has no value: write --set NAME=VALUE.")
        values[name] = value
    _context.gallery = gallery
    _context.settings = Settings.from_environment().with_values(values)


def _gallery(*, create: bool = False) -> Gallery:
    from lookalike.gallery import Gallery

    return Gallery.open(_context.gallery, create=create, settings=_context.settings)


def _print(text: str) -> None:
    """Print to standard output; names that are no text are printed as the bytes they are."""
    sys.stdout.buffer.write(text.encode(errors="surrogateescape") + b"\n")
    sys.stdout.flush()


def _paths(given: list[str], *, null: bool) -> list[str]:
    """Return the paths of the arguments, with those of standard input for each ``-``."""
    from lookalike.media.files import read_paths_from

    paths: list[str] = []
    for path in given:
        paths.extend(read_paths_from(sys.stdin.buffer, null) if path == "-" else [path])
    return paths


@app.command()
def index(
    paths: Annotated[list[str], typer.Argument(help="Files and folders; - reads names from standard input.")],
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

    What has not changed is not read again. Your pictures are only ever read.

    Example: lookalike index ~/Pictures --exclude '*.gif'
    """
    from lookalike.cli import show
    from lookalike.report import add_document, to_json

    settings = _context.settings
    if jobs is not None:
        _context.settings = settings.with_values({"jobs": str(jobs)})
    with _gallery(create=True) as gallery, show.progress() as on_progress:
        report = gallery.add(
            _paths(paths, null=null),
            only=only,
            include=include or (),
            exclude=exclude or (),
            hidden=hidden,
            follow_symlinks=follow_symlinks,
            retry_failed=retry_failed,
            on_progress=on_progress,
        )
    if json:
        _print(to_json(add_document(report)))
    else:
        show.add_report(report)
    if report.interrupted:
        raise typer.Exit(130)
    if (
        report.seen
        and all(failure.stage == "find" for failure in report.failed)
        and (len(report.failed) == report.seen)
    ):
        raise typer.Exit(1)


@app.command()
def search(
    queries: Annotated[
        list[str],
        typer.Argument(metavar="QUERY...", help="Pictures: paths, file: URLs, - (standard input) or id:N."),
    ],
    k: Annotated[int, typer.Option("-k", help="How many matches for each query.")] = 10,
    by: Annotated[
        str, typer.Option(help="The way to search: auto, phash, hsv, embedding, ... (`lookalike ways`).")
    ] = "auto",
    min_score: Annotated[float | None, typer.Option(help="Leave out scores below this.")] = None,
    max_distance: Annotated[
        float | None, typer.Option(help="Leave out what is further, in the way's own unit (bits for hashes).")
    ] = None,
    folder: Annotated[str | None, typer.Option(help="Only files below this folder.")] = None,
    format: Annotated[list[str] | None, typer.Option(help="Only this format: jpeg, png, ...")] = None,  # noqa: A002
    min_side: Annotated[int, typer.Option(help="Shorter side at least, in pixels.")] = 0,
    min_bytes: Annotated[int | None, typer.Option(help="File size at least.")] = None,
    max_bytes: Annotated[int | None, typer.Option(help="File size at most.")] = None,
    since: Annotated[str | None, typer.Option(help="Taken on or after this date, YYYY-MM-DD.")] = None,
    until: Annotated[str | None, typer.Option(help="Taken on or before this date, YYYY-MM-DD.")] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Prove the matches with local features; the proven come first.")
    ] = False,
    output: Annotated[Output, typer.Option(help="How to print the answer.")] = Output.table,
    json: JsonOption = False,
    html: Annotated[Path | None, typer.Option(help="Also write a page with thumbnails.")] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Also write a figure (png, svg, pdf) of the first query.")
    ] = None,
    null: Annotated[
        bool, typer.Option("-0", "--null", help="With --output paths: end names with NUL.")
    ] = False,
) -> None:
    """Find the pictures that look most like each query.

    Example: lookalike search holiday.jpg -k 5 --html result.html
    """
    from lookalike import report
    from lookalike.cli import show
    from lookalike.matching.search import Filter, parse_way

    parse_way(by)
    where = Filter(folder, tuple(format or ()), min_side, min_bytes, max_bytes, since, until)
    form = Output.json if json else output
    answers = []
    with _gallery() as gallery:
        for query in queries:
            try:
                matches = gallery.search(
                    query,
                    k=k,
                    by=by,
                    min_score=min_score,
                    max_distance=max_distance,
                    where=where,
                    verify=verify,
                )
                answers.append(report.Answer(query, matches))
            except PictureError as error:
                answers.append(report.Answer(query, error=str(error)))
            except InputError as error:
                if not query.startswith(("id:", "http:", "https:", "file:")):
                    raise
                answers.append(report.Answer(query, error=str(error)))
            if form == Output.json:
                _print(report.to_json(report.search_document(answers[-1])))
            elif form == Output.table:
                show.answer(answers[-1])
            elif form == Output.paths:
                _print_paths(answers[-1], null=null)
    if form == Output.csv:
        _print(report.search_csv(answers).rstrip("\n"))
    if html is not None:
        html.write_text(report.search_html(answers, queries, _context.settings), encoding="utf-8")
    if figure is not None:
        drawn = report.search_figure(answers[0], queries[0], _context.settings)
        report.save_figure(drawn, figure)
    if any(answer.error is not None for answer in answers):
        raise typer.Exit(1)


def _print_paths(answer: Any, *, null: bool) -> None:
    if answer.error is not None:
        print(f"lookalike: {answer.error}", file=sys.stderr)
    for match in answer.matches:
        end = b"\0" if null else b"\n"
        sys.stdout.buffer.write(match.picture.path.encode(errors="surrogateescape") + end)
    sys.stdout.flush()


@app.command()
def ways(json: JsonOption = False) -> None:
    """List the ways to search, for `search --by`.

    Example: lookalike ways
    """
    from lookalike.matching.search import ways as all_ways
    from lookalike.report import to_json

    _print(to_json(all_ways()) if json else "\n".join(all_ways()))


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A picture.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another picture.")],
    proof: Annotated[
        Path | None, typer.Option(help="Also draw both pictures with their overlap and agreeing points.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Compare two pictures by every measure, and say what they are to each other.

    Example: lookalike compare original.jpg suspect.png --proof proof.png
    """
    from lookalike.cli import show
    from lookalike.gallery import compare as compare_pictures
    from lookalike.report import compare_document, to_json

    comparison = compare_pictures(first, second, settings=_context.settings)
    if json:
        _print(to_json(compare_document(comparison)))
    else:
        show.comparison(comparison)
    if proof is not None:
        from lookalike.gallery import draw_comparison

        draw_comparison(first, second, comparison, settings=_context.settings).save(proof)


@app.command()
def hash(  # noqa: A001
    files: Annotated[list[str], typer.Argument(help="Pictures; - reads names from standard input.")],
    null: ZeroOption = False,
    json: JsonOption = False,
) -> None:
    """Print the four perceptual hashes of pictures, as ImageHash writes them.

    The pictures are decoded in full. Example: lookalike hash a.jpg b.jpg --json
    """
    from lookalike.gallery import hash_picture
    from lookalike.report import to_json

    any_failed = False
    for path in _paths(files, null=null):
        try:
            hashes = hash_picture(path, settings=_context.settings)
        except PictureError as error:
            any_failed = True
            if json:
                _print(to_json({"path": path, "error": str(error)}))
            else:
                print(f"lookalike: {path}: {error}", file=sys.stderr)
            continue
        _print(to_json({"path": path, **hashes}) if json else "  ".join([*hashes.values(), path]))
    if any_failed:
        raise typer.Exit(1)


@app.command()
def info(json: JsonOption = False) -> None:
    """Say what the gallery holds, what failed and why, and what it costs on disk.

    Example: lookalike info
    """
    from lookalike.cli import show
    from lookalike.report import info_document, to_json

    with _gallery() as gallery:
        found = gallery.info()
    if json:
        _print(to_json(info_document(found)))
    else:
        show.info(found)


@app.command()
def remove(
    paths: Annotated[list[str], typer.Argument(help="Files and folders to forget.")],
    null: ZeroOption = False,
    json: JsonOption = False,
) -> None:
    """Forget files and folders. The gallery forgets them; the pictures stay where they are.

    Example: lookalike remove ~/Pictures/screenshots
    """
    from lookalike.report import to_json

    with _gallery() as gallery:
        n_removed = gallery.remove(_paths(paths, null=null))
    _print(to_json({"removed": n_removed}) if json else f"Forgot {n_removed} files; no picture was touched.")


@app.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be forgotten.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Go on even when no file of the gallery is there any more.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Forget the files that are gone.

    When not one file is there any more, a disk is probably not connected; then --all is needed.
    Example: lookalike prune --dry-run
    """
    from lookalike.report import to_json

    with _gallery() as gallery:
        gone = gallery.find_gone()
        n_files = gallery.info().n_files
        if gone and len(gone) == n_files and not (dry_run or everything):
            raise LookalikeError(
                f"none of the gallery's {n_files} files is there: is a disk not connected? "
                "Use `lookalike prune --all` to forget them all."
            )
        if not dry_run:
            gallery.prune()
    if json:
        _print(to_json({"gone": gone, "forgotten": not dry_run}))
    else:
        for path in gone:
            _print(path)
        _print(f"{'Would forget' if dry_run else 'Forgot'} {len(gone)} of {n_files} files.")


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
    from lookalike import report
    from lookalike.cli import show
    from lookalike.matching.keeper import DEFAULT_RULES

    form = Output.json if json else output
    with _gallery() as gallery, show.stages() as on_stage:
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
        html.write_text(report.duplicates_html(found, _context.settings), encoding="utf-8")
    if form == Output.json:
        _print(report.to_json(report.duplicates_document(found)))
    elif form == Output.csv:
        _print(report.duplicates_csv(found).rstrip("\n"))
    elif form == Output.paths:
        _print("\n".join(m.picture.path for group in found.groups for m in group.members if not m.note))
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
    from lookalike.report import apply_document, to_json

    loaded = load_plan(plan)
    with _gallery() as gallery:
        report = apply_plan(loaded, gallery.journal_folder, allow_delete=delete)
    if json:
        _print(to_json(apply_document(report)))
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
    from lookalike.report import to_json, undo_document

    with _gallery() as gallery:
        report = undo_last(gallery.journal_folder)
    if json:
        _print(to_json(undo_document(report)))
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
    with _gallery() as gallery:
        gallery.mark(first, second, same)


@app.command()
def doctor(json: JsonOption = False) -> None:
    """Check this installation: processor, codecs, model, versions, and a self-test with known answers.

    Example: lookalike doctor
    """
    from lookalike.cli import show
    from lookalike.doctor import examine
    from lookalike.report import to_json

    findings = examine(_context.settings)
    if json:
        _print(to_json([finding.__dict__ for finding in findings]))
    else:
        show.findings(findings, _context.settings)
    if any(finding.is_broken for finding in findings):
        raise typer.Exit(1)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to put the demonstration.")] = Path("lookalike-demo"),
) -> None:
    """Build a small set of pictures, index it, and search it with a cropped and re-encoded one.

    Example: lookalike demo /tmp/demo
    """
    from lookalike.cli.demo import run

    run(folder, _context.settings)
