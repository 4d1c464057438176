"""What the proof of duplicates is worth: copies are verified against their sources and the nearest strangers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from lookalike.calibration.copies import CopyTask, ProofWorker, Proven, Setup
from lookalike.calibration.fit import Sample
from lookalike.calibration.judge import both_orders
from lookalike.calibration.record import Asked, Judged, Means, pair_of
from lookalike.calibration.sample import copy_task, run_tasks
from lookalike.calibration.strangers import nearest_strangers
from lookalike.duplicates.find import prove_pairs
from lookalike.features.keypoints import RECIPE

PROVEN_EDITS_EACH = 4  # of a picture's edits: local features cost ten times as much as all others
N_STRANGERS = 2  # nearest others that each of those is verified against


def sample_of_proofs(means: Means, asked: Asked, judged: Judged) -> tuple[Sample, Judged]:
    """Verify some of the copies; return what they score, and the judgement with the copies that this found."""
    others = nearest_strangers(asked, judged, N_STRANGERS)
    pairs = {pair_of(source, other) for source, found in others.items() for other in found}
    proofs, _ = prove_pairs(means.store, means.settings, sorted(pairs), on_progress=means.on_progress)
    copies = judged.copies | both_orders(pair for pair, proof in proofs.items() if proof.is_copy)
    tasks: list[CopyTask] = []
    for place, source in enumerate(sorted(others)):
        labels = asked.drawn.edits[source]
        step = PROVEN_EDITS_EACH * place
        chosen = [labels[(step + n) % len(labels)] for n in range(min(PROVEN_EDITS_EACH, len(labels)))]
        strangers = [other for other in others[source] if (source, other) not in copies]
        tasks.append(copy_task(asked.drawn, source, chosen, [source, *strangers]))
    work = partial(ProofWorker, Setup(asked.drawn.ways, asked.drawn.seed))
    answers, failed = run_tasks(means, work, tasks, "proofs")
    proven = [one for some in answers for one in some]
    return _sample(proven), replace(judged, copies=copies, failed=(*judged.failed, *failed))


def _sample(proven: Sequence[Proven]) -> Sample:
    by_query: dict[tuple[int, str], dict[int, float]] = {}
    for one in proven:
        by_query.setdefault((one.content_id, one.edit), {})[one.other_id] = one.proof.score
    queries = sorted(query for query, scores in by_query.items() if query[0] in scores)
    true = np.array([by_query[query][query[0]] for query in queries], np.float64)
    false = np.full((len(queries), N_STRANGERS), np.nan)
    for row, query in enumerate(queries):
        strange = [score for other, score in by_query[query].items() if other != query[0]]
        false[row, : len(strange)] = sorted(strange, reverse=True)
    sources = np.array([source for source, _ in queries], np.int64)
    return Sample(true, false, sources, tuple(edit for _, edit in queries), 0.0, (RECIPE.text,))
