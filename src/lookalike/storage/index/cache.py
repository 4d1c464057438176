"""Index files: rows laid out for scanning, mapped into memory, rebuilt from the store when in doubt.

A file is a header (one line of JSON), the ids, then the rows. It is written under a temporary name and
moved into place, so a reader sees a whole file or none. A checksum in the header covers everything, so that
a file that a failing disk has changed is rebuilt, never believed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.features.extract import for_cache, kind_of, stored_dtype
from lookalike.records.recipe import Recipe
from lookalike.storage.index.exact import ExactIndex
from lookalike.storage.records import Stamp
from lookalike.storage.store import Store

_HEADER_BYTES = 4096  # a page, so that the rows behind it stay aligned
_REWRITE_SHARE = 0.1  # a cache file is written anew once so much of it would be out of date
_PAGE_BYTES = 4096
_log = logging.getLogger("lookalike")


def open_exact_index(store: Store, recipe: Recipe) -> tuple[ExactIndex, Stamp]:
    """Return an exact index that holds all features of a recipe as the store has them now.

    What the cache file has is mapped from it; what was added since is read from the store. The file is
    (re)written where it is absent, damaged or far behind; a folder that cannot be written costs only speed.
    """
    path = _cache_path(store, recipe)
    stamp = store.features.stamp(recipe)
    index, cached = _read(path, recipe, store)
    ids, rows = store.features.load(recipe, stored_dtype(recipe.feature), after=cached.last_number)
    n_cached = len(index)
    if cached.last_removal != stamp.last_removal:
        index.remove(store.features.removed_after(cached.last_removal))
    n_behind = len(ids) + n_cached - len(index)
    if len(ids):
        # A row that another process wrote between `stamp` and here is simply newer than the stamp says.
        index.remove(ids)
        index.add(ids, for_cache(recipe.feature, rows))
    if n_behind > _REWRITE_SHARE * n_cached:
        try:
            _write(path, recipe, index, stamp, store)
        except OSError as error:
            _log.info("the cache %s was not written: %s", path, error)
        else:  # what is mapped takes no memory of our own, and is shared with other processes
            mapped, found = _read(path, recipe, store)
            if found == stamp and len(mapped) == len(index):
                return mapped, stamp
    return index, stamp


def _cache_path(store: Store, recipe: Recipe) -> Path:
    name = hashlib.sha256(recipe.text.encode()).hexdigest()[:16]
    return store.folder / "cache" / f"{recipe.feature}-{name}.index"


def _marks(store: Store, ids: NDArray[np.int64]) -> list[str]:
    """Return the digests behind the first and last id: a store put in another's place has others."""
    ends = [int(ids[0]), int(ids[-1])]
    found = store.contents.digests_of(ends)
    return [found[end].hex() if end in found else "" for end in ends]


def _read(path: Path, recipe: Recipe, store: Store) -> tuple[ExactIndex, Stamp]:
    """Map a cache file; an absent or unfit one gives an empty index with the stamp of nothing read."""
    kind = kind_of(recipe.feature)
    nothing = ExactIndex(kind), Stamp(0, 0)
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(_HEADER_BYTES))
            size_bytes = os.fstat(file.fileno()).st_size
        if header["recipe"] != recipe.text:
            return nothing
        n, d, dtype = header["n"], header["d"], np.dtype(header["dtype"])
        if size_bytes != _HEADER_BYTES + n * 8 + n * d * dtype.itemsize or n == 0:
            return nothing
        ids = np.fromfile(path, np.int64, n, offset=_HEADER_BYTES)
        rows = np.asarray(np.memmap(path, dtype, "r", _HEADER_BYTES + n * 8, (n, d)))
        if header.pop("checksum") != _checksum(header, ids, rows):
            _log.warning("the cache %s is damaged and is rebuilt", path)
            return nothing
        if header["marks"] != _marks(store, ids):
            return nothing
        return ExactIndex(kind, ids, rows), Stamp(**header["stamp"])
    except FileNotFoundError:
        return nothing
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.info("the cache %s is rebuilt: %s", path, error)
        return nothing


def _checksum(header: dict[str, Any], ids: NDArray[np.int64], rows: NDArray[Any]) -> str:
    """Return a checksum of a whole cache file, at the speed of memory.

    The words of 64 bits of every page are added up, modulo 2^64, and the sums digested. Whatever a disk does
    to a page changes its sum, but for words that change places in it. 20 GB/s on one core, against 4 of
    CRC-32 and 1.5 of SHA-256.
    """
    digest = hashlib.blake2b(json.dumps(header, sort_keys=True).encode(), digest_size=16)
    for part in (ids, rows):
        raw = np.ascontiguousarray(part).reshape(-1).view(np.uint8)
        n_paged = len(raw) // _PAGE_BYTES * _PAGE_BYTES
        digest.update(raw[:n_paged].view(np.uint64).reshape(-1, _PAGE_BYTES // 8).sum(axis=1))
        digest.update(raw[n_paged:].tobytes())
    return digest.hexdigest()


def _write(path: Path, recipe: Recipe, index: ExactIndex, stamp: Stamp, store: Store) -> None:
    ids, rows = index.contents()
    header = {
        "recipe": recipe.text,
        "n": len(ids),
        "d": rows.shape[1],
        "dtype": rows.dtype.str,
        "stamp": asdict(stamp),
        "marks": _marks(store, ids) if len(ids) else [],
    }
    header["checksum"] = _checksum(header, ids, rows)
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_suffix(f".{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:  # not by tempfile, whose files no other user may read
            file.write(json.dumps(header).encode().ljust(_HEADER_BYTES))
            ids.astype(np.int64, copy=False).tofile(file)
            rows.tofile(file)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
