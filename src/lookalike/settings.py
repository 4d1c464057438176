"""Every knob, once: name, type, default, unit and help.

A knob is set, from weakest to strongest, by its default here, the environment variable
``LOOKALIKE_<NAME>``, and ``--set NAME=VALUE`` on the command line (or `Settings` in Python).
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from lookalike.errors import InputError

ENVIRONMENT_PREFIX = "LOOKALIKE_"
_FORMER_NAMES = {"model": "models"}


def _knob(default: Any, *, unit: str, help: str, at_least: float = 0) -> Any:  # noqa: A002
    return field(default=default, metadata={"unit": unit, "help": help, "at_least": at_least})


@dataclass(frozen=True)
class Settings:
    """The knobs of lookalike. Immutable; derive a changed copy with `Settings.with_values`.

    Examples
    --------
    >>> Settings(jobs=2, max_seconds=5.0).n_workers
    2
    """

    jobs: int = _knob(0, unit="processes", help="worker processes of `index`; 0 means one per core")
    max_pixels: int = _knob(
        256_000_000, unit="pixels", at_least=1, help="pictures that declare more pixels than this fail"
    )
    max_bytes: int = _knob(
        1_000_000_000, unit="bytes", at_least=1, help="files larger than this fail without being read"
    )
    max_seconds: float = _knob(
        30.0, unit="seconds", at_least=0.1, help="time one file may take before its worker is stopped"
    )
    max_memory: int = _knob(
        4_000_000_000,
        unit="bytes",
        at_least=200_000_000,
        help="memory one worker may take on top of its models (where the system can limit it)",
    )
    hash_size: int = _knob(
        8, unit="bits a side", at_least=2, help="side of the perceptual hashes; 8 gives 64 bits, 16 gives 256"
    )
    models: str = _knob(
        "efficientnet-lite0",
        unit="names or paths",
        help="embedding models, by commas: of the catalogue, or .onnx files; the first is `embedding` for short",
    )
    precision: str = _knob("int8", unit="int8 or float32", help="precision of a model of the catalogue")
    tier: str = _knob(
        "auto",
        unit="name",
        help="how the nearest of many rows are found: exact compares with each; auto chooses by how many there are",
    )
    serve_threads: int = _knob(
        0,
        unit="threads",
        help="requests that `serve` answers at a time; 0 means one per core, and 8 at most",
    )
    serve_queue: int = _knob(
        64, unit="requests", at_least=1, help="searches that may wait; more are told to come again (503)"
    )
    serve_connections: int = _knob(
        512, unit="connections", at_least=1, help="clients that may be connected to `serve` at a time"
    )
    serve_max_bytes: int = _knob(
        64_000_000, unit="bytes", at_least=1, help="largest request that `serve` takes, uploads included"
    )
    serve_seconds: float = _knob(
        60.0,
        unit="seconds",
        at_least=0.1,
        help="time that a request may take to arrive, and a client to read",
    )
    serve_uploads: int = _knob(
        500, unit="pictures", at_least=1, help="pictures asked with that are kept for links; the oldest go"
    )
    serve_uploads_bytes: int = _knob(
        1_000_000_000, unit="bytes", at_least=1, help="bytes of the pictures asked with that are kept"
    )

    def __post_init__(self) -> None:
        for knob in fields(self):
            value = getattr(self, knob.name)
            if isinstance(value, int | float) and not value >= knob.metadata["at_least"]:
                raise InputError(
                    f"setting {knob.name} = {value} is too small: "
                    f"it must be at least {knob.metadata['at_least']} {knob.metadata['unit']}."
                )
        if self.hash_size & (self.hash_size - 1):
            raise InputError(f"setting hash_size = {self.hash_size} must be a power of two, such as 8 or 16.")
        if self.precision not in ("int8", "float32"):
            raise InputError(f"setting precision = {self.precision!r} must be int8 or float32.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Return the defaults, changed by any ``LOOKALIKE_<NAME>`` variables."""
        names = [*_FORMER_NAMES, *(knob.name for knob in fields(cls))]
        found = {
            name: environment[ENVIRONMENT_PREFIX + name.upper()]
            for name in names
            if ENVIRONMENT_PREFIX + name.upper() in environment
        }
        return cls().with_values(found)

    def with_values(self, values: Mapping[str, str]) -> Settings:
        """Return a copy with some knobs given as text, as the command line and environment have them.

        Raises
        ------
        InputError
            An unknown name, or text that is not of the knob's type.
        """
        known = {knob.name: knob for knob in fields(self)}
        parsed: dict[str, Any] = {}
        for given, text in values.items():
            name = _FORMER_NAMES.get(given, given)
            if name not in known:
                raise InputError(f"there is no setting {name!r}; choose from {', '.join(known)}.")
            kind: type[Any] = type(getattr(self, name))
            try:
                parsed[name] = kind(text)
            except ValueError as error:
                raise InputError(f"setting {name} = {text!r} is not a {kind.__name__}.") from error
        return replace(self, **parsed)

    @property
    def model_list(self) -> tuple[str, ...]:
        """The embedding models, the first first."""
        return tuple(name.strip() for name in self.models.split(","))

    @property
    def model(self) -> str:
        """The first of the embedding models."""
        return self.model_list[0]

    @property
    def n_workers(self) -> int:
        """Number of worker processes: `jobs`, or one for each core this process may use."""
        if self.jobs:
            return self.jobs
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1


def _parameters() -> str:
    """Return the knobs as the section of a docstring."""
    rows = (
        f"{knob.name} : {type(knob.default).__name__}\n    {knob.metadata['help']} ({knob.metadata['unit']})"
        for knob in fields(Settings)
    )
    return "\n".join(["Parameters", "----------", *rows])


Settings.__doc__ = f"{inspect.cleandoc(Settings.__doc__ or '')}\n\n{_parameters()}\n"


def describe_settings(settings: Settings) -> list[tuple[str, str, str, str]]:
    """Return (name, value, unit, help) of every knob, in order: the table of docs and `doctor`."""
    return [
        (knob.name, str(getattr(settings, knob.name)), knob.metadata["unit"], knob.metadata["help"])
        for knob in fields(settings)
    ]
