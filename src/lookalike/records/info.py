"""What a gallery holds and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lookalike.records.calibration import CalibrationState
from lookalike.records.failure import Failure
from lookalike.records.places import Root


@dataclass(frozen=True)
class GalleryInfo:
    """What a gallery holds and what it costs.

    Parameters
    ----------
    folder : str
        That the gallery is.
    n_files, n_contents : int
        Files that are searchable, and different contents among them.
    failures : tuple of Failure
        Files that are not searchable.
    formats, recipes : mapping of str to int
        Files of each format, and features made by each recipe.
    store_bytes, cache_bytes : int
    calibration : CalibrationState or None
        Which calibration it goes by.
    roots : tuple of Root
        The folders that were named to `add`, by path.
    away : tuple of str
        Those of them, and of the disks that files were found on, that are not there now.
    tiers : mapping of str to str
        For each feature, the tier by which its nearest rows are found.
    """

    folder: str
    n_files: int
    n_contents: int
    failures: tuple[Failure, ...]
    formats: Mapping[str, int]
    recipes: Mapping[str, int]
    store_bytes: int
    cache_bytes: int
    calibration: CalibrationState | None = None
    roots: tuple[Root, ...] = ()
    away: tuple[str, ...] = ()
    tiers: Mapping[str, str] = field(default_factory=dict)
