"""The command that fits thresholds to the gallery's own pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.cli.context import JsonOption, app, context, open_gallery, print_line
from lookalike.cli.streams import printable
from lookalike.errors import InputError

if TYPE_CHECKING:
    from lookalike.calibration.record import Doubt


@app.command()
def calibrate(
    sample: Annotated[int, typer.Option(help="How many pictures to make edited copies of.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the choice of pictures and of the edits.")] = 0,
    ask: Annotated[
        bool | None,
        typer.Option(
            "--ask/--no-ask",
            help="Ask about the few pairs that are hard to tell; by default where a person is there.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Also write a page with histograms and example pairs.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Fit the thresholds for --precision to your own pictures.

    Some of the pictures are edited in twenty ways, and every copy is searched for. No file is changed.

    Example: lookalike calibrate --html calibration.html
    """
    from lookalike.answers.calibration import CalibrationAnswer
    from lookalike.cli import bars, show
    from lookalike.opening import is_address
    from lookalike.records.codec import to_json
    from lookalike.report.calibration import calibration_html
    from lookalike.report.writing import check_output, write_output

    check_output(html)
    if html is not None and is_address(context.gallery):
        raise InputError(f"{context.gallery} sends no samples to draw: calibrate without --html.")
    is_asking = sys.stdin.isatty() and sys.stderr.isatty() if ask is None else ask
    with open_gallery() as gallery:
        with bars.stages() as on_progress:
            report = gallery.calibrate(
                n_pictures=sample, seed=seed, ask=_ask_person if is_asking else None, on_progress=on_progress
            )
        if report.calibration.n_pictures < sample:
            n_pictures = report.calibration.n_pictures
            print(f"lookalike: only {n_pictures} pictures could be used, not {sample}.", file=sys.stderr)
    if html is not None:
        write_output(html, calibration_html(report, context.settings).encode())
    if json:
        print_line(to_json(CalibrationAnswer.of(report)))
    else:
        show.calibration(report)


def _ask_person(doubt: Doubt) -> bool | None:
    """Ask on the terminal whether two pictures are duplicates; anything but y and n is no answer."""
    for picture in (doubt.first, doubt.second):
        print(f"  {printable(picture.path)}  ({picture.width_px} x {picture.height_px})", file=sys.stderr)
    print("Are these one picture, edited? [y]es, [n]o, anything else: I cannot say.", file=sys.stderr)
    answer = sys.stdin.readline().strip().lower()
    return {"y": True, "yes": True, "n": False, "no": False}.get(answer)
