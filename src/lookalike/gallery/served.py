"""A gallery that another process serves: the verbs of a `Gallery` over HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import httpx
from typing_extensions import override

from lookalike.adding.add import AddReport
from lookalike.answers.calibration import CalibratedAnswer
from lookalike.answers.gallery import LibraryAnswer, RatingsAnswer
from lookalike.answers.pictures import FailuresAnswer, PictureFacts, PicturesAnswer
from lookalike.answers.search import ComparedAnswer, FullPromiseAnswer, SearchPage
from lookalike.api import Gallery
from lookalike.errors import InputError
from lookalike.features.extract import Extractor
from lookalike.gallery.connection import Connection
from lookalike.gallery.sending import (
    id_of,
    picture_digest,
    picture_file,
    present,
    search_parameters,
    source_of,
)
from lookalike.gallery.served_tidying import ServedTidying
from lookalike.media.files import given_paths
from lookalike.queries.reader import LocalReader
from lookalike.queries.source import Box, Source
from lookalike.records.calibration import N_PICTURES, Promised
from lookalike.records.codec import from_document
from lookalike.records.failure import Failure
from lookalike.records.info import GalleryInfo
from lookalike.records.people import Rating
from lookalike.records.places import Gone
from lookalike.records.progress import ProgressCallback, ignore_progress
from lookalike.searching.searcher import Match
from lookalike.searching.way import AUTO
from lookalike.settings import Settings
from lookalike.storage.filters import Filter
from lookalike.storage.records import FoundPicture

if TYPE_CHECKING:
    from lookalike.calibration.record import Ask, CalibrationReport
    from lookalike.comparing import Comparison

THUMBNAIL_SIDES_PX = (128, 256, 512, 1024)
"""What a server shows pictures at."""


class ServedGallery(ServedTidying, Gallery):
    """A gallery that `lookalike serve` serves. Paths of pictures and folders are those of the server.

    Parameters
    ----------
    address : str
        ``http://host:port`` or ``https://host``.
    token : str or None
        None takes ``LOOKALIKE_TOKEN`` of the environment, if it is set.
    settings : Settings or None
        Limits for the files that are sent.
    transport : transport of httpx, or None
        None takes the network.

    Raises
    ------
    StoreError
        The server cannot be reached, or is of a version that is too different.
    """

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        settings: Settings | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.settings = settings or Settings.from_environment()
        super().__init__(Connection(address, token=token, transport=transport))
        try:
            self._server.check_version()
        except BaseException:
            self.close()
            raise

    @override
    def close(self) -> None:
        self._server.close()

    # Asking

    @override
    def search(
        self,
        query: Any,
        *,
        k: int = 10,
        by: str = AUTO,
        min_score: float | None = None,
        max_distance: float | None = None,
        where: Filter | None = None,
        verify: bool = False,
        box: Box | None = None,
        liked: Sequence[int] = (),
        disliked: Sequence[int] = (),
        precision: float | None = None,
    ) -> list[Match]:
        params = search_parameters(
            k=k,
            by=by,
            min_score=min_score,
            max_distance=max_distance,
            where=where,
            verify=verify,
            box=box,
            liked=liked,
            disliked=disliked,
            precision=precision,
        )
        if isinstance(query, str) and query.startswith("id:"):
            found = self._server.ask("GET", "/search", params={"query": query, **params})
        else:
            is_address = isinstance(query, str) and query.startswith(("http://", "https://"))
            sent = {"address": (None, query)} if is_address else {"image": picture_file(query, self.settings)}
            found = self._server.ask("POST", "/search", params=params, files=sent)
        return [one.match() for one in from_document(SearchPage, found).matches]

    @override
    def promise(self, by: str = AUTO, precision: float = 0.99) -> Promised:
        found = self._server.ask("GET", "/promise", params={"by": by, "precision": precision})
        return from_document(FullPromiseAnswer, found).promised()

    @override
    def calibrate(
        self,
        *,
        n_pictures: int = N_PICTURES,
        seed: int = 0,
        ask: Ask | None = None,
        on_progress: ProgressCallback = ignore_progress,
    ) -> CalibrationReport:
        if ask is not None:
            raise InputError(f"{self.address} cannot ask about doubtful pairs: calibrate without asking.")
        wanted = {"kind": "calibrate", "n_pictures": n_pictures, "seed": seed}
        found = self._server.run_job(wanted, on_progress)
        return from_document(CalibratedAnswer, found).report()

    @override
    def compare(self, first: Any, second: Any) -> Comparison:
        if id_of(first) is not None and id_of(second) is not None:
            found = self._server.ask("GET", "/compare", params={"first": first, "second": second})
        else:
            files = {"first": self._bytes_of(first), "second": self._bytes_of(second)}
            found = self._server.ask("POST", "/compare", files=files)
        return from_document(ComparedAnswer, found).comparison()

    @override
    def show(self, query: Any, longer_side_px: int) -> bytes:
        number = id_of(query)
        if number is not None and longer_side_px in THUMBNAIL_SIDES_PX:
            with self._server.download(f"/pictures/{number}/thumbnail", size=longer_side_px) as file:
                return file.read()
        source = source_of(query, self.settings) if number is None else self._sent_source(query)
        return LocalReader(self.settings, lambda: Extractor(self.settings)).show(source, longer_side_px)

    def _bytes_of(self, picture: Any) -> tuple[str, bytes]:
        """Return the name and bytes of a picture, of this machine or of the gallery."""
        number = id_of(picture)
        if number is None:
            return picture_file(picture, self.settings)
        with self._server.download(f"/pictures/{number}/file") as file:
            return str(picture), file.read()

    def _sent_source(self, picture: Any) -> Source:
        label, data = self._bytes_of(picture)
        return Source(label, data=data)

    # Looking up

    @override
    def info(self) -> GalleryInfo:
        return from_document(GalleryInfo, self._server.ask("GET", "/info"))

    @override
    def folders(self) -> list[tuple[str, int]]:
        found = from_document(LibraryAnswer, self._server.ask("GET", "/info"))
        return [(one.path, one.n_files) for one in found.folders]

    @override
    def failures(self, *, offset: int = 0, limit: int = 100) -> tuple[list[Failure], int]:
        found = self._server.ask("GET", "/failures", params={"offset": offset, "limit": limit})
        answer = from_document(FailuresAnswer, found)
        return list(answer.failures), answer.total

    @override
    def picture(self, content_id: int) -> list[FoundPicture]:
        facts = from_document(PictureFacts, self._server.ask("GET", f"/pictures/{content_id}"))
        return [facts.found(path) for path in facts.paths]

    @override
    def pictures(
        self, *, offset: int = 0, limit: int = 100, folder: str | None = None
    ) -> tuple[list[FoundPicture], int]:
        params = present({"offset": offset, "limit": limit, "folder": folder})
        answer = from_document(PicturesAnswer, self._server.ask("GET", "/pictures", params=params))
        return [one.found() for one in answer.pictures], answer.total

    @override
    def open_picture(self, content_id: int) -> tuple[BinaryIO, FoundPicture]:
        facts = from_document(PictureFacts, self._server.ask("GET", f"/pictures/{content_id}"))
        return self._server.download(f"/pictures/{content_id}/file"), facts.found()

    @override
    def holds(self, path: str | os.PathLike[str]) -> bool:
        return False  # its pictures are the server's, so that no file here is one of them

    # Changing what it holds

    @override
    def add(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        only: str = "all",
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        hidden: bool = False,
        follow_symlinks: bool = False,
        retry_failed: bool = False,
        on_progress: ProgressCallback = ignore_progress,
    ) -> AddReport:
        wanted = {
            "kind": "index",
            "paths": given_paths(paths),
            "only": only,
            "include": list(include),
            "exclude": list(exclude),
            "hidden": hidden,
            "follow_symlinks": follow_symlinks,
            "retry_failed": retry_failed,
        }
        return from_document(AddReport, self._server.run_job(wanted, on_progress))

    @override
    def add_again(
        self, *, retry_failed: bool = False, on_progress: ProgressCallback = ignore_progress
    ) -> AddReport:
        wanted = {"kind": "index", "retry_failed": retry_failed}
        return from_document(AddReport, self._server.run_job(wanted, on_progress))

    @override
    def remove(self, paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> int:
        return int(self._server.ask("POST", "/forget", json={"paths": given_paths(paths)})["removed"])

    @override
    def find_gone(self) -> Gone:
        return from_document(Gone, self._server.ask("GET", "/gone"))

    @override
    def prune(self, *, with_away: bool = False) -> list[str]:
        return list(self._server.ask("POST", "/prune", json={"with_away": with_away})["forgotten"])

    # What a person says

    @override
    def mark(self, first: Any, second: Any, is_duplicate: bool | None) -> None:
        named = [self._name_of(picture) for picture in (first, second)]
        self._server.ask(
            "POST", "/verdicts", json={"first": named[0], "second": named[1], "is_duplicate": is_duplicate}
        )

    @override
    def rate(self, query: Any, content_id: int, is_liked: bool | None) -> None:
        said = {"query": self._name_of(query), "picture": content_id, "liked": is_liked}
        self._server.ask("POST", "/feedback", json=said)

    def _name_of(self, picture: Any) -> str:
        number = id_of(picture)
        return f"sha256:{picture_digest(picture, self.settings)}" if number is None else f"id:{number}"

    @override
    def ratings(self) -> list[Rating]:
        return from_document(RatingsAnswer, self._server.ask("GET", "/ratings")).found()
