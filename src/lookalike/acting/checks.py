"""What is checked before an act: that it was permitted, and that file and keeper are what the plan says."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

from lookalike.acting.files import FileState, RefusedError, is_same_file, read_state, real_place, reason_of
from lookalike.acting.journal import Run
from lookalike.acting.plan import PlannedAct


class Permissions:
    """Which acts of a plan may be done.

    Parameters
    ----------
    acts : sequence of PlannedAct    all of the plan
    runs : sequence of Run           what was done before
    allow_delete, allow_trash, allow_carry : bool
        Whether a person said that files may be deleted, may go to the trash of this system, and that something may
        be brought over to a keeper.
    """

    def __init__(
        self,
        acts: Sequence[PlannedAct],
        runs: Sequence[Run],
        *,
        allow_delete: bool,
        allow_trash: bool,
        allow_carry: bool,
    ) -> None:
        self._acts = acts
        self._allow_delete = allow_delete
        self._allow_trash = allow_trash
        self._allow_carry = allow_carry
        self._forbidden = find_conflicts(acts)
        self._link_targets = _link_targets(runs)

    def check(self, number: int, planned: PlannedAct) -> None:
        """Raise RefusedError where this act must not be done."""
        if number in self._forbidden:
            raise RefusedError(self._forbidden[number])
        if planned.carry and not self._allow_carry:
            raise RefusedError(
                f"it says what its keeper does not ({', '.join(planned.carry)}), and bringing that over needs an "
                "explicit word, which was not given (`lookalike apply --carry-metadata`)"
            )
        if planned.belongs_to and all(act.path != planned.belongs_to for act in self._acts):
            raise RefusedError(f"it belongs to {planned.belongs_to}, which the plan does not act on")
        if planned.act == "delete" and not self._allow_delete:
            raise RefusedError(
                "deleting needs a second explicit word, which was not given (`lookalike apply --delete`)"
            )
        if planned.act == "trash" and not self._allow_trash:
            raise RefusedError(
                "undo could not find it again in this system's trash: choose quarantine, or allow a trash that "
                "only the file manager can restore from (`lookalike apply --trash-without-undo`)"
            )
        link = self._link_targets.get(real_place(planned.path))
        if link is not None:
            raise RefusedError(
                f"the symbolic link {link}, made by an earlier run, leads to it: undo that first"
            )


def find_conflicts(acts: Sequence[PlannedAct]) -> dict[int, str]:
    """Return the acts of a plan that must not be done because of the others, by number, with the reason.

    A keeper must not be a file that the same plan acts on, under any name: else a chain or a ring of acts
    could take the last copy.
    """
    places = [real_place(act.path) for act in acts]
    n_named = Counter(places)
    only_names = {identity for act in acts if (identity := _identity_of_only_name(act.path)) is not None}
    conflicts: dict[int, str] = {}
    seen: set[str] = set()
    for number, act in enumerate(acts):
        if places[number] in seen:
            conflicts[number] = "the plan names it twice; the first act counts"
        elif real_place(act.keeper) in n_named or _identity_of_only_name(act.keeper) in only_names:
            conflicts[number] = f"its keeper {act.keeper} is itself a file that the plan acts on"
        seen.add(places[number])
    return conflicts


def _identity_of_only_name(path: str) -> tuple[int, int] | None:
    """Return what tells a file with a single name from all others, however that name is written."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status.st_nlink == 1 else None


def _link_targets(runs: Sequence[Run]) -> dict[str, str]:
    """Return the files that symbolic links of earlier runs lead to, each with such a link."""
    targets = {}
    for run in runs:
        for entry in run.open_entries:
            planned = entry.intent.planned
            if planned.act == "symlink" and os.path.islink(planned.path):
                targets[real_place(planned.keeper)] = planned.path
    return targets


def check_files(planned: PlannedAct, keeper_digest: str) -> tuple[FileState, FileState]:
    """Read the file and its keeper; raise RefusedError unless both are what the plan says, and two."""
    file = read_state(planned.path)
    if file.digest != planned.digest or file.status.st_size != planned.size_bytes:
        raise RefusedError("it changed since the plan was made: make a new plan")
    if is_same_file(planned.path, planned.keeper):
        raise RefusedError(
            f"it and its keeper {planned.keeper} are hard links of one file: nothing would be saved"
        )
    try:
        keeper = read_state(planned.keeper)
    except (OSError, RefusedError) as error:
        raise RefusedError(f"its keeper {planned.keeper} cannot be used: {reason_of(error)}") from error
    if keeper.digest != keeper_digest:
        raise RefusedError(f"its keeper {planned.keeper} changed or was damaged since the plan was made")
    return file, keeper
