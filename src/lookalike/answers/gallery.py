"""What a gallery holds and how its server was set up, as JSON has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lookalike.records.info import GalleryInfo
from lookalike.records.people import Rating


@dataclass(frozen=True)
class FolderAnswer:
    """A folder that files of the gallery lie in, and how many."""

    path: str
    n_files: int


@dataclass(frozen=True)
class SettingAnswer:
    """One setting, with its value, unit and meaning."""

    name: str
    value: str
    unit: str
    help: str


@dataclass(frozen=True)
class FindingAnswer:
    """One thing that `doctor` looked at: what was found, and what to do where something is missing."""

    name: str
    value: str
    remedy: str
    is_broken: bool


@dataclass(frozen=True, kw_only=True)
class LibraryAnswer(GalleryInfo):
    """What a served gallery holds, and how its server was set up.

    Parameters
    ----------
    folders : sequence of FolderAnswer
    version : str
        Of the server.
    model : str
        The embedding's.
    settings : sequence of SettingAnswer
    read_only, address_fetching : bool
        Whether it changes nothing, and whether it fetches pictures from addresses.
    key : str
        Tells the pictures of this run of the server from those of another gallery.
    findings : sequence of FindingAnswer
    """

    folders: tuple[FolderAnswer, ...]
    version: str
    model: str
    settings: tuple[SettingAnswer, ...]
    read_only: bool
    address_fetching: bool
    key: str
    findings: tuple[FindingAnswer, ...]


@dataclass(frozen=True)
class VersionAnswer:
    """Of the lookalike that serves."""

    version: str


@dataclass(frozen=True)
class RatingAnswer:
    """Whether a person liked a picture as an answer to a query; both by their digest, in hexadecimal digits."""

    query_digest: str
    picture_digest: str
    is_liked: bool


@dataclass(frozen=True)
class RatingsAnswer:
    """What people said of answers."""

    ratings: tuple[RatingAnswer, ...]

    @classmethod
    def of(cls, ratings: Iterable[Rating]) -> RatingsAnswer:
        """Return ratings as they are sent."""
        return cls(
            tuple(
                RatingAnswer(one.query_digest.hex(), one.picture_digest.hex(), one.is_liked)
                for one in ratings
            )
        )

    def found(self) -> list[Rating]:
        """Return the ratings."""
        return [
            Rating(bytes.fromhex(one.query_digest), bytes.fromhex(one.picture_digest), one.is_liked)
            for one in self.ratings
        ]


@dataclass(frozen=True)
class ForgottenAnswer:
    """The files that the gallery knew and forgot, by path."""

    forgotten: tuple[str, ...]


@dataclass(frozen=True)
class RemovedAnswer:
    """How many files were forgotten."""

    removed: int


@dataclass(frozen=True)
class HealthAnswer:
    """That a server runs."""

    status: Literal["ok"]
    version: str


@dataclass(frozen=True)
class ReadyAnswer:
    """Whether the gallery and the model are loaded."""

    status: Literal["ready", "starting"]
