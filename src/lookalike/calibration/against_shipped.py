"""A gallery's own thresholds beside the shipped ones: whoever calibrates must not be worse off unawares.

A threshold from a small sample must allow for more wrong pairs than it saw, and so can be far stricter than the
shipped one. Where the shipped one would find much more of the very same copies, and keeps its promise on them, it
stays. None of these pictures had a part in it, so what it returns for them is a fair test of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lookalike.calibration.fit import Sample, fit, measured_precision, promise_at, tally
from lookalike.records.calibration import Check, Promise, WayCalibration

MUCH_LESS = 0.8  # of what the shipped threshold finds: halves of one sample differ by a tenth and more


def fit_beside(
    sample: Sample, shipped: WayCalibration | None, *, seed: int, may_keep: bool = True
) -> WayCalibration:
    """Fit one way, and keep the shipped threshold where it serves better and held.

    Parameters
    ----------
    sample : Sample
    shipped : WayCalibration or None
        The shipped calibration of the way; ignored where its recipes differ.
    seed : int
        How the sources are split for the checks.
    may_keep : bool
        False where the stricter of both is always to be taken.
    """
    if shipped is None or shipped.recipes != sample.recipes:
        return fit(sample, seed=seed)
    known = {one.precision: one.threshold for one in shipped.promises if one.threshold is not None}
    own = fit(sample, seed=seed, at_least=known)
    promises: list[Promise] = []
    checks: list[Check] = []
    for promise, check in zip(own.promises, own.checks, strict=True):
        chosen = _choose(sample, promise, known.get(promise.precision), may_keep=may_keep)
        chosen = _no_stricter(sample, chosen, promises)
        promises.append(chosen)
        is_kept = chosen.against_shipped == "kept" and chosen.threshold is not None
        checks.append(tally(promise.precision, [(sample, chosen.least)]) if is_kept else check)
    return replace(own, promises=tuple(promises), checks=tuple(checks))


def _choose(sample: Sample, own: Promise, shipped: float | None, *, may_keep: bool) -> Promise:
    if shipped is None or own.recall >= MUCH_LESS * float(np.mean(sample.true >= shipped)):
        return own
    if may_keep and measured_precision(*sample.count(shipped)) >= own.precision:
        return _keep(sample, own.precision, shipped)
    return replace(own, against_shipped="stricter")


def _no_stricter(sample: Sample, chosen: Promise, stricter: Sequence[Promise]) -> Promise:
    """Return a promise that asks no higher score than one for a higher precision, which keeps this one too."""
    lowest = min(stricter, key=lambda one: one.least, default=chosen)
    if lowest.least >= chosen.least or lowest.threshold is None:
        return chosen
    return _keep(sample, chosen.precision, lowest.threshold)


def _keep(sample: Sample, precision: float, threshold: float) -> Promise:
    kept = promise_at(sample, precision, threshold, is_supported=False)
    return replace(kept, is_supported=kept.bound >= precision, against_shipped="kept")
