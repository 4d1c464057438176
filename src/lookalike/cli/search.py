"""Commands that look: search, compare and hash."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.cli.context import (
    JsonOption,
    Output,
    ZeroOption,
    app,
    context,
    open_gallery,
    print_csv,
    print_line,
    print_name,
    print_problem,
    read_paths,
)
from lookalike.cli.precision import PrecisionOption, promise
from lookalike.errors import InputError, PictureError, QueryError

if TYPE_CHECKING:
    from lookalike.answers.search import Answer
    from lookalike.api import Gallery
    from lookalike.records.calibration import Promised
    from lookalike.searching.searcher import Match


@app.command()
def search(
    queries: Annotated[
        list[str],
        typer.Argument(metavar="QUERY", help="Pictures: paths, file: URLs, - (standard input) or id:N."),
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
    since: Annotated[
        str | None,
        typer.Option(
            help="Of this date or later, YYYY-MM-DD: taken, or where that is not known, the file's."
        ),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Of this date or earlier, in the same way.")] = None,
    precision: PrecisionOption = None,
    box: Annotated[
        str | None,
        typer.Option(help="Ask with this part only: left,top,width,height as fractions, such as 0,0,0.5,1."),
    ] = None,
    liked: Annotated[
        list[int] | None, typer.Option(help="Id of an answer that was right: the query moves towards it.")
    ] = None,
    disliked: Annotated[
        list[int] | None, typer.Option(help="Id of an answer that was wrong: the query moves away from it.")
    ] = None,
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
    from lookalike.cli.away import tell_found_away
    from lookalike.opening import is_address
    from lookalike.queries.source import parse_box
    from lookalike.searching.ways import find_way
    from lookalike.storage.filters import Filter

    if not is_address(context.gallery):  # a server has ways of its own
        find_way(by, context.settings)
    where = Filter(folder, tuple(format or ()), min_side, min_bytes, max_bytes, since, until)
    form = Output.json if json else output
    answers = []
    with open_gallery() as gallery:
        _check_reports(gallery, queries, html, figure)
        ask = partial(
            gallery.search,
            k=k,
            by=by,
            min_score=min_score,
            max_distance=max_distance,
            where=where,
            verify=verify,
            precision=precision,
            box=None if box is None else parse_box(box),
            liked=liked or (),
            disliked=disliked or (),
        )
        promised = None if precision is None else promise(gallery, "duplicates" if verify else by, precision)
        for query in queries:
            answers.append(_answer(query, ask, promised))
            _print_answer(answers[-1], form, null=null)
        if form == Output.table:
            tell_found_away(gallery, (match.picture.path for one in answers for match in one.matches))
    if form == Output.csv:
        from lookalike.report.tables import search_csv

        print_csv(search_csv(answers))
    _write_reports(answers, html, figure)
    if any(answer.error is not None for answer in answers):
        raise typer.Exit(1)


def _check_reports(gallery: Gallery, queries: list[str], html: Path | None, figure: Path | None) -> None:
    """Refuse, before the work, what could not be written after it, or would cost a picture."""
    from lookalike.report.figures import check_matplotlib
    from lookalike.report.writing import FIGURES, check_output

    check_output(html, inputs=queries)
    check_output(figure, FIGURES, inputs=queries)
    if figure is not None:
        check_matplotlib()
        if gallery.holds(figure):
            raise InputError(f"{figure} is a picture of the gallery: choose another name.")


def _answer(query: str, ask: Callable[[str], list[Match]], promised: Promised | None) -> Answer:
    """Return the answer to one query; one that cannot be read is an answer too."""
    from lookalike.answers.search import Answer

    try:
        return Answer(query, ask(query), promised=promised)
    except (PictureError, QueryError) as error:
        return Answer(query, error=str(error))


def _print_answer(answer: Answer, form: Output, *, null: bool) -> None:
    from lookalike.answers.search import SearchAnswer
    from lookalike.cli import show
    from lookalike.records.codec import to_json

    if form == Output.json:
        print_line(to_json(SearchAnswer.of(answer)))
    elif form == Output.table:
        show.answer(answer)
    elif form == Output.paths:
        if answer.error is not None:
            print_problem(answer.error)
        for match in answer.matches:
            print_name(match.picture.path, null=null)


def _write_reports(answers: list[Answer], html: Path | None, figure: Path | None) -> None:
    if html is None and figure is None:
        return
    from lookalike.report import figures, pages
    from lookalike.report.writing import write_output

    queries = [answer.query for answer in answers]
    if html is not None:
        write_output(html, pages.search_html(answers, queries, context.settings).encode())
    if figure is not None:
        drawn = figures.search_figure(answers[0], queries[0], context.settings)
        write_output(figure, figures.figure_bytes(drawn, figure.suffix[1:].lower()))


@app.command()
def ways(json: JsonOption = False) -> None:
    """List the ways to search, for `search --by`, and what each compares.

    Example: lookalike ways
    """
    from lookalike.records.codec import to_json
    from lookalike.searching.ways import find_way
    from lookalike.searching.ways import ways as all_ways

    if json:
        print_line(to_json(all_ways(context.settings)))
        return
    width = max(len(way) for way in all_ways(context.settings))
    for way in all_ways(context.settings):
        print_line(f"{way:<{width}}  {find_way(way, context.settings).describes}")


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A picture.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another picture.")],
    proof: Annotated[
        Path | None, typer.Option(help="Also draw both pictures with their overlap and agreeing points.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Compare two pictures by every measure, with a verdict.

    Example: lookalike compare original.jpg suspect.png --proof proof.png
    """
    from lookalike.answers.search import ComparisonAnswer
    from lookalike.cli import show
    from lookalike.loose import compare as compare_pictures
    from lookalike.loose import draw_comparison
    from lookalike.records.codec import to_json
    from lookalike.report.thumbnails import picture_bytes
    from lookalike.report.writing import PICTURES, check_output, write_output

    check_output(proof, PICTURES, inputs=(first, second))
    comparison = compare_pictures(first, second, settings=context.settings)
    if json:
        print_line(to_json(ComparisonAnswer.of(comparison)))
    else:
        show.comparison(comparison)
    if proof is not None:
        drawn = draw_comparison(first, second, comparison, settings=context.settings)
        write_output(proof, picture_bytes(drawn, proof.suffix))


@app.command()
def hash(  # noqa: A001
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="Pictures; - reads names from standard input.")
    ],
    null: ZeroOption = False,
    json: JsonOption = False,
) -> None:
    """Print the four perceptual hashes of pictures.

    They are those of ImageHash, in its notation, of the pictures decoded in full.

    Example: lookalike hash a.jpg b.jpg --json
    """
    from lookalike.loose import hash_picture
    from lookalike.records.codec import to_json

    any_failed = False
    has_heading = json or not sys.stdout.isatty()
    for path in read_paths(files, null=null):
        try:
            hashes = hash_picture(path, settings=context.settings)
        except (PictureError, QueryError) as error:
            any_failed = True
            if json:
                print_line(to_json({"path": path, "error": str(error)}))
            else:
                print_problem(f"{path}: {error}")
            continue
        if json:
            print_line(to_json({"path": path, **hashes}))
            continue
        if not has_heading:
            has_heading = True
            print_line("  ".join([*(name.ljust(len(value)) for name, value in hashes.items()), "path"]))
        print_name("  ".join([*hashes.values(), path]))
    if any_failed:
        raise typer.Exit(1)
