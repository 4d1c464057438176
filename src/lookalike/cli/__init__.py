"""The command line: parse, call the gallery, report."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from typer import Typer

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


_interrupts: list[int] = []


def main() -> None:
    """Run the command line; exit 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        code = _run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception:
        if not _interrupts:
            raise
        code = INTERRUPTED
    if _interrupts or code == INTERRUPTED:
        _leave_interrupted()
    sys.exit(code)


def _interrupt(number: int, _frame: object) -> None:
    """Interrupt the command, and remember it: some libraries make another error of it while they load."""
    _interrupts.append(number)
    raise KeyboardInterrupt


def _leave_interrupted() -> NoReturn:
    """Say so and leave at once: nothing that is left to do is worth another Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(
        "lookalike: interrupted; what was done is kept, and the same command goes on from there.",
        file=sys.stderr,
    )
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(INTERRUPTED)


def _run() -> int:
    """Run a command; return the exit code. What was foreseen is told in one sentence."""
    from lookalike.cli import streams
    from lookalike.errors import InputError, LookalikeError

    try:
        streams.prepare()
        code = _call_command()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        pass  # the reader of our output has gone (as with `| head`); say nothing more to it
    except InputError as error:
        _explain(str(error))
        return WRONG_USAGE
    except LookalikeError as error:
        _explain(str(error))
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        _explain(f"{where}{error.strerror or error}.")
    except MemoryError:
        _explain("there is not enough memory: close other programs, or use fewer processes (--set jobs=1).")
    streams.silence(sys.stdout)
    return FAILED


def load_app() -> Typer:
    """Return the app with all commands: each of these files adds its own."""
    from lookalike.cli import calibrate, duplicates, evaluation, gallery, search, serve, setup  # noqa: F401
    from lookalike.cli.context import app

    return app


def _call_command() -> int:
    app = load_app()
    try:
        app(prog_name="lookalike")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else DONE
    return DONE


def _explain(sentence: str) -> None:
    from lookalike.cli.streams import print_problem

    if os.environ.get("LOOKALIKE_DEBUG"):
        import traceback

        traceback.print_exc()
    print_problem(sentence)
