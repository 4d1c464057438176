"""What could not be done with a file, and what else a person should know of one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """A file that came to nothing.

    Parameters
    ----------
    path : str
    stage : str
        The step that failed: ``find``, ``read``, ``decode``, ``limit``, ``features``, ...
    reason : str
        One sentence for a person.
    """

    path: str
    stage: str
    reason: str


@dataclass(frozen=True)
class Remark:
    """A file, and what a person should know of it: why it was left as it is, or what else became of it.

    Parameters
    ----------
    path : str
    reason : str
        One sentence for a person.
    """

    path: str
    reason: str
