"""Who is a stranger to whom? Pairs that score highest are proven, and what proves nothing is put to a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lookalike.calibration.record import Ask, Asked, Doubt, Judged, Means, Pair, pair_of
from lookalike.calibration.strangers import highest_strangers
from lookalike.calibration.too_plain import is_beyond_proof, is_plain
from lookalike.duplicates.find import prove_pairs
from lookalike.features.keypoints import KEYPOINTS, RECIPE, Keypoints, from_bytes
from lookalike.records.relation import Relation

N_PROVEN_PAIRS = 100  # of each way: the highest pairs of strangers, which all are verified not to be copies
MAX_ASKED = 10


def judge(means: Means, asked: Asked) -> Judged:
    """Find the copies among the other pictures: the highest pairs are verified until none of them is one."""
    judged = _hear_verdicts(means, asked)
    while wanted := _unproven(asked, judged):
        judged = _prove(means, judged, wanted)
    return judged


def _hear_verdicts(means: Means, asked: Asked) -> Judged:
    """Return what persons have said before."""
    ids = {picture.digest: content_id for content_id, picture in asked.drawn.pictures.items()}
    said = {
        pair_of(ids[first], ids[second]): is_duplicate
        for (first, second), is_duplicate in means.store.people.verdicts().items()
        if first in ids and second in ids
    }
    relations: dict[Pair, Relation] = {pair: "copy" if yes else "different" for pair, yes in said.items()}
    copies = both_orders(pair for pair, yes in said.items() if yes)
    untelling = asked.drawn.too_small | asked.too_plain
    return Judged(relations, copies, untelling=untelling, failed=asked.failed)


def both_orders(pairs: Iterable[Pair]) -> frozenset[Pair]:
    """Return pairs and their reverses."""
    return frozenset(one for pair in pairs for one in (pair, pair[::-1]))


def _unproven(asked: Asked, judged: Judged) -> list[Pair]:
    """Return those of each way's highest pairs of strangers that were not verified yet."""
    wanted: set[Pair] = set()
    for way in asked.drawn.ways:
        highest = (pair_of(*pair) for pair, _ in highest_strangers(asked, judged, way, N_PROVEN_PAIRS))
        wanted.update(pair for pair in highest if pair not in judged.relations)
    return sorted(wanted)


def _prove(means: Means, judged: Judged, pairs: Sequence[Pair]) -> Judged:
    """Return what is known once these pairs are proven, too."""
    proofs, failed = prove_pairs(means.store, means.settings, pairs, on_progress=means.on_progress)
    relations: dict[Pair, Relation] = {
        pair: proofs[pair].relation if pair in proofs else "different" for pair in pairs
    }
    keypoints = {one: _keypoints(means, one) for one in {one for pair in pairs for one in pair}}
    plain = {one for one, found in keypoints.items() if found is not None and is_plain(found.view)}
    untelling = judged.untelling | plain
    telling = [pair for pair in pairs if untelling.isdisjoint(pair)]
    copies = [pair for pair in telling if relations[pair] in ("copy", "same_pixels", "same_file")]
    unsettled = [
        pair
        for pair in telling
        if pair not in copies and _is_beyond_proof(keypoints[pair[0]], keypoints[pair[1]])
    ]
    known = {failure.path for failure in judged.failed}
    return replace(
        judged,
        relations={**judged.relations, **relations},
        copies=judged.copies | both_orders(copies),
        unsettled=judged.unsettled | both_orders(unsettled),
        untelling=untelling,
        failed=(*judged.failed, *(failure for failure in failed if failure.path not in known)),
    )


def _keypoints(means: Means, content_id: int) -> Keypoints | None:
    data = means.store.features.of(content_id, [RECIPE]).get(KEYPOINTS)
    return None if data is None else from_bytes(data)


def _is_beyond_proof(first: Keypoints | None, second: Keypoints | None) -> bool:
    return first is not None and second is not None and is_beyond_proof(first, second)


def ask_a_person(means: Means, asked: Asked, judged: Judged, ask: Ask | None, *, typical: float) -> Judged:
    """Ask about the strangers that score like copies, at least as a `typical` one.

    Answers are kept as verdicts; what nobody answers for stays a stranger.
    """
    doubts: list[Doubt] = []
    copies: list[Pair] = []
    n_asked = 0
    pictures = asked.drawn.pictures
    for (source, other), score in highest_strangers(asked, judged, asked.drawn.main_way, N_PROVEN_PAIRS):
        if score < typical:
            break
        pair = pair_of(source, other)
        if _is_decided(means, asked, pair):
            continue
        relation = judged.relations.get(pair, "different")
        doubt = Doubt(pictures[source], pictures[other], score, relation)
        answer = ask(doubt) if ask is not None and n_asked < MAX_ASKED else None
        if answer is None:
            doubts.append(doubt)
            continue
        n_asked += 1
        means.store.people.put_verdict(doubt.first.digest, doubt.second.digest, answer)
        if answer:
            copies.append(pair)
    return replace(judged, copies=judged.copies | both_orders(copies), doubts=tuple(doubts), n_asked=n_asked)


def _is_decided(means: Means, asked: Asked, pair: Pair) -> bool:
    first, second = (asked.drawn.pictures[content_id].digest for content_id in pair)
    return (min(first, second), max(first, second)) in means.store.people.verdicts()
