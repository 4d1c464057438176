"""Measure the activation ranges that the int8 graph is built with.

Run as ``python tools/measure_activation_ranges.py FOLDER...``; it prints the JSON that is kept in
``efficientnet_lite/ranges.json``. Every tensor's range is the mean over the pictures of the lowest and
of the highest value in each: a single odd picture then does not widen it for all (percentiles, and the
extremes over all pictures, gave no better int8 embeddings; see decision 0003).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from build_efficientnet_lite0 import NAME, read_network
from efficientnet_lite.graph import INPUT_NAME, build_float32, ranged_names
from lookalike.errors import PictureError
from lookalike.features.embedding.catalogue import find_entry
from lookalike.features.embedding.engine import open_session
from lookalike.media.decode import decode
from lookalike.records.arrays import UInt8Array


def measure_ranges(pictures: Iterable[UInt8Array]) -> dict[str, tuple[float, float]]:
    """Return (lowest, highest) of every tensor that needs a range, each the mean over the pictures.

    Parameters
    ----------
    pictures : uint8 arrays, shape (224, 224, 3), RGB; a hundred photos or so of all kinds
    """
    blocks = read_network()
    names = ranged_names(blocks)
    session = open_session(build_float32(blocks, watched=names).SerializeToString(), NAME, n_threads=1)
    extremes = np.array(
        [
            [(tensor.min(), tensor.max()) for tensor in session.run(names, {INPUT_NAME: picture[None]})]
            for picture in pictures
        ]
    )
    return {
        name: (round(float(low), 2), round(float(high), 2))
        for name, (low, high) in zip(names, extremes.mean(axis=0), strict=True)
    }


def choose_files(folders: Sequence[Path], n_files: int) -> list[Path]:
    """Return up to `n_files` files, evenly spaced over each folder's files in order of name."""
    chosen: list[Path] = []
    for folder in folders:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        wanted = min(len(files), n_files // len(folders))
        chosen += [files[i * len(files) // wanted] for i in range(wanted)]
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the ranges measured on the pictures of some folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--files", type=int, default=200)
    options = parser.parse_args(arguments)
    pictures = []
    for path in choose_files(options.folders, options.files):
        try:
            pictures.append(find_entry(NAME).description.prepare(decode(path).image))
        except PictureError:
            continue  # not a picture: folders of photos hold other files too
    measured: dict[str, Any] = {"n_pictures": len(pictures), "ranges": measure_ranges(pictures)}
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
