"""What a gallery holds and how its server was set up, as JSON has them."""

from __future__ import annotations

from dataclasses import dataclass

from lookalike.records.info import GalleryInfo


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
