"""Commands that look: search, compare and hash."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lookalike.cli.context import (
    JsonOption,
    Output,
    ZeroOption,
    app,
    context,
    open_gallery,
    print_line,
    read_paths,
)
from lookalike.errors import InputError, PictureError


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
    from lookalike.cli import show
    from lookalike.matching.search import Filter, parse_way
    from lookalike.report import documents, figures, pages

    parse_way(by)
    where = Filter(folder, tuple(format or ()), min_side, min_bytes, max_bytes, since, until)
    form = Output.json if json else output
    answers = []
    with open_gallery() as gallery:
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
                answers.append(documents.Answer(query, matches))
            except PictureError as error:
                answers.append(documents.Answer(query, error=str(error)))
            except InputError as error:
                if not query.startswith(("id:", "http:", "https:", "file:")):
                    raise
                answers.append(documents.Answer(query, error=str(error)))
            if form == Output.json:
                print_line(documents.to_json(documents.search_document(answers[-1])))
            elif form == Output.table:
                show.answer(answers[-1])
            elif form == Output.paths:
                _print_paths(answers[-1], null=null)
    if form == Output.csv:
        print_line(documents.search_csv(answers).rstrip("\n"))
    if html is not None:
        html.write_text(pages.search_html(answers, queries, context.settings), encoding="utf-8")
    if figure is not None:
        drawn = figures.search_figure(answers[0], queries[0], context.settings)
        figures.save_figure(drawn, figure)
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
    from lookalike.report.documents import to_json

    print_line(to_json(all_ways()) if json else "\n".join(all_ways()))


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
    from lookalike.report.documents import compare_document, to_json

    comparison = compare_pictures(first, second, settings=context.settings)
    if json:
        print_line(to_json(compare_document(comparison)))
    else:
        show.comparison(comparison)
    if proof is not None:
        from lookalike.gallery import draw_comparison

        draw_comparison(first, second, comparison, settings=context.settings).save(proof)


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
    from lookalike.report.documents import to_json

    any_failed = False
    for path in read_paths(files, null=null):
        try:
            hashes = hash_picture(path, settings=context.settings)
        except PictureError as error:
            any_failed = True
            if json:
                print_line(to_json({"path": path, "error": str(error)}))
            else:
                print(f"lookalike: {path}: {error}", file=sys.stderr)
            continue
        print_line(to_json({"path": path, **hashes}) if json else "  ".join([*hashes.values(), path]))
    if any_failed:
        raise typer.Exit(1)
