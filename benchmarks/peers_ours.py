"""What lookalike is asked, on the same files and by the same protocol as its rivals."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lookalike import Gallery, Settings
from lookalike.features.color import unpack_histograms
from lookalike.features.extract import Extractor
from lookalike.features.feature import EMBEDDING
from lookalike.features.hashes import HASHES
from lookalike.features.registry import features_of
from lookalike.media.decode import decode

# A copy whose original is not among the best 20 scores below 20 wrong ones. At 99.9 % precision over
# fewer than 20,000 copies no threshold reaches it, so what lies beyond changes nothing.
RANKED = 20
VERIFIED = 5


def features(
    paths: Sequence[str], names: Sequence[str], n_workers: int
) -> dict[str, tuple[list[str], np.ndarray]]:
    """Compute features as the gallery stores them; ``phash 16`` and ``dhash 16`` have 256 bits."""
    if names in (["all"], ["hashes"]):
        return _index(paths, names[0], n_workers)
    plain = [name for name in names if name in features_of(Settings())]
    large = [name for name in names if name.endswith(" 16")]
    extractors = {"": (Extractor(Settings(), plain), plain)}
    if large:
        hashes = [name.removesuffix(" 16") for name in large]
        extractors[" 16"] = Extractor(Settings(hash_size=16), hashes), hashes
    rows: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for path in paths:
        picture = decode(Path(path), min_side_px=224)
        for suffix, (extractor, wanted) in extractors.items():
            made = extractor.extract(extractor.prepare(picture))
            for name in wanted:
                rows[name + suffix].append(made[name])
    own = [Path(path).name for path in paths]
    return {name: (own, _comparable(name, np.stack(kept))) for name, kept in rows.items()}


def _comparable(name: str, rows: np.ndarray) -> np.ndarray:
    """Return packed bits as they are and anything else as float32 vectors."""
    if name.split()[0] in HASHES:
        return rows
    return (rows if name == EMBEDDING else unpack_histograms(rows)).astype(np.float32)


def _index(paths: Sequence[str], only: str, n_workers: int) -> dict[str, tuple[list[str], np.ndarray]]:
    """Index into a gallery that is thrown away: only the time it takes is wanted."""
    with (
        tempfile.TemporaryDirectory() as place,
        Gallery.open(place, create=True, settings=Settings(jobs=n_workers)) as gallery,
    ):
        gallery.add(paths, only=only)
    return {}


def pairs(paths: Sequence[str], _method: str, n_workers: int) -> tuple[list[tuple[str, str]], float]:
    """Return the pairs that ``lookalike duplicates`` joins as copies, and the seconds of indexing."""
    with (
        tempfile.TemporaryDirectory() as place,
        Gallery.open(place, create=True, settings=Settings(jobs=n_workers)) as gallery,
    ):
        started = time.perf_counter()
        gallery.add(paths)
        seconds = time.perf_counter() - started
        report = gallery.duplicates()
    found = [(group.keeper.path, member.picture.path) for group in report.groups for member in group.members]
    return found, seconds


def search(
    originals: Sequence[str], copies: Sequence[str], is_verified: Sequence[bool], place: str
) -> dict[str, np.ndarray]:
    """Search for every copy among the originals, by `auto`, and verify the first matches of some.

    Returns
    -------
    scores : float32 array, shape (c, o)    of `auto`; minus infinity beyond the best `RANKED`
    proven : bool array, shape (c, o)       claimed as a copy, with proof, among the first `VERIFIED`
    """
    column = {path: number for number, path in enumerate(originals)}
    scores = np.full((len(copies), len(originals)), -np.inf, np.float32)
    proven = np.zeros(scores.shape, bool)
    with Gallery.open(place, create=True, settings=Settings(jobs=1)) as gallery:
        gallery.add(originals)
        for row, path in enumerate(copies):
            query = gallery.load(Path(path).read_bytes())  # as a file of the gallery it would be left out
            matches = gallery.search_loaded(query, k=RANKED)
            for match in matches:
                scores[row, column[match.picture.path]] = match.score
            if is_verified[row]:
                for match in gallery.verify(query, matches[:VERIFIED]):
                    is_copy = match.relation in ("same_file", "same_pixels", "copy")
                    proven[row, column[match.picture.path]] = is_copy
    return {"scores": scores, "proven": proven}
