"""What each rival is asked, in its own words. Runs inside the rival's environment, so it imports no lookalike.

`features` gives one row a picture: uint8 rows are packed bits (compared by Hamming distance), float32 rows are
vectors (compared by cosine). `pairs` gives what the rival itself calls duplicates, at its own default.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Features = dict[str, tuple[list[str], np.ndarray]]
Pairs = tuple[list[tuple[str, str]], float]


def _table(paths: Sequence[str], rows: dict[str, list[np.ndarray]]) -> Features:
    names = [Path(path).name for path in paths]
    return {feature: (names, np.stack(kept)) for feature, kept in rows.items()}


def _pairs_within(paths: Sequence[str], packed: np.ndarray, max_bits: int) -> list[tuple[str, str]]:
    """Compare every pair of hashes, for rivals that make hashes but do not look for pairs."""
    bits = np.unpackbits(packed, axis=1).astype(np.float32)
    ones = bits.sum(axis=1)
    distances = ones[:, None] + ones[None] - 2 * bits @ bits.T
    first, second = np.nonzero(np.triu(distances <= max_bits, 1))
    return [(paths[a], paths[b]) for a, b in zip(first.tolist(), second.tolist(), strict=True)]


def imagehash_features(paths: Sequence[str], names: Sequence[str], _n_workers: int) -> Features:
    """Compute ImageHash's hashes, one picture at a time: it offers nothing else."""
    import imagehash

    functions = {
        "ahash": imagehash.average_hash,
        "dhash": imagehash.dhash,
        "phash": imagehash.phash,
        "whash": imagehash.whash,
    }
    rows: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for path in paths:
        with Image.open(path) as image:
            for name in names:
                rows[name].append(np.packbits(functions[name](image).hash))
    return _table(paths, rows)


def imagehash_pairs(paths: Sequence[str], method: str, n_workers: int) -> Pairs:
    """Return pairs within 10 of 64 bits, a common choice: ImageHash itself has no default."""
    started = time.perf_counter()
    packed = imagehash_features(paths, [method], n_workers)[method][1]
    seconds = time.perf_counter() - started
    return _pairs_within(paths, packed, 10), seconds


def imagededup_features(paths: Sequence[str], names: Sequence[str], n_workers: int) -> Features:
    """Compute imagededup's hashes, and its CNN's features where its weights are at hand."""
    from imagededup import methods

    folder, table = str(Path(paths[0]).parent), {}
    for name in names:
        encoder = getattr(methods, name)(verbose=False)
        # Fewer than two workers are asked for by 0, which means no process pool.
        found = encoder.encode_images(folder, num_enc_workers=n_workers if n_workers > 1 else 0)
        kept = [Path(path).name for path in paths if Path(path).name in found]
        rows = [found[one] for one in kept]
        if name == "CNN":
            table[name] = kept, np.stack(rows).astype(np.float32)
        else:
            packed = [np.frombuffer(bytes.fromhex(row.zfill(16)), np.uint8) for row in rows]
            table[name] = kept, np.stack(packed)
    return table


def imagededup_pairs(paths: Sequence[str], method: str, n_workers: int) -> Pairs:
    """Return imagededup's duplicates at its defaults: 10 of 64 bits, cosine 0.9."""
    from imagededup import methods

    encoder = getattr(methods, method)(verbose=False)
    folder = Path(paths[0]).parent
    started = time.perf_counter()
    encodings = encoder.encode_images(str(folder), num_enc_workers=n_workers)
    seconds = time.perf_counter() - started
    found = encoder.find_duplicates(encoding_map=encodings, num_dist_workers=n_workers)
    return [(str(folder / a), str(folder / b)) for a, others in found.items() for b in others], seconds


def pdq_features(paths: Sequence[str], _names: Sequence[str], _n_workers: int) -> Features:
    """Compute PDQ's 256 bits, one picture at a time: the binding offers nothing else."""
    import pdqhash

    rows = []
    for path in paths:
        with Image.open(path) as image:
            rows.append(np.packbits(pdqhash.compute(np.asarray(image.convert("RGB")))[0]))
    return _table(paths, {"PDQ": rows})


def pdq_pairs(paths: Sequence[str], _method: str, n_workers: int) -> Pairs:
    """Return pairs within 31 of 256 bits, what PDQ's authors recommend."""
    started = time.perf_counter()
    packed = pdq_features(paths, [], n_workers)["PDQ"][1]
    seconds = time.perf_counter() - started
    return _pairs_within(paths, packed, 31), seconds


