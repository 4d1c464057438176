"""A gallery that another process serves: the verbs of a `Gallery` over HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import httpx
from typing_extensions import override

from lookalike.acting.apply import ApplyReport
from lookalike.acting.plan import Plan, check_plan, save_plan
from lookalike.acting.undo import UndoReport
from lookalike.adding.add import AddReport
from lookalike.answers.calibration import CalibratedAnswer
from lookalike.answers.duplicates import PlanAnswer, ReviewAnswer
from lookalike.answers.gallery import LibraryAnswer, RatingsAnswer
from lookalike.answers.jobs import RunsAnswer
from lookalike.answers.pictures import FailuresAnswer, PictureFacts, PicturesAnswer
from lookalike.answers.search import ComparedAnswer, FullPromiseAnswer, SearchPage
from lookalike.api import Gallery
from lookalike.comparing import Comparison
from lookalike.duplicates.keeper import DEFAULT_RULES
from lookalike.duplicates.records import DuplicatesReport
from lookalike.errors import InputError
from lookalike.features.extract import Extractor
from lookalike.gallery.connection import Connection, Tell
from lookalike.gallery.planning import plan_of_report
from lookalike.gallery.sending import (
    id_of,
    picture_digest,
    picture_file,
    present,
    search_parameters,
    source_of,
)
from lookalike.media.files import given_paths
from lookalike.queries.reader import LocalReader
from lookalike.queries.source import Box, Source
from lookalike.records.calibration import N_PICTURES, Promised
from lookalike.records.codec import from_document
from lookalike.records.failure import Failure, Remark
from lookalike.records.info import GalleryInfo
from lookalike.records.people import Rating
from lookalike.records.places import Gone
from lookalike.records.progress import Progress, ProgressCallback, ignore_progress
from lookalike.records.relation import Relation
from lookalike.searching.searcher import Match
from lookalike.searching.way import AUTO
from lookalike.settings import Settings
from lookalike.storage.filters import Filter
from lookalike.storage.records import FoundPicture

if TYPE_CHECKING:
    from lookalike.acting.history import AppliedRun
    from lookalike.calibration.record import Ask, CalibrationReport
    from lookalike.duplicates.choices import Choice

THUMBNAIL_SIDES_PX = (128, 256, 512, 1024)
"""What a server shows pictures at."""

_PAGE = 200
_RUNS_PAGE = 100


class ServedGallery(Gallery):
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
        self._server = Connection(address, token=token, transport=transport)
        self.address = self._server.address
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
        found = self._server.run_job(wanted, _tell(on_progress))
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
        return from_document(AddReport, self._server.run_job(wanted, _tell(on_progress)))

    @override
    def add_again(
        self, *, retry_failed: bool = False, on_progress: ProgressCallback = ignore_progress
    ) -> AddReport:
        wanted = {"kind": "index", "retry_failed": retry_failed}
        return from_document(AddReport, self._server.run_job(wanted, _tell(on_progress)))

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

    # Duplicates

    @override
    def duplicates(
        self,
        *,
        relation: Relation = "copy",
        against: str | os.PathLike[str] | None = None,
        protect: Sequence[str | os.PathLike[str]] = (),
        prefer: Sequence[str | os.PathLike[str]] = (),
        rules: Sequence[str] = DEFAULT_RULES,
        precision: float | None = None,
        on_progress: ProgressCallback = ignore_progress,
    ) -> DuplicatesReport:
        wanted = {
            "kind": "duplicates",
            "relation": relation,
            "against": None if against is None else os.fspath(against),
            "protect": [os.fspath(folder) for folder in protect],
            "prefer": [os.fspath(folder) for folder in prefer],
            "rules": list(rules),
            "precision": precision,
        }
        self._server.run_job(wanted, _tell(on_progress))
        groups, page = [], self._review_page(0)
        for offset in range(0, max(1, page.total_groups), _PAGE):
            page = self._review_page(offset)
            groups += [group.group() for group in page.groups]
        return DuplicatesReport(tuple(groups), page.compared, page.failed, page.seconds)

    def _review_page(self, offset: int) -> ReviewAnswer:
        found = self._server.ask("GET", "/duplicates", params={"offset": offset, "limit": _PAGE})
        return from_document(ReviewAnswer, found)

    @override
    def check_plan(
        self,
        path: str | os.PathLike[str],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
    ) -> None:
        check_plan(path, act=act, quarantine=quarantine)

    @override
    def write_plan(
        self,
        report: DuplicatesReport,
        path: str | os.PathLike[str],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
    ) -> Plan:
        plan = plan_of_report(report, act=act, quarantine=quarantine, gallery=self.address)
        save_plan(plan, path)
        return plan

    @override
    def plan_choices(
        self,
        choices: Sequence[Choice],
        *,
        act: str = "trash",
        quarantine: str | os.PathLike[str] | None = None,
        protect: Sequence[str] = (),
    ) -> tuple[Plan, list[Remark]]:
        groups = [
            {"keeper": choice.keeper, "remove": [{"path": path} for path in choice.remove]}
            for choice in choices
        ]
        answer = self._plan(groups, act=act, quarantine=quarantine, protect=protect)
        return answer.plan(self.address), list(answer.left_out)

    def _plan(
        self,
        groups: Sequence[Mapping[str, Any]],
        *,
        act: str,
        quarantine: str | os.PathLike[str] | None,
        protect: Sequence[str] = (),
    ) -> PlanAnswer:
        wanted = {
            "act": act,
            "quarantine": None if quarantine is None else os.fspath(quarantine),
            "groups": list(groups),
            "protect": list(protect),
        }
        return from_document(PlanAnswer, self._server.ask("POST", "/plans", json=wanted))

    @override
    def apply(
        self,
        plan: Plan,
        *,
        allow_delete: bool = False,
        allow_trash_without_undo: bool = False,
        carry_metadata: bool = False,
        on_progress: ProgressCallback = ignore_progress,
    ) -> ApplyReport:
        acts = {one.act for one in plan.acts}
        if len(acts) > 1 or "delete" in acts:
            raise InputError(
                f"{self.address} takes plans of one act, and deletes nothing: apply this one on its own machine."
            )
        if not plan.acts:
            return ApplyReport()
        removed: dict[str, list[dict[str, str]]] = {}
        for one in plan.acts:
            if one.belongs_to:
                continue  # the server finds again what goes with a file
            removed.setdefault(one.keeper_digest, []).append({"path": one.path})
        groups = [{"keeper": f"sha256:{digest}", "remove": removed[digest]} for digest in removed]
        answer = self._plan(groups, act=plan.acts[0].act, quarantine=plan.quarantine)
        wanted = {
            "kind": "apply",
            "plan": answer.id,
            "trash_without_undo": allow_trash_without_undo,
            "carry_metadata": carry_metadata,
        }
        report = from_document(ApplyReport, self._server.run_job(wanted, _tell(on_progress)))
        report.skipped[:0] = answer.left_out
        return report

    @override
    def runs(self, *, offset: int = 0, limit: int | None = None) -> tuple[list[AppliedRun], int]:
        found: list[AppliedRun] = []
        while True:
            wanted = _RUNS_PAGE if limit is None else min(_RUNS_PAGE, limit - len(found))
            params = {"offset": offset + len(found), "limit": max(1, wanted)}
            answer = from_document(RunsAnswer, self._server.ask("GET", "/runs", params=params))
            found += answer.runs[:wanted]
            if not answer.runs or len(found) == limit or offset + len(found) >= answer.total:
                return found, answer.total

    @override
    def undo(self, *, run: int | None = None, on_progress: ProgressCallback = ignore_progress) -> UndoReport:
        return from_document(
            UndoReport, self._server.run_job({"kind": "undo", "run": run}, _tell(on_progress))
        )


def _tell(on_progress: ProgressCallback) -> Tell:
    return lambda job: on_progress(Progress(job.stage, job.n_done, job.n_total))
