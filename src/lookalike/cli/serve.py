"""The command that opens a gallery in the browser."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from lookalike.cli.context import app, context


@app.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than 127.0.0.1 need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8642,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    create: Annotated[
        bool, typer.Option("--create", help="Make an empty gallery where there is none.")
    ] = False,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the token that clients must give (or LOOKALIKE_TOKEN).")
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option(help="Another host name that clients may call the server by.")
    ] = None,
    allow_addresses: Annotated[
        bool, typer.Option("--allow-addresses", help="Fetch pictures from addresses that are asked with.")
    ] = False,
    allow_folder: Annotated[
        list[str] | None,
        typer.Option(help="With a token: a folder that clients may have indexed, or files moved to."),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Change nothing, whatever is asked.")
    ] = False,
) -> None:
    """Open the gallery in the browser, and serve it to programs.

    Only this machine can reach it, unless --host says otherwise. Example: lookalike serve --open
    """
    from lookalike.extras import require_extra

    require_extra("serve", "`lookalike serve`")
    # Requests are answered side by side, so each takes one core; threads of one that wait for each other only
    # get in the way of the others. Read when NumPy is first imported, just below.
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    from lookalike.opening import open_folder
    from lookalike.web.options import ServeOptions, is_loopback, read_token
    from lookalike.web.server import address_of, bind, make_server

    folders = None if is_loopback(host) and not allow_folder else tuple(allow_folder or ())
    options = ServeOptions(
        context.gallery,
        context.settings,
        host=host,
        port=port,
        token=read_token(token_file),
        allow_addresses=allow_addresses,
        read_only=read_only,
        allow_folders=folders,
        names=tuple(name or ()),
    )
    open_folder(
        context.gallery, create=create, settings=context.settings
    ).close()  # one of no use is said at once
    listening = bind(options)
    server = make_server(options)
    address = address_of(options, listening)
    print(f"Serving {context.gallery} at {address} (Ctrl-C stops).", flush=True)
    if open_:
        import webbrowser

        webbrowser.open(address)
    # The server takes Ctrl-C while it runs, ends, and raises it again; for this command that is no interruption.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server.run(sockets=[listening])