def _perception_hasher(name: str) -> Any:
    from perception import hashers
    from perception.hashers.image.pdq import PDQHash

    made: dict[str, Callable[[], Any]] = {
        "ahash 16": lambda: hashers.AverageHash(hash_size=16),
        "dhash 16": lambda: hashers.DHash(hash_size=16),
        "phash 16": lambda: hashers.PHash(hash_size=16),
        "wavelet 16": lambda: hashers.WaveletHash(hash_size=16),
        "marrhildreth": hashers.MarrHildreth,
        "blockmean": hashers.BlockMean,
        "pdq": PDQHash,
    }
    return made[name]()


def perception_features(paths: Sequence[str], names: Sequence[str], n_workers: int) -> Features:
    """Compute the hashes of perception's published table, in its threads."""
    table = {}
    for name in names:
        hasher = _perception_hasher(name)
        workers = n_workers if hasher.allow_parallel else 1
        # Hashes come back as text in the order they are done in, and are read back by perception's own reader.
        records = hasher.compute_parallel([str(path) for path in paths], max_workers=workers)
        done = [record for record in records if record["hash"] is not None]
        bits = [hasher.string_to_vector(record["hash"]) for record in done]
        table[name] = [Path(record["filepath"]).name for record in done], np.packbits(np.stack(bits), axis=1)
    return table


def perception_pairs(paths: Sequence[str], method: str, n_workers: int) -> Pairs:
    """Return perception's duplicates: pHash at the 0.2 it recommends, or its local features at their defaults."""
    from perception import local_descriptor_deduplication, tools

    if method == "SIFT":
        found = local_descriptor_deduplication.deduplicate(list(paths), max_workers=n_workers, use_gpu=False)
        return list(found), float("nan")
    hashers = [(_perception_hasher("phash 16"), 0.2)]
    isometric = method == "phash 16 turned"
    return list(tools.deduplicate(list(paths), hashers, isometric=isometric)), float("nan")


def _run_fastdup(paths: Sequence[str], n_workers: int, work: str) -> Any:
    import fastdup

    run = fastdup.create(work_dir=work, input_dir=str(Path(paths[0]).parent))
    run.run(num_threads=n_workers, overwrite=True, verbose=False)
    return run


def fastdup_features(paths: Sequence[str], _names: Sequence[str], n_workers: int) -> Features:
    """Compute fastdup's vectors of 576 numbers; pictures it refuses have none."""
    import fastdup

    with tempfile.TemporaryDirectory() as work:
        _run_fastdup(paths, n_workers, work)
        found, rows = fastdup.load_binary_feature(f"{work}/atrain_features.dat")
    return {"fastdup": ([Path(name).name for name in found], np.asarray(rows, np.float32))}


def fastdup_pairs(paths: Sequence[str], _method: str, n_workers: int) -> Pairs:
    """Return the pairs that fastdup groups as duplicates: similarity of at least 0.96, its default."""
    with tempfile.TemporaryDirectory() as work:
        found = _run_fastdup(paths, n_workers, work).similarity()
        near = found[found["distance"] >= 0.96]
        pairs = list(zip(near["filename_from"], near["filename_to"], strict=True))
    return pairs, float("nan")


def difpy_pairs(paths: Sequence[str], method: str, n_workers: int) -> Pairs:
    """Return difPy's matches: `duplicates`, its default, or `similar`, its other word."""
    import difPy

    started = time.perf_counter()
    built = difPy.build(str(Path(paths[0]).parent), show_progress=False, processes=n_workers)
    seconds = time.perf_counter() - started
    same_size = method == "duplicates"
    found = difPy.search(
        built, similarity=method, same_dim=same_size, show_progress=False, processes=n_workers
    )
    return [(name, other[0]) for name, others in found.result.items() for other in others], seconds


def difpy_features(paths: Sequence[str], _names: Sequence[str], n_workers: int) -> Features:
    """Read the pictures as difPy does; what it keeps of them is its own affair."""
    import difPy

    difPy.build(str(Path(paths[0]).parent), show_progress=False, processes=n_workers)
    return {}


def ours() -> Any:
    """Return the adapter of lookalike, which only its own environment can load."""
    sys.path.insert(0, str(Path(__file__).parent))
    import peers_ours

    return peers_ours


FEATURES: dict[str, Callable[[Sequence[str], Sequence[str], int], Features]] = {
    "ImageHash": imagehash_features,
    "imagededup": imagededup_features,
    "PDQ": pdq_features,
    "perception": perception_features,
    "fastdup": fastdup_features,
    "difPy": difpy_features,
    "lookalike": lambda *arguments: ours().features(*arguments),
}
PAIRS: dict[str, Callable[[Sequence[str], str, int], Pairs]] = {
    "ImageHash": imagehash_pairs,
    "imagededup": imagededup_pairs,
    "PDQ": pdq_pairs,
    "perception": perception_pairs,
    "fastdup": fastdup_pairs,
    "difPy": difpy_pairs,
    "lookalike": lambda *arguments: ours().pairs(*arguments),
}
