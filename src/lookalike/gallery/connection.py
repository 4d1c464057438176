"""A connection to a server: requests that are asked again, errors as they arose there, jobs that are waited for."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

import httpx

from lookalike import __version__, errors
from lookalike.answers.gallery import VersionAnswer
from lookalike.answers.jobs import JobAnswer
from lookalike.errors import InputError, LookalikeError, StoreError
from lookalike.records.codec import from_document
from lookalike.records.progress import Progress, ProgressCallback, ignore_progress

TOKEN_VARIABLE = "LOOKALIKE_TOKEN"  # noqa: S105  (the name of a variable, not its value)
TIMEOUT_SECONDS = 60.0
FIRST_POLL_SECONDS = 0.05
MAX_POLL_SECONDS = 0.5
MAX_TRIES = 5  # of a request that the server was too busy for
MAX_WAIT_SECONDS = 10.0  # before a request is tried again
MAX_IN_MEMORY_BYTES = 32 << 20  # of a file that is sent; a larger one goes to the disk


class Connection:
    """Asks one server.

    Parameters
    ----------
    address : str
        ``http://host:port`` or ``https://host``.
    token : str or None
        None takes ``LOOKALIKE_TOKEN`` of the environment, if it is set.
    transport : transport of httpx, or None
        None takes the network.
    """

    def __init__(self, address: str, *, token: str | None, transport: httpx.BaseTransport | None) -> None:
        self.address = address.rstrip("/")
        token = token or os.environ.get(TOKEN_VARIABLE)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=f"{self.address}/api/v1", headers=headers, timeout=TIMEOUT_SECONDS, transport=transport
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def check_version(self) -> None:
        """Make sure that the server understands this client, and is understood.

        Raises
        ------
        StoreError
            It is of a version that is too different, or no lookalike.
        """
        answer = self._request("GET", "/version")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise StoreError(
                f"{self.address} is no lookalike server, or one that is older than this {__version__}: update it."
            )
        served = from_document(VersionAnswer, self._read(answer)).version
        if _series(served) != _series(__version__):
            raise StoreError(
                f"{self.address} is served by lookalike {served}, and this is {__version__}: they do not "
                "understand each other. Update the older one."
            )

    def ask(self, method: str, path: str, **content: Any) -> Any:
        """Return the JSON of an answer; None where it has none. A busy server is asked again.

        Parameters
        ----------
        method, path : str
        content : what `httpx.Client.request` takes
            ``params``, ``json`` or ``files``.

        Raises
        ------
        LookalikeError
            As it arose on the server; StoreError where it cannot be reached.
        """
        return self._read(self._request(method, path, **content))

    def download(self, path: str, **params: Any) -> BinaryIO:
        """Return a file that the server sends, open for reading."""
        file = cast("BinaryIO", SpooledTemporaryFile(MAX_IN_MEMORY_BYTES))  # noqa: SIM115  (the caller closes it)
        try:
            with self._http.stream("GET", path, params=params) as answer:
                if answer.status_code >= HTTPStatus.BAD_REQUEST:
                    answer.read()
                    raise _error_of(answer, self.address)
                for chunk in answer.iter_bytes():
                    file.write(chunk)
        except httpx.HTTPError as error:
            file.close()
            raise self._unreachable(error) from error
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def run_job(self, wanted: Mapping[str, Any], on_progress: ProgressCallback) -> Any:
        """Start a job, wait for its end, and return its report.

        Ctrl-C stops it: its report then says so, as that of a run on this machine. Whatever else ends the wait
        stops it, too.

        Raises
        ------
        LookalikeError
            Why it came to nothing.
        """
        job = self.ask("POST", "/jobs", json=wanted)
        try:
            job = self._wait(job, on_progress)
        except BaseException as error:
            self.ask("POST", f"/jobs/{job['id']}/stop")
            if not isinstance(error, KeyboardInterrupt):
                raise
            job = self._wait(job, ignore_progress)
        if job.get("report") is None:
            raise self._failure_of(job)
        return job["report"]

    def _failure_of(self, job: Mapping[str, Any]) -> LookalikeError:
        """Return why a job came to nothing, as the error that arose on the server."""
        kind = _kind_of(str(job.get("error_kind")))
        if kind is not None:
            return kind(job["error"])
        return StoreError(f"{self.address}: {job['error'] or 'the job was stopped.'}")

    def _wait(self, job: Any, on_progress: ProgressCallback) -> Any:
        pause = FIRST_POLL_SECONDS
        while job["state"] == "running":
            time.sleep(pause)
            pause = min(2 * pause, MAX_POLL_SECONDS)
            job = self.ask("GET", f"/jobs/{job['id']}")
            now = from_document(JobAnswer, {**job, "report": None})
            on_progress(Progress(now.stage, now.n_done, now.n_total))
        return job

    def _read(self, answer: httpx.Response) -> Any:
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise _error_of(answer, self.address)
        try:
            return answer.json() if answer.content else None
        except ValueError as error:
            raise _not_understood(answer, self.address) from error

    def _request(self, method: str, path: str, **content: Any) -> httpx.Response:
        if "json" in content:  # names of files need not be text, which only escapes can say
            content["content"] = json.dumps(content.pop("json")).encode()
            content["headers"] = {"Content-Type": "application/json"}
        for n_tries in range(1, MAX_TRIES + 1):
            try:
                answer = self._http.request(method, path, **content)
            except httpx.HTTPError as error:
                raise self._unreachable(error) from error
            if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE or n_tries == MAX_TRIES:
                break
            time.sleep(min(MAX_WAIT_SECONDS, float(answer.headers.get("retry-after", "1")) * n_tries))
        return answer

    def _unreachable(self, error: httpx.HTTPError) -> StoreError:
        return StoreError(
            f"{self.address} cannot be reached ({type(error).__name__}): does `lookalike serve` run there?"
        )


def _series(version: str) -> tuple[str, ...]:
    """Return what of a version must be equal: its first number, and the second as long as the first is 0."""
    numbers = version.split(".")
    return tuple(numbers[:1] if numbers[0] != "0" else numbers[:2])


def _error_of(answer: httpx.Response, address: str) -> LookalikeError:
    """Return the error that the server met, as it would have been raised here."""
    try:
        problem = answer.json()
        name, detail = str(problem["type"]).rpartition(":")[2], str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return _not_understood(answer, address)
    kind = _kind_of(name)
    if kind is not None:
        return kind(detail)
    is_ours = answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    return InputError(detail) if is_ours else StoreError(f"{address}: {detail}")


def _kind_of(name: str) -> type[LookalikeError] | None:
    """Return the error of this name, if it is one of lookalike's."""
    kind = getattr(errors, name, None)
    return kind if isinstance(kind, type) and issubclass(kind, LookalikeError) else None


def _not_understood(answer: httpx.Response, address: str) -> StoreError:
    return StoreError(f"{address} answers with status {answer.status_code}: is it a lookalike server?")
