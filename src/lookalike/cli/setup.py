"""Commands that check and show an installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lookalike.cli.context import (
    JsonOption,
    app,
    context,
    print_line,
)


@app.command()
def doctor(json: JsonOption = False) -> None:
    """Check this installation, and list the settings.

    It looks at processor, codecs, model and versions, and tests itself with known answers.

    Example: lookalike doctor
    """
    from lookalike.cli import show
    from lookalike.doctor import examine
    from lookalike.records.codec import to_json

    findings = examine(context.settings)
    if json:
        print_line(to_json([finding.__dict__ for finding in findings]))
    else:
        show.findings(findings, context.settings)
    if any(finding.is_broken for finding in findings):
        raise typer.Exit(1)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to put the demonstration.")] = Path("lookalike-demo"),
    json: JsonOption = False,
) -> None:
    """Build a small set of pictures, index it and search it.

    The query is a piece of one of them, cropped and re-encoded. Nothing is downloaded.

    Example: lookalike demo /tmp/demo
    """
    from lookalike.cli.demo import demo_document, run, tell
    from lookalike.records.codec import to_json

    shown = run(folder, context.settings)
    if json:
        print_line(to_json(demo_document(shown)))
    else:
        tell(shown)
