"""Records <-> JSON: one codec for what commands print, what servers answer, what clients read, and files.

A record is a frozen dataclass of plain values, other records, tuples and mappings. It is written field by
field; what is read may have fields that are not known yet, so that an older program understands a newer one.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from lookalike.errors import InputError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Record = TypeVar("Record")


def to_document(value: Any) -> Any:
    """Return a record as JSON values: objects, lists, texts, numbers, booleans and None.

    The fields that a record names in a property `not_written` are not written.

    Parameters
    ----------
    value : record, mapping, sequence or plain value

    Returns
    -------
    dict, list or plain value
    """
    if is_dataclass(value):
        not_written = getattr(value, "not_written", ())
        names = (field.name for field in fields(value) if field.name not in not_written)
        return {name: to_document(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {name: to_document(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_document(one) for one in value]
    return value


def to_json(value: Any) -> str:
    """Return one line of JSON, readable where the text allows it; what is not printable is escaped.

    Parameters
    ----------
    value : record, mapping, sequence or plain value

    Returns
    -------
    str
    """
    document = to_document(value)
    text = json.dumps(document, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(document)


def from_document(kind: type[Record], document: Any) -> Record:
    """Return the record that JSON values describe; fields that it does not have are passed over.

    Parameters
    ----------
    kind : type of the record
    document : dict, list or plain value

    Returns
    -------
    record

    Raises
    ------
    InputError
        A field is missing, or is of another type; the message names it.
    """
    from pydantic import ValidationError

    try:
        return cast("Record", _adapter(cast("Hashable", kind)).validate_python(document))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "it"
        message = f"this is no {getattr(kind, '__name__', kind)}: {place}: {first['msg']}."
        raise InputError(message) from error


def from_json(kind: type[Record], text: str) -> Record:
    """Return the record that a JSON text describes, as `from_document` does.

    Raises
    ------
    InputError
        It is no JSON, or not that of such a record.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is no JSON: {error}.") from error
    return from_document(kind, document)


@lru_cache(None)
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # slow to load, and needed by those alone who read

    return TypeAdapter(cast("Any", kind))
