"""Successes: JSON as the command line prints it, and files with their caching headers."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import PurePath
from typing import Any, BinaryIO
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse

from lookalike.records.codec import to_json
from lookalike.storage.records import FoundPicture
from lookalike.web.problems import Refusal

CHUNK_BYTES = 256 * 1024
# What a browser shows as a picture and nothing else; all other formats are offered for download.
SAFE_TYPES = {name: f"image/{name}" for name in ("jpeg", "png", "gif", "webp", "bmp", "avif", "tiff")}
FILE_POLICY = "default-src 'none'; sandbox"
_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
_MAX_DIGITS = 18  # more name a place beyond the end of any file


def json_answer(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a document; names that are no text are escaped, as in `--json`."""
    return Response(to_json(document), status, headers, "application/json")


def file_answer(file: BinaryIO, picture: FoundPicture, asked: Headers) -> Response:
    """Return an open file, whole or the asked part of it; it is closed when it was sent.

    Raises
    ------
    Refusal    416: the part lies beyond the end
    """
    kind = SAFE_TYPES.get(picture.format)
    name = quote(PurePath(picture.path).name.encode(errors="surrogateescape"))
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"{'attachment' if kind is None else 'inline'}; filename*=UTF-8''{name}",
        "Content-Security-Policy": FILE_POLICY,
        "ETag": f'"{picture.digest.hex()}"',
    }
    if headers["ETag"] in asked.get("if-none-match", ""):
        file.close()
        return Response(status_code=304, headers=headers)
    try:
        start, end = _part(asked, picture.size_bytes, headers["ETag"])
    except Refusal:
        file.close()
        raise
    is_part = (start, end) != (0, picture.size_bytes)
    if is_part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{picture.size_bytes}"
    headers["Content-Length"] = str(end - start)
    kind = kind or "application/octet-stream"
    return StreamingResponse(_stream(file, start, end), 206 if is_part else 200, headers, kind)


def _part(asked: Headers, size_bytes: int, etag: str) -> tuple[int, int]:
    """Return where the asked part begins and ends; a form that is not understood means the whole."""
    found = _RANGE.fullmatch(asked.get("range", "").strip())
    if found is None or found[0] == "bytes=-" or asked.get("if-range", etag) != etag:
        return 0, size_bytes
    if found[1]:
        start = _number(found[1])
        end = min(size_bytes, _number(found[2]) + 1) if found[2] else size_bytes
    else:
        start, end = max(0, size_bytes - _number(found[2])), size_bytes
    if start >= end:
        raise Refusal(416, "the file ends before that part.", {"Content-Range": f"bytes */{size_bytes}"})
    return start, end


def _number(digits: str) -> int:
    digits = digits.lstrip("0")
    return sys.maxsize if len(digits) > _MAX_DIGITS else int(digits or "0")


async def _stream(file: BinaryIO, start: int, end: int) -> AsyncIterator[bytes]:
    try:
        file.seek(start)
        while start < end:
            data = await asyncio.to_thread(file.read, min(CHUNK_BYTES, end - start))
            if not data:
                return
            start += len(data)
            yield data
    finally:
        file.close()
