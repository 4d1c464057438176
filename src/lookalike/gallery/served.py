"""The verbs of a `Gallery` over HTTP: `Gallery.open("http://host:port")` gives one of these."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, NoReturn

import httpx
import numpy as np

from lookalike import errors
from lookalike.acting.apply import ActProgress, ActProgressCallback
from lookalike.acting.history import AppliedRun
from lookalike.acting.undo import UndoReport
from lookalike.adding.add import AddReport, Progress, ProgressCallback, ignore_progress
from lookalike.answers.jobs import RunsAnswer
from lookalike.api import Gallery
from lookalike.comparing import Comparison, Measured
from lookalike.duplicates.keeper import DEFAULT_RULES
from lookalike.duplicates.records import DuplicatesReport, Group, Member, StageCallback, ignore_stage
from lookalike.errors import InputError, LookalikeError, StoreError
from lookalike.media.files import absolute_path, given_paths, read_file
from lookalike.proving.verify import Verification
from lookalike.queries.source import Box, Source, parse_source
from lookalike.records.calibration import CalibrationState, Promise, Promised
from lookalike.records.codec import from_document
from lookalike.records.failure import Failure, Remark
from lookalike.records.info import GalleryInfo
from lookalike.records.places import Root
from lookalike.records.proof import Proof
from lookalike.records.relation import Relation
from lookalike.searching.searcher import Match
from lookalike.searching.way import AUTO
from lookalike.settings import Settings
from lookalike.storage.filters import Filter
from lookalike.storage.records import FoundPicture

TOKEN_VARIABLE = "LOOKALIKE_TOKEN"  # noqa: S105  (the name of a variable, not its value)
TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.5
MAX_TRIES = 5  # of a request that the server was too busy for
_PAGE = 200
_RUNS_PAGE = 100

_OPEN_FOLDER = "open the folder itself, on the machine that has it"
_USE_PAGE = f"review, plan and apply on the server's page, or {_OPEN_FOLDER}"


def _needs_folder(what: str, instead: str = _OPEN_FOLDER) -> Callable[..., NoReturn]:
    """Return a method that refuses, in one sentence, what only a gallery's folder can do."""

    def refuse(self: ServedGallery, *_arguments: object, **_options: object) -> NoReturn:
        raise InputError(
            f"{self.address} is served by another process, and {what} works on a gallery's folder only: {instead}."
        )

    return refuse


