"""A closer look at every member that would go: what it holds that the keeper does not, kept with the pair."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from lookalike.duplicates.pair_workers import DetailTask, FileFacts
from lookalike.duplicates.proofs import Pair, pair_of
from lookalike.proving.verify import VERIFICATION
from lookalike.records.proof import Proof, Rows
from lookalike.records.recipe import Recipe
from lookalike.storage.records import FoundPicture
from lookalike.storage.store import Store
from lookalike.workers.tasks import Failed

DETAILS = Recipe("details", 1, {"placement": VERIFICATION.version})

RunTasks = Callable[[str, Sequence[DetailTask]], Iterator[list[Any]]]
"""Yields the answers to tasks of `TaskWorker`, some at a time; the first argument names the stage."""


class Going(NamedTuple):
    """A picture that would go, the one that would stay, and the placement of the keeper on it, if it matters."""

    keeper: FoundPicture
    picture: FoundPicture
    matrix: Rows | None


def matrix_of(relation: str, proof: Proof) -> Rows | None:
    """Return the placement by which a copy is to be looked at; None where its pixels are known to be equal."""
    return proof.matrix if relation == "copy" else None


def reasons_to_stay(store: Store, going: Sequence[Going], run: RunTasks) -> list[str]:
    """Return for each picture what it shows or holds that its keeper does not; empty where there is nothing.

    What cannot be looked at stays. Answers are kept in the gallery, so that asking again is quick.
    """
    kept = store.pairs.kept(DETAILS, [_pair(one) for one in going])
    said = {pair: json.loads(outcome) for pair, outcome in kept.items()}
    asked = {_task(one): one for one in going if _key(one) not in said.get(_pair(one), {})}
    failed: dict[tuple[Pair, str], str] = {}
    for answers in run("details", list(asked)):
        with store.batch() as batch:
            for answer in answers:
                one = asked[answer.task if isinstance(answer, Failed) else answer[0]]
                if isinstance(answer, Failed):
                    failed[_pair(one), _key(one)] = f"could not be looked at closely: {answer.reason}"
                    continue
                outcome = said.setdefault(_pair(one), {})
                outcome[_key(one)] = answer[1]
                batch.put_verified(*_pair(one), DETAILS, json.dumps(outcome))
    return [failed.get((_pair(one), _key(one))) or said[_pair(one)][_key(one)] for one in going]


def _pair(one: Going) -> Pair:
    return pair_of(one.keeper.content_id, one.picture.content_id)


def _key(one: Going) -> str:
    """Name what was looked at: who would be kept, and whether pixels were laid over each other."""
    return f"keeper {one.keeper.content_id}, {'frames' if one.matrix is None else 'pixels'}"


def _task(one: Going) -> DetailTask:
    matrix = None if one.matrix is None else tuple(tuple(row) for row in one.matrix)
    return DetailTask(FileFacts.of(one.keeper), FileFacts.of(one.picture), matrix)
