"""What a server was told when it was started."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lookalike.errors import InputError
from lookalike.settings import Settings

TOKEN_VARIABLE = "LOOKALIKE_TOKEN"  # noqa: S105  (the name of a variable, not its value)
MIN_TOKEN_LENGTH = 16
DEFAULT_PORT = 8642


@dataclass(frozen=True)
class ServeOptions:
    """How a gallery is served.

    Parameters
    ----------
    gallery : str              its folder
    settings : Settings
    host, port : where to listen; port 0 takes a free one
    token : str or None        what clients must know; needed beyond the loopback addresses
    allow_addresses : bool     whether pictures may be fetched from addresses
    read_only : bool           whether nothing can be changed
    allow_folders : folders    the only ones that clients may have indexed or files moved to; None means all, which
                               is right for loopback only
    names : host names         beside `host`, that clients may call the server by

    Raises
    ------
    InputError    an address beyond this machine without a token, or a token that is too short
    """

    gallery: str
    settings: Settings
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    token: str | None = field(default=None, repr=False)
    allow_addresses: bool = False
    read_only: bool = False
    allow_folders: tuple[str, ...] | None = None
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise InputError(f"port {self.port} is none: take one from 0 (any that is free) to 65535.")
        if self.token is not None and len(self.token) < MIN_TOKEN_LENGTH:
            raise InputError(f"the token is too short: take at least {MIN_TOKEN_LENGTH} characters.")
        if self.token is None and not is_loopback(self.host):
            raise InputError(
                f"anyone who reaches {self.host} could see your pictures: give a token in --token-file or in "
                f"{TOKEN_VARIABLE}, or stay on 127.0.0.1."
            )

    @property
    def host_names(self) -> frozenset[str]:
        """What may stand in the Host header, in lower case and without a port.

        A name of a stranger that was made to lead here (DNS rebinding) is not among them.
        """
        names = {self.host.lower().strip("[]"), *(name.lower() for name in self.names)}
        if is_loopback(self.host) or self.host in ("0.0.0.0", "::"):  # noqa: S104  (compared, not bound)
            names |= {"localhost", "127.0.0.1", "::1"}
        return frozenset(names)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; names other than ``localhost`` count as reachable."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_token(path: Path | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the token of a file, else of the environment; None where there is neither.

    Raises
    ------
    InputError    the file cannot be read, or is empty
    """
    if path is None:
        return environment.get(TOKEN_VARIABLE) or None
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the token file {path} cannot be read: {error}.") from error
    if not token:
        raise InputError(f"the token file {path} is empty: write a long random word into it.")
    return token