class ServedGallery(Gallery):
    """A gallery that `lookalike serve` serves. What needs its folder raises InputError.

    Paths of pictures are those of the server. Every verb of a `Gallery` is either
    asked of the server here or refused.

    Parameters
    ----------
    address : str          ``http://host:port`` or ``https://host``
    token : str or None    None takes ``LOOKALIKE_TOKEN`` of the environment, if it is set
    settings : Settings    limits for the files that are sent
    transport : of httpx, or None for the network
    """

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        settings: Settings | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.address = address.rstrip("/")
        self.settings = settings or Settings.from_environment()
        token = token or os.environ.get(TOKEN_VARIABLE)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=f"{self.address}/api/v1", headers=headers, timeout=TIMEOUT_SECONDS, transport=transport
        )

    calibrate = _needs_folder("`calibrate`")
    prune = find_gone = _needs_folder("`prune`")
    add_again = _needs_folder("indexing again what was named", _USE_PAGE)
    ratings = _needs_folder("`ratings`")
    apply = _needs_folder("`apply`", _USE_PAGE)
    check_plan = write_plan = plan_choices = _needs_folder("making a plan", _USE_PAGE)
    show = _needs_folder("`show`", "get /api/v1/pictures/N/thumbnail of the server")
    open_picture = _needs_folder("`open_picture`", "get /api/v1/pictures/N/file of the server")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # Asking

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
        """See `Gallery.search`; the picture is sent, and the server leaves out no file for its path."""
        question = {
            "k": k,
            "by": by,
            "verify": str(verify).lower(),
            "min_score": min_score,
            "max_distance": max_distance,
            "precision": precision,
            "box": None if box is None else ",".join(map(str, box)),
            "liked": ",".join(map(str, liked)) or None,
            "disliked": ",".join(map(str, disliked)) or None,
            **_filter_parameters(where or Filter()),
        }
        if isinstance(query, str) and query.startswith("id:"):
            found = self._ask("GET", "/search", params={"query": query, **_present(question)})
        elif isinstance(query, str) and query.startswith(("http://", "https://")):
            sent = {"address": (None, query)}
            found = self._ask("POST", "/search", params=_present(question), files=sent)
        else:
            sent_file = {"image": self._file(query)}
            found = self._ask("POST", "/search", params=_present(question), files=sent_file)
        return [_match(one) for one in found["matches"]]

    def promise(self, by: str = AUTO, precision: float = 0.99) -> Promised:
        """See `Gallery.promise`."""
        found = self._ask("GET", "/promise", params={"by": by, "precision": precision})
        promise = Promise(
            precision=found["precision"],
            threshold=found["threshold"],
            recall=found["recall"],
            bound=found["precision_at_least"],
            is_supported=found["supported"],
            silence=found["nothing_found"],
            recall_by_edit=found["recall_by_edit"],
            against_shipped=found["against_shipped"],
        )
        return Promised(found["by"], promise, found["calibration"])

    def compare(self, first: Any, second: Any) -> Comparison:
        """See `Gallery.compare`; either both are ``id:N``, or both are sent."""
        if all(isinstance(one, str) and one.startswith("id:") for one in (first, second)):
            found = self._ask("GET", "/compare", params={"first": first, "second": second})
        else:
            files = {"first": self._file(first), "second": self._file(second)}
            found = self._ask("POST", "/compare", files=files)
        return _comparison(found)

    def _file(self, picture: Any) -> tuple[str, bytes]:
        """Return the name and bytes of a picture to send."""
        source = parse_source(picture, None, max_bytes=self.settings.max_bytes)
        if source.path is not None:
            data = read_file(source.path, max_bytes=self.settings.max_bytes).data
            return os.fsencode(source.label).decode(errors="replace"), data
        return source.label, source.data if source.data is not None else _as_png(source)

    def info(self) -> GalleryInfo:
        """See `Gallery.info`."""
        found = self._ask("GET", "/info")
        state = found["calibration"]
        found["calibration"] = None if state is None else CalibrationState(**state)
        found["failures"] = tuple(Failure(**one) for one in found["failures"])
        found["roots"] = tuple(
            Root(**{**one, "include": tuple(one["include"]), "exclude": tuple(one["exclude"])})
            for one in found["roots"]
        )
        found["away"] = tuple(found["away"])
        known = {name.name for name in fields(GalleryInfo)}
        return GalleryInfo(**{name: value for name, value in found.items() if name in known})

    def folders(self) -> list[tuple[str, int]]:
        """See `Gallery.folders`."""
        return [(one["path"], one["n_files"]) for one in self._ask("GET", "/info")["folders"]]

    def failures(self, *, offset: int = 0, limit: int = 100) -> tuple[list[Failure], int]:
        """See `Gallery.failures`."""
        found = self._ask("GET", "/failures", params={"offset": offset, "limit": limit})
        return [Failure(**one) for one in found["failures"]], found["total"]

    def picture(self, content_id: int) -> list[FoundPicture]:
        """See `Gallery.picture`."""
        found = self._ask("GET", f"/pictures/{content_id}")
        return [_picture({**found, "path": path}) for path in found["paths"]]

    def pictures(
        self, *, offset: int = 0, limit: int = 100, folder: str | None = None
    ) -> tuple[list[FoundPicture], int]:
        """See `Gallery.pictures`."""
        params = _present({"offset": offset, "limit": limit, "folder": folder})
        found = self._ask("GET", "/pictures", params=params)
        return [_picture(one) for one in found["pictures"]], found["total"]

    # Changing

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
        """See `Gallery.add`; the paths are those of the server, and it takes no other options."""
        if include or exclude or hidden or follow_symlinks or retry_failed:
            raise InputError(f"{self.address} takes paths and `only`; other options work on a folder only.")
        wanted = {"kind": "index", "paths": given_paths(paths), "only": only}

        def tell(job: Mapping[str, Any]) -> None:
            if job["stage"] in ("look", "add"):
                on_progress(Progress(job["stage"], job["n_done"], job["n_total"], 0))

        report = self._run_job(wanted, tell)["report"]
        report["failed"] = [Failure(**one) for one in report["failed"]]
        return AddReport(**report)

    def duplicates(
        self,
        *,
        relation: Relation = "copy",
        against: str | os.PathLike[str] | None = None,
        protect: Sequence[str | os.PathLike[str]] = (),
        prefer: Sequence[str | os.PathLike[str]] = (),
        rules: Sequence[str] = DEFAULT_RULES,
        precision: float | None = None,
        on_stage: StageCallback = ignore_stage,
    ) -> DuplicatesReport:
        """See `Gallery.duplicates`; folders are those of the server."""
        wanted = {
            "kind": "duplicates",
            "relation": relation,
            "against": None if against is None else os.fspath(against),
            "protect": [os.fspath(folder) for folder in protect],
            "prefer": [os.fspath(folder) for folder in prefer],
            "rules": list(rules),
            "precision": precision,
        }
        self._run_job(wanted, lambda job: on_stage(job["stage"], job["n_done"], job["n_total"] or 0))
        groups: list[dict[str, Any]] = []
        offset = 0
        while True:
            page = self._ask("GET", "/duplicates", params={"offset": offset, "limit": _PAGE})
            groups += page["groups"]  # without those whose files went meanwhile
            offset += _PAGE
            if offset >= page["total_groups"]:
                break
        failed = tuple(Failure(**one) for one in page["failed"])
        return DuplicatesReport(tuple(map(_group, groups)), page["compared"], failed, page["seconds"])

    def remove(self, paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> int:
        """See `Gallery.remove`; the paths are those of the server."""
        return int(self._ask("POST", "/forget", json={"paths": given_paths(paths)})["removed"])

    def holds(self, path: str | os.PathLike[str]) -> bool:  # noqa: ARG002
        """See `Gallery.holds`; the pictures are the server's, so that no file here is one of them."""
        return False

    def mark(self, first: Any, second: Any, is_duplicate: bool | None) -> None:
        """See `Gallery.mark`; both must be ``id:N``."""
        ids = [_id_of(one) for one in (first, second)]
        self._ask("POST", "/verdicts", json={"first": ids[0], "second": ids[1], "is_duplicate": is_duplicate})

    def rate(self, query: Any, content_id: int, is_liked: bool | None) -> None:
        """See `Gallery.rate`; the query must be ``id:N``."""
        said = {"query": f"id:{_id_of(query)}", "picture": content_id, "liked": is_liked}
        self._ask("POST", "/feedback", json=said)

    def undo(
        self,
        *,
        run: int | None = None,
        on_progress: ActProgressCallback | None = None,
        on_added: ProgressCallback = ignore_progress,
    ) -> UndoReport:
        """See `Gallery.undo`."""

        def tell(job: Mapping[str, Any]) -> None:
            if job["stage"] == "undo" and on_progress is not None:
                on_progress(ActProgress(job["n_done"], job["n_total"] or 0, 0))
            if job["stage"] in ("look", "add"):
                on_added(Progress(job["stage"], job["n_done"], job["n_total"], 0))

        found = self._run_job({"kind": "undo", "run": run}, tell)["report"]
        for name in ("skipped", "remarks"):
            found[name] = [Remark(**one) for one in found.get(name, [])]
        return UndoReport(**found)

    def runs(self, *, offset: int = 0, limit: int | None = None) -> tuple[list[AppliedRun], int]:
        """See `Gallery.runs`."""
        runs: list[AppliedRun] = []
        while True:
            wanted = _RUNS_PAGE if limit is None else min(_RUNS_PAGE, max(1, limit - len(runs)))
            params = {"offset": offset + len(runs), "limit": wanted}
            page = from_document(RunsAnswer, self._ask("GET", "/runs", params=params))
            runs += page.runs
            if len(page.runs) < wanted or (limit is not None and len(runs) >= limit):
                return runs[:limit], page.total

    # Talking

    def _run_job(self, wanted: Mapping[str, Any], tell: Callable[[Mapping[str, Any]], None]) -> Any:
        """Start a job and wait for its end; a wait that is interrupted stops it."""
        job = self._ask("POST", "/jobs", json=wanted)
        try:
            while job["state"] == "running":
                time.sleep(POLL_SECONDS)
                job = self._ask("GET", f"/jobs/{job['id']}")
                tell(job)
        except BaseException:
            self._ask("POST", f"/jobs/{job['id']}/stop")
            raise
        if job.get("report") is None:
            raise StoreError(f"{self.address}: {job['error'] or 'the job was stopped.'}")
        return job

    def _ask(self, method: str, path: str, **content: Any) -> Any:
        """Return the JSON of an answer; None where it has none. A busy server is asked again."""
        for n_tries in range(1, MAX_TRIES + 1):
            try:
                answer = self._http.request(method, path, **content)
            except httpx.HTTPError as error:
                raise StoreError(
                    f"{self.address} cannot be reached ({type(error).__name__}): does `lookalike serve` run there?"
                ) from error
            if answer.status_code != 503 or n_tries == MAX_TRIES:
                break
            time.sleep(min(10.0, float(answer.headers.get("retry-after", "1")) * n_tries))
        if answer.status_code >= 400:
            raise _error_of(answer, self.address)
        return answer.json() if answer.content else None


def _error_of(answer: httpx.Response, address: str) -> LookalikeError:
    """Return the error that the server met, as it would have been raised here."""
    try:
        problem = answer.json()
        name, detail = str(problem["type"]).rpartition(":")[2], str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return StoreError(f"{address} answers with status {answer.status_code}: is it a lookalike server?")
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, LookalikeError):
        return kind(detail)
    return InputError(detail) if answer.status_code < 500 else StoreError(f"{address}: {detail}")


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _filter_parameters(where: Filter) -> dict[str, Any]:
    return {
        "folder": None if where.folder is None else absolute_path(where.folder),
        "format": list(where.formats) or None,
        "min_side": where.min_side_px or None,
        "min_bytes": where.min_bytes,
        "max_bytes": where.max_bytes,
        "since": where.since,
        "until": where.until,
    }


