"""A plan: which files would go, how, and which keeper makes each of them dispensable."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeVar, get_args

from lookalike.errors import InputError
from lookalike.media.files import absolute_path
from lookalike.records.relation import Relation

Act = Literal["trash", "quarantine", "hardlink", "symlink", "delete"]
"""What can be done to a file; all but `trash` and `quarantine` need a keeper of equal bytes."""

ACTS: tuple[Act, ...] = get_args(Act)
PLAN_VERSION = 1
_VERSION_KEY = "lookalike_plan"
_ACTS_ON_EQUAL_BYTES = ("hardlink", "symlink", "delete")
_REMOVABLE: tuple[Relation, ...] = ("same_file", "same_pixels", "copy")  # proven; the rest are opinions
_OPTIONAL = frozenset(("belongs_to", "carry"))  # fields of an act that may be left out
_HEX_DIGEST = re.compile("[0-9a-f]{64}")
_SURROGATE = re.compile("[\ud800-\udfff]")

Record = TypeVar("Record", "Plan", "PlannedAct")


class Removal(NamedTuple):
    """One file that may go, and the keeper because of which it may."""

    path: str
    digest: bytes
    size_bytes: int
    keeper: str
    keeper_digest: bytes
    relation: str
    why: str
    belongs_to: str = ""
    carry: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedAct:
    """One act of a plan.

    Parameters
    ----------
    path : str             the file to act on, absolute
    digest : str           SHA-256 of its content, 64 hexadecimal digits in lower case
    size_bytes : int
    keeper : str           the file that stays, absolute
    keeper_digest : str    as `digest`
    relation : str         of the file to its keeper: ``same_file``, ``same_pixels`` or ``copy``
    act : str              one of `ACTS`
    why : str              for a person
    belongs_to : str       the file of another act of the plan: both are acted on, or neither; empty for none
    carry : tuple of str   what the file says beside its pixels and the keeper does not: it must be brought over

    Raises
    ------
    InputError    a field that cannot be used, or an act that would lose something
    """

    act: Act
    path: str
    keeper: str
    relation: str
    why: str
    size_bytes: int
    digest: str
    keeper_digest: str
    belongs_to: str = ""
    carry: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("act", "path", "keeper", "relation", "why", "digest", "keeper_digest", "belongs_to"):
            _require(isinstance(getattr(self, name), str), f"{name} must be text")
        _require(self.act in ACTS, f"act {self.act!r} is not known; choose from {', '.join(ACTS)}")
        _check_path("path", self.path)
        _check_path("keeper", self.keeper)
        for name in ("digest", "keeper_digest"):
            is_digest = _HEX_DIGEST.fullmatch(getattr(self, name)) is not None
            _require(is_digest, f"{name} must be the 64 hexadecimal digits of a SHA-256")
        is_size = isinstance(self.size_bytes, int) and not isinstance(self.size_bytes, bool)
        _require(is_size and self.size_bytes >= 0, "size_bytes must be a whole number, 0 or more")
        if self.belongs_to:
            _check_path("belongs_to", self.belongs_to)
        are_texts = isinstance(self.carry, tuple) and all(isinstance(kind, str) for kind in self.carry)
        _require(are_texts, "carry must be a list of texts")
        self._check_sense()

    def to_document(self) -> dict[str, Any]:
        """Return the act as JSON values; what it does not ask for is left out."""
        return {name: value for name, value in asdict(self).items() if value or name not in _OPTIONAL}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> PlannedAct:
        """Return the act that `to_document` gave."""
        carry = document.get("carry", ())
        return cls(**{**document, "carry": tuple(carry) if isinstance(carry, list) else carry})

    def _check_sense(self) -> None:
        _require(
            os.path.normpath(self.path) != os.path.normpath(self.keeper), "a file cannot be its own keeper"
        )
        _require(
            self.relation in _REMOVABLE,
            f"{self.path} is no proven copy of its keeper (relation {self.relation!r}): only a file of "
            f"relation {', '.join(_REMOVABLE)} may go",
        )
        equal = self.relation == "same_file" and self.digest == self.keeper_digest
        _require(
            equal or self.act not in _ACTS_ON_EQUAL_BYTES,
            f"{self.act} needs a keeper of the very same bytes (relation same_file, equal digests), and that "
            f"of {self.path} has other bytes: choose trash or quarantine",
        )


@dataclass(frozen=True)
class Plan:
    """What would be done, in order.

    Parameters
    ----------
    acts : tuple of PlannedAct
    created_at : str            when it was made, ``YYYY-MM-DDTHH:MM:SS+00:00``
    gallery : str or None       the gallery's folder
    quarantine : str or None    the folder that the act ``quarantine`` moves files to, absolute
    """

    acts: tuple[PlannedAct, ...]
    created_at: str
    gallery: str | None = None
    quarantine: str | None = None

    def __post_init__(self) -> None:
        _require(isinstance(self.created_at, str), "created_at must be text")
        _require(self.gallery is None or isinstance(self.gallery, str), "gallery must be text or null")
        if self.quarantine is not None:
            _check_path("quarantine", self.quarantine)
        _require(
            self.quarantine is not None or all(act.act != "quarantine" for act in self.acts),
            "the act quarantine needs a folder to move files to: give one",
        )


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise InputError(f"{sentence}.")


def _check_path(name: str, path: Any) -> None:
    _require(isinstance(path, str) and "\x00" not in path, f"{name} must be text without a NUL character")
    _require(_can_be_a_name(path), f"{name} {path!r} holds half a character, which no file's name does")
    _require(os.path.isabs(path), f"{name} {path!r} must be an absolute path, from the root of the disk")


def _can_be_a_name(path: str) -> bool:
    """Whether the system could have such a name: bytes that are no text are, halves of a character are not."""
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def make_plan(
    removals: Sequence[Removal | tuple[str, bytes, int, str, bytes, str, str]],
    *,
    act: Act,
    quarantine: str | os.PathLike[str] | None = None,
    gallery: str | os.PathLike[str] | None = None,
) -> Plan:
    """Make a plan that does the same to every file.

    Parameters
    ----------
    removals : sequence of Removal    in the order in which they are to be acted on
    act : str                         one of `ACTS`
    quarantine : path or None         where ``quarantine`` moves files to; made when it is needed
    gallery : path or None            noted for a person

    Raises
    ------
    InputError    a file that is no proven copy, or whose bytes differ from its keeper's where the act needs
                  equal bytes; the message names the file
    """
    acts = tuple(_planned(Removal(*removal), act) for removal in removals)
    return Plan(
        acts,
        datetime.now(UTC).isoformat(timespec="seconds"),
        None if gallery is None else os.fspath(gallery),
        None if quarantine is None else os.path.abspath(quarantine),
    )


def _planned(removal: Removal, act: Act) -> PlannedAct:
    return PlannedAct(
        act=act,
        path=os.path.abspath(removal.path),
        keeper=os.path.abspath(removal.keeper),
        relation=removal.relation,
        why=removal.why,
        size_bytes=removal.size_bytes,
        digest=removal.digest.hex(),
        keeper_digest=removal.keeper_digest.hex(),
        belongs_to=os.path.abspath(removal.belongs_to) if removal.belongs_to else "",
        carry=tuple(removal.carry),
    )


def check_act(act: str, quarantine: object) -> None:
    """Make sure that a plan of these acts can be made.

    Raises
    ------
    InputError
        An unknown act, ``quarantine`` without its folder, or a folder without it.
    """
    _require(act in ACTS, f"act {act!r} is not known; choose from {', '.join(ACTS)}")
    _require(
        (act == "quarantine") == (quarantine is not None),
        "the act quarantine and a folder for it go together: give both (--act quarantine --quarantine DIR)",
    )


def check_plan(place: str | os.PathLike[str], *, act: str, quarantine: object = None) -> None:
    """Make sure, before the work, that a plan of these acts can be made and written to a file.

    Raises
    ------
    InputError    an unknown act, ``quarantine`` without its folder or a folder without it, a place where
                  nothing can be written, or a file there that is no plan
    """
    check_act(act, quarantine)
    folder = os.path.dirname(absolute_path(place))
    _require(os.path.isdir(folder), f"the plan {place} cannot be written: there is no folder {folder}")
    _require(os.access(folder, os.W_OK), f"the plan {place} cannot be written: you may not write to {folder}")
    _refuse_to_replace_other_files(os.fspath(place))


def save_plan(plan: Plan, path: str | os.PathLike[str]) -> None:
    r"""Write a plan as JSON that a person can read and edit.

    Names of files stay readable; bytes that are no text are written as ``\udcXX``, see `os.fsdecode`.
    An older plan of that name is replaced, any other file is not.

    Raises
    ------
    InputError    the file cannot be written, or is there already and no plan
    """
    place = os.fspath(path)
    text = _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", _as_json(plan))
    _refuse_to_replace_other_files(place)
    try:
        _write_whole(place, text)
    except OSError as error:
        raise InputError(
            f"the plan {place} cannot be written: {error.strerror}. Choose another place."
        ) from error


def _write_whole(place: str, text: str) -> None:
    """Write beside and rename, so that there is never half a plan."""
    descriptor, unfinished = tempfile.mkstemp(dir=os.path.dirname(place) or os.curdir)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, place)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise


def _as_json(plan: Plan) -> str:
    document = {
        _VERSION_KEY: PLAN_VERSION,
        "created_at": plan.created_at,
        "gallery": plan.gallery,
        "quarantine": plan.quarantine,
        "acts": [act.to_document() for act in plan.acts],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _refuse_to_replace_other_files(place: str) -> None:
    """Make sure that a slip of the fingers (``--plan photo.jpg``) costs no file."""
    if not os.path.lexists(place):
        return
    try:
        load_plan(place)
    except InputError as error:
        raise InputError(
            f"{place} exists already and is no plan of lookalike: choose another name for the plan."
        ) from error


def load_plan(path: str | os.PathLike[str]) -> Plan:
    """Read a plan and check every field of it.

    Raises
    ------
    InputError    it cannot be read, is no plan, is of a newer version, or has a field that cannot be used;
                  the message says which, and where
    """
    place = os.fspath(path)
    document = _read_document(place)
    where = f"the plan {place}"
    version = document.pop(_VERSION_KEY)
    if version != PLAN_VERSION:
        raise InputError(
            f"{where} is of version {version!r} and this lookalike reads version {PLAN_VERSION}: update "
            "lookalike, or make the plan again."
        )
    rows = document.pop("acts", None)
    if not isinstance(rows, list):
        raise InputError(f"{where} lacks its list of acts: make it again with `duplicates --plan`.")
    document["acts"] = tuple(_read_act(row, f"{where}, act {n}") for n, row in enumerate(rows, start=1))
    return _build(Plan, document, where)


def _read_document(place: str) -> dict[str, Any]:
    if os.path.exists(place) and not os.path.isfile(place):
        raise InputError(f"the plan {place} cannot be read: it is no file.")
    try:
        with open(place, encoding="utf-8-sig") as file:
            document = json.load(file)
    except OSError as error:
        raise InputError(f"the plan {place} cannot be read: {error.strerror}.") from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"the plan {place} is no JSON: {error.msg} in line {error.lineno}, column {error.colno}. Mend that "
            "line, or make the plan again."
        ) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{place} is no plan of lookalike: it is no JSON text.") from error
    if not isinstance(document, dict) or _VERSION_KEY not in document:
        raise InputError(f"{place} is no plan of lookalike: make one with `duplicates --plan {place}`.")
    return document


def _read_act(row: Any, where: str) -> PlannedAct:
    if not isinstance(row, dict):
        raise InputError(f"{where}: it must be an object with the fields of an act.")
    carry = row.get("carry", [])
    return _build(PlannedAct, {**row, "carry": tuple(carry) if isinstance(carry, list) else carry}, where)


def _build(kind: type[Record], values: Mapping[str, Any], where: str) -> Record:
    names = {field.name for field in fields(kind)}
    missing, unknown = sorted(names - values.keys() - _OPTIONAL), sorted(values.keys() - names)
    if missing:
        raise InputError(f"{where}: the field {missing[0]} is missing.")
    if unknown:
        raise InputError(
            f"{where}: there is no field {unknown[0]!r}; the fields are {', '.join(sorted(names))}."
        )
    try:
        return kind(**values)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
