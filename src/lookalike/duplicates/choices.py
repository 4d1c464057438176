"""What a person has chosen to keep and to let go -> what is proven of it again, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lookalike.duplicates.find import prove_members
from lookalike.duplicates.records import Member, Question
from lookalike.errors import InputError
from lookalike.media.files import absolute_path, is_own_file
from lookalike.records.progress import ProgressCallback, ignore_progress
from lookalike.settings import Settings
from lookalike.storage.records import FoundPicture
from lookalike.storage.store import Store

EQUAL_BYTES_ACTS = ("hardlink", "symlink", "delete")


@dataclass(frozen=True)
class Choice:
    """What a person says of one group.

    Parameters
    ----------
    keeper : content id           the picture that stays
    remove : paths                the files that are to go
    """

    keeper: int
    remove: tuple[str, ...]


Pictures = tuple[FoundPicture, FoundPicture]  # keeper, and what is to go
Refused = tuple[str, str]  # path and reason


def prove_choices(
    store: Store,
    settings: Settings,
    choices: Sequence[Choice],
    *,
    act: str,
    protect: Sequence[str] = (),
    on_progress: ProgressCallback = ignore_progress,
) -> tuple[list[tuple[FoundPicture, Member]], list[Refused]]:
    """Return what may go of what was chosen, each beside its keeper, and what may not, with the reason.

    Nothing is believed: each file must be in the gallery and there, and is proven against the chosen keeper
    anew (what was proven before is kept in the gallery, so that this is quick).
    """
    asked = Question(protect=tuple(map(absolute_path, protect)))
    all_paths = {path for choice in choices for path in choice.remove}
    keepers: list[tuple[FoundPicture, Choice]] = []
    refused: list[Refused] = []
    for choice in choices:
        keeper = _find_keeper(store, choice, all_paths)
        if keeper is None:
            refused += [
                (path, "the picture to keep is not there, or is to go itself") for path in choice.remove
            ]
        else:
            keepers.append((keeper, choice))
    pairs, unknown = _look_up(store, keepers)
    proven = prove_members(store, settings, asked, pairs, on_progress=on_progress)
    going = []
    for (keeper, picture), member in zip(pairs, proven, strict=True):
        reason = _reason_to_stay(member, act)
        if member is None or reason:
            refused.append((picture.path, reason))
        else:
            going.append((keeper, member))
    return going, refused + unknown


def _find_keeper(store: Store, choice: Choice, going: set[str]) -> FoundPicture | None:
    """Return a file of the chosen content that is there and stays."""
    files = store.files.of([choice.keeper]).get(choice.keeper, [])
    return next((file for file in files if file.path not in going and is_own_file(file.path)), None)


def _look_up(
    store: Store, keepers: Sequence[tuple[FoundPicture, Choice]]
) -> tuple[list[Pictures], list[Refused]]:
    """Return (keeper, picture) for every path that is a picture of the gallery; each path once."""
    pairs: list[Pictures] = []
    unknown: list[Refused] = []
    seen: set[str] = set()
    for keeper, choice in keepers:
        known = store.files.known(list(choice.remove))
        for path in choice.remove:
            if path in seen:
                raise InputError(f"{path!r} is chosen to go twice: name it once.")
            seen.add(path)
            content_id = known[path].content_id if path in known else None
            files = [] if content_id is None else store.files.of([content_id])[content_id]
            picture = next((file for file in files if file.path == path), None)
            if picture is None or not is_own_file(path):
                unknown.append((path, "it is no picture of the gallery, or is not there any more"))
            else:
                pairs.append((keeper, picture))
    return pairs, unknown


def _reason_to_stay(member: Member | None, act: str) -> str:
    if member is None:
        return "it is not proven to be a copy of the picture to keep"
    if not member.note and act in EQUAL_BYTES_ACTS and member.relation != "same_file":
        return f"{act} needs a keeper of the very same bytes"
    return member.note