def _as_png(source: Source) -> bytes:
    from PIL import Image

    pixels = source.pixels
    image = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    if not isinstance(image, Image.Image):
        raise InputError(f"a {type(pixels).__name__} is no picture: give a path, bytes, image or array.")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _id_of(picture: Any) -> int:
    if isinstance(picture, str) and picture.startswith("id:") and picture[3:].isdecimal():
        return int(picture[3:])
    raise InputError(f"{picture!r} is no id of the served gallery: give id:N.")


def _picture(facts: Mapping[str, Any]) -> FoundPicture:
    return FoundPicture(
        content_id=facts["id"] or 0,
        path=facts["path"],
        size_bytes=facts["size_bytes"],
        mtime_ns=0,  # the date tells when it was taken or written
        digest=bytes.fromhex(facts.get("digest", "")),
        format=facts["format"],
        width_px=facts["width_px"],
        height_px=facts["height_px"],
        taken_at=facts["date"],
    )


def _match(found: Mapping[str, Any]) -> Match:
    names = ("score", "distance", "unit", "relation", "by", "why", "probability")
    proof = None if found.get("proof") is None else from_document(Proof, found["proof"])
    return Match(_picture(found), **{name: found[name] for name in names if name in found}, proof=proof)


def _group(found: Mapping[str, Any]) -> Group:
    members = tuple(
        Member(
            _picture(one),
            one["relation"],
            one["score"],
            from_document(Proof, one["proof"]),
            is_covered=not one["note"],
            note=one["note"],
        )
        for one in found["members"]
    )
    return Group(_picture(found["keeper"]), found["why"], members)


def _comparison(found: Mapping[str, Any]) -> Comparison:
    ranges, proof = found["ranges"], from_document(Proof, found["proof"])
    measures = tuple(Measured(name, value, *ranges[name]) for name, value in found["measures"].items())
    verification = Verification(
        relation=proof.relation,
        method="pixels" if proof.method == "pixels" else "keypoints",
        n_inliers=proof.inliers,
        agreement=proof.agreement,
        residual=proof.residual,
        transform=proof.transform,
        contains=proof.contains,
        matrix=proof.placement,
        overlap_first=proof.overlap_first,
        overlap_second=proof.overlap_second,
        points_first=np.empty((0, 2)),
        points_second=np.empty((0, 2)),
    )
    first, second = ((found[side]["width_px"], found[side]["height_px"]) for side in ("first", "second"))
    return Comparison(measures, found["relation"], found["verdict"], proof, verification, (first, second))
