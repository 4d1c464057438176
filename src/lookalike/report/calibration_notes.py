"""A calibration -> the sentences that belong under its table: what its signs mean, and what was left out."""

from __future__ import annotations

import math

from lookalike.calibration.fit import precision_bound
from lookalike.calibration.sample import EDITS_EACH
from lookalike.calibration.too_plain import MIN_SIDE_PX
from lookalike.records.calibration import PROOF, Calibration, Promise
from lookalike.searching.way import AUTO

UNSURE = "*"
KEPT = "+"
NOTHING = "-"


def mark(promise: Promise) -> str:
    """Return what a promise finds, with the signs that `calibration_notes` explains."""
    if promise.threshold is None:
        return NOTHING
    signs = KEPT * (promise.against_shipped == "kept") + UNSURE * (not promise.is_supported)
    return f"{promise.recall:.1%} {signs}".rstrip()


def calibration_notes(found: Calibration) -> list[str]:
    """Return one sentence or two for each sign in the table of a calibration, and for what was left out."""
    promises = [promise for way in found.ways.values() for promise in way.promises]
    notes = []
    if any(one.threshold is None for one in promises):
        notes.append(
            f"{NOTHING}  not a failure of the run: by this way some stranger scores higher than every copy. No "
            "score tells them apart at this precision, and only equal files are returned. A larger sample seldom "
            "helps; another way does, or --verify."
        )
    if any(one.against_shipped == "kept" for one in promises):
        notes.append(
            f"{KEPT}  kept the shipped threshold: your own would find less, and the shipped one held on your "
            "pictures."
        )
    if any(one.threshold is not None and not one.is_supported for one in promises):
        notes.append(
            f"{UNSURE}  usable, but the sample is too small to be sure of this precision: with 95 % confidence it "
            f"is only what --json gives as precision_at_least. {_sample_needed(found)}"
        )
    return [*notes, *_losses(found), _left_out(found)]


def _sample_needed(found: Calibration) -> str:
    """Say how many pictures it takes to be sure, by the default way, if none is wrongly returned."""
    name = AUTO if AUTO in found.ways else next(iter(found.ways))
    parts = []
    for promise in found.ways[name].promises:
        if not promise.is_supported and promise.recall:
            n_pictures = math.ceil(_n_copies_needed(promise.precision) / (EDITS_EACH * promise.recall))
            parts.append(f"about {n_pictures:,} pictures for {promise.precision:.1%}")
    if not parts:
        return f"A larger --sample makes it surer ({found.n_pictures:,} pictures were used)."
    return (
        f"By {name} it would take, without a single mistake, {' and '.join(parts)} (--sample; this one had "
        f"{found.n_pictures:,}, and the gallery holds {found.n_contents:,})."
    )


def _n_copies_needed(precision: float) -> int:
    """Return how many copies must be found, and nothing else, to be sure of a precision."""
    at_one = float(precision_bound(1, 0))
    return math.ceil(precision / (1 - precision) * (1 - at_one) / at_one)


def _losses(found: Calibration) -> list[str]:
    """Say where the gallery's own threshold finds much less than the shipped one, and why it stands."""
    notes = []
    for name, way in found.ways.items():
        worse = [f"{one.precision:.1%}" for one in way.promises if one.against_shipped == "stricter"]
        if worse:
            why = (
                "by it files go, so the stricter threshold stands"
                if name == PROOF
                else "that one returned too many wrong pictures here"
            )
            notes.append(
                f"{name} finds much less at {', '.join(worse)} than the shipped threshold would: {why}."
            )
    return notes


def _left_out(found: Calibration) -> str:
    return (
        f"{found.n_pictures:,} of {found.n_contents:,} pictures edited. Left out: {found.n_left_out:,} pairs of "
        f"copies, {found.n_untelling:,} pictures that are too plain, or smaller than {MIN_SIDE_PX} pixels, "
        f"{found.n_unsettled:,} pairs that nothing can settle. {found.n_doubtful:,} doubtful pairs counted as "
        "different."
    )
