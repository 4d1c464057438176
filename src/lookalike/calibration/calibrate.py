"""Learn from a gallery's own pictures what a score is worth: edited copies of some, strangers of the same.

A sample of the pictures is edited, and every edited copy is asked with, as a search would ask. What it scores with
its source are the true pairs, what it scores with the nearest other pictures the false ones. Others that are
proven to be copies of the source, or that a person has called so, are left out of both. So are pictures that are
too small or too plain to be told from others.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from lookalike.calibration.against_shipped import fit_beside
from lookalike.calibration.fit import Sample
from lookalike.calibration.judge import ask_a_person, judge
from lookalike.calibration.proofs import sample_of_proofs
from lookalike.calibration.record import Ask, Asked, CalibrationReport, Judged, Means
from lookalike.calibration.sample import EDITS_EACH, ask_with_copies, draw
from lookalike.calibration.strangers import examples_of, sample_of_way
from lookalike.edits import standard_edits
from lookalike.records.calibration import N_PICTURES, PROOF, Calibration
from lookalike.records.progress import ProgressCallback, ignore_progress
from lookalike.searching.searcher import Searcher
from lookalike.searching.worth import load_shipped
from lookalike.settings import Settings
from lookalike.storage.store import Store


def calibrate_gallery(
    store: Store,
    settings: Settings,
    searcher: Searcher,
    *,
    n_pictures: int = N_PICTURES,
    edits_each: int = EDITS_EACH,
    seed: int = 0,
    ask: Ask | None = None,
    on_progress: ProgressCallback = ignore_progress,
) -> CalibrationReport:
    """Calibrate every way that the gallery has the features for, and the proof of duplicates.

    Nothing is kept but keypoints, outcomes of pairs, and what a person answers; the calibration itself is
    returned.

    Raises
    ------
    InputError
        The gallery holds too few pictures that are still there.
    """
    started = time.monotonic()
    means = Means(store, settings, searcher, on_progress)
    asked = ask_with_copies(means, draw(means, n_pictures, edits_each, seed))
    main_way = asked.drawn.main_way
    judged = judge(means, asked)
    typical = float(np.nanmedian(sample_of_way(asked, judged, main_way, ()).true))
    judged = ask_a_person(means, asked, judged, ask, typical=typical)
    samples = {way: sample_of_way(asked, judged, way, searcher.recipes_of(way)) for way in asked.drawn.ways}
    samples[PROOF], judged = sample_of_proofs(means, asked, judged)
    return CalibrationReport(
        _fit(samples, asked, judged, str(store.folder)),
        samples,
        tuple(examples_of(asked, judged, samples[main_way])),
        main_way,
        judged.failed,
        judged.n_asked,
        time.monotonic() - started,
    )


def _fit(samples: Mapping[str, Sample], asked: Asked, judged: Judged, made_from: str) -> Calibration:
    shipped = load_shipped()
    seed = asked.drawn.seed
    return Calibration(
        ways={
            # By the proof files are deleted: there the stricter threshold stands.
            way: fit_beside(sample, shipped.ways.get(way), seed=seed, may_keep=way != PROOF)
            for way, sample in samples.items()
        },
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        made_from=made_from,
        n_contents=len(asked.drawn.pictures),
        n_pictures=len(asked.chosen),
        edits=tuple(edit.label for edit in standard_edits()),
        seed=seed,
        n_left_out=len(judged.copies) // 2,
        n_doubtful=len(judged.doubts),
        n_untelling=len(judged.untelling),
        n_unsettled=len(judged.unsettled) // 2,
    )
