"""Commands that measure: how good each way of searching is, and published experiments done again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.cli.context import JsonOption, app, context, print_line
from lookalike.errors import InputError

if TYPE_CHECKING:
    from lookalike.evaluation.datasets import DataSet
    from lookalike.records.progress import ProgressCallback

SeedOption = Annotated[int, typer.Option(min=0, help="Of everything that is drawn by chance.")]


@app.command()
def evaluate(
    data: Annotated[
        str, typer.Argument(help="A data set: a folder per class, a table, or a published layout.")
    ],
    by: Annotated[str, typer.Option(help="Ways to search, with commas between, or all.")] = "auto",
    edits: Annotated[
        bool, typer.Option("--edits", help="Make edited copies of DATA's pictures, and ask with them.")
    ] = False,
    edit_set: Annotated[
        str, typer.Option(help="Which edits: all (101), standard (20) or perception (10).")
    ] = "all",
    layout: Annotated[str | None, typer.Option(help="How DATA lies on disk, where that is mistaken.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Ask so many queries, or edit so many pictures (100).")
    ] = None,
    depth: Annotated[
        int | None, typer.Option(min=1, help="Answers judged of each query (1000; 100 with --edits).")
    ] = None,
    seed: SeedOption = 0,
    out: Annotated[
        Path | None, typer.Option(help="Keep gallery, copies and answers here, and go on with what is there.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with curves, edits and mistakes.")] = None,
    json: JsonOption = False,
) -> None:
    """Measure how good each way of searching is on pictures of which the right answers are known.

    Example: lookalike evaluate ~/products --by auto,phash,embedding --html report.html
    """
    from lookalike.cli import bars, show_evaluation
    from lookalike.evaluation.evaluate import evaluate as evaluate_data
    from lookalike.evaluation.evaluate import load_data, parse_ways
    from lookalike.records.codec import to_json
    from lookalike.report.documents import evaluation_document
    from lookalike.report.evaluation import evaluation_html
    from lookalike.report.writing import check_output, write_output

    ways = parse_ways(by, context.settings)
    check_output(html)
    if edits and layout is not None:
        raise InputError("--edits takes all pictures of DATA, however they lie: leave --layout out.")
    with _kept(out) as place, bars.stages() as on_progress:
        if edits:
            found_data = _make_edited(data, edit_set, place, limit, seed, on_progress)
        else:
            found_data = load_data(data, layout=layout, limit=limit, seed=seed)
        found = evaluate_data(
            found_data, ways, place, context.settings, depth=depth, seed=seed, on_progress=on_progress
        )
        page = None if html is None else evaluation_html(found, context.settings)
    if html is not None and page is not None:
        write_output(html, page.encode())
    if json:
        print_line(to_json(evaluation_document(found)))
    else:
        show_evaluation.evaluation(found)


@contextmanager
def _kept(out: Path | None) -> Iterator[Path]:
    """Give the folder to work in: the one that is named, or one that goes away."""
    if out is not None:
        if out.exists() and not out.is_dir():
            raise InputError(f"{out} is a file: --out takes a folder.")
        out.mkdir(parents=True, exist_ok=True)
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="lookalike-") as place:
        yield Path(place)


def _make_edited(
    data: str, edit_set: str, place: Path, limit: int | None, seed: int, on_progress: ProgressCallback
) -> DataSet:
    from lookalike.evaluation.evaluate import EDIT_SETS, make_edited

    if edit_set not in EDIT_SETS:
        raise InputError(f"there are no edits {edit_set!r}; choose from {', '.join(EDIT_SETS)}.")
    return make_edited(
        data,
        place,
        context.settings,
        edits=EDIT_SETS[edit_set](),
        limit=limit,
        seed=seed,
        on_progress=on_progress,
    )


@app.command()
def experiment(
    name: Annotated[str, typer.Argument(help="five-measures, viewpoint or euclidean.")],
    data: Annotated[str | None, typer.Argument(help="A folder with a folder for each thing.")] = None,
    seed: SeedOption = 0,
    json: JsonOption = False,
) -> None:
    """Do a published experiment again, with the published figures beside ours.

    five-measures compares similarity measures on near-duplicates, viewpoint the same on other views of a thing,
    euclidean SciPy's distance with NumPy's (it takes no DATA).

    Example: lookalike experiment five-measures ~/fruits
    """
    from lookalike.cli import bars, show_evaluation
    from lookalike.evaluation.euclidean import compare_euclidean
    from lookalike.evaluation.experiments import five_measures, viewpoint
    from lookalike.records.codec import to_json
    from lookalike.report.documents import euclidean_document, measures_document

    if name not in ("five-measures", "viewpoint", "euclidean"):
        raise InputError(f"there is no experiment {name!r}; choose from five-measures, viewpoint, euclidean.")
    if (data is None) != (name == "euclidean"):
        raise InputError(
            "the experiment euclidean takes no pictures: leave DATA out."
            if name == "euclidean"
            else f"the experiment {name} needs DATA, a folder with a folder for each thing."
        )
    if data is None:
        distances = compare_euclidean(seed=seed)
        if json:
            print_line(to_json(euclidean_document(distances)))
        else:
            show_evaluation.euclidean(distances)
        return
    with bars.stages() as on_progress:
        if name == "five-measures":
            found = five_measures(data, context.settings, on_progress=on_progress)
        else:
            found = viewpoint(data, context.settings, seed=seed, on_progress=on_progress)
    if json:
        print_line(to_json(measures_document(found)))
    else:
        show_evaluation.measures(found)
