"""The command line: parse, call the gallery, report."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; exit 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    from lookalike.cli import duplicates, gallery, search, setup  # noqa: F401  # each adds its commands
    from lookalike.cli.context import app
    from lookalike.errors import InputError, LookalikeError

    try:
        app()
    except LookalikeError as error:
        print(f"lookalike: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
    except BrokenPipeError:
        # The reader of our output has gone (as with `| head`); say nothing more to it.
        sys.stdout = None
        sys.exit(1)
    except KeyboardInterrupt:
        print("lookalike: interrupted.", file=sys.stderr)
        sys.exit(130)
