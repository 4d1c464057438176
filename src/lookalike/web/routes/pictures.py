"""Pictures of the gallery: facts, thumbnails and files; and what was sent to ask with."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from lookalike.answers.pictures import PictureAnswer, PictureFacts
from lookalike.errors import PictureError, QueryError
from lookalike.gallery.local import LocalGallery
from lookalike.web.answers import file_answer, json_answer
from lookalike.web.problems import Refusal, documented
from lookalike.web.routes.shared import PictureId, TheSite

router = APIRouter(prefix="/api/v1", tags=["pictures"])
SIZES_PX = (128, 256, 512, 1024)
Size = Annotated[
    int, Query(ge=64, le=1024, description="Longer side in pixels; the next of 128, 256, 512, 1024.")
]
REVALIDATE = "private, no-cache"
FOREVER = "private, max-age=31536000, immutable"


def _nearest_size(size: int) -> int:
    return next(one for one in SIZES_PX if one >= size)


@router.get("/pictures/{picture_id}", response_model=PictureAnswer, responses=documented(404, 422))
async def get_picture(site: TheSite, picture_id: PictureId) -> Response:
    """Give the facts of a picture, with the camera that its file names."""
    return json_answer(await site.pictures.run(lambda gallery: _facts(gallery, picture_id)))


def _facts(gallery: LocalGallery, picture_id: int) -> PictureAnswer:
    facts = vars(PictureFacts.of(gallery.picture(picture_id)))
    try:
        return PictureAnswer(**facts, camera=gallery.load(f"id:{picture_id}", keep=True).camera)
    except (PictureError, QueryError):  # the file is gone or was changed; what is known is known
        return PictureAnswer(**facts)


@router.get("/pictures/{picture_id}/thumbnail", responses=documented(404, 410, 422), response_class=Response)
async def get_thumbnail(
    site: TheSite,
    request: Request,
    picture_id: PictureId,
    size: Size = 256,
    v: Annotated[
        str | None, Query(max_length=64, description="Anything: an address with it may be kept for ever.")
    ] = None,
) -> Response:
    """Give a picture as a small upright JPEG."""
    side_px = _nearest_size(size)
    headers = {"Cache-Control": REVALIDATE if v is None else FOREVER}

    found = await site.pictures.run(lambda gallery: gallery.picture(picture_id)[0])
    headers["ETag"] = f'"{found.digest.hex()[:32]}-{side_px}"'
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    try:
        data = await site.thumbnail(f"id:{picture_id}", found.digest, side_px)
    except (PictureError, QueryError) as error:
        raise Refusal(410, str(error)) from error
    return Response(data, headers=headers, media_type="image/jpeg")


@router.get("/pictures/{picture_id}/file", responses=documented(404, 410, 416, 422), response_class=Response)
async def get_file(site: TheSite, request: Request, picture_id: PictureId) -> Response:
    """Give a picture's own bytes, whole or in part (one Range)."""
    try:
        file, picture = await site.pictures.run(lambda gallery: gallery.open_picture(picture_id))
    except PictureError as error:
        raise Refusal(410, str(error)) from error
    return file_answer(file, picture, request.headers)


@router.get("/uploads/{name}/image", responses=documented(404, 422), response_class=Response)
async def get_upload(site: TheSite, name: str, size: Size = 512) -> Response:
    """Give a picture that was sent, as an upright JPEG."""
    side_px = _nearest_size(size)

    def show(gallery: LocalGallery) -> bytes:
        source = site.uploads.source(f"up:{name}")
        if source is None:
            raise Refusal(404, "there is no such upload.")
        return gallery.show(source, side_px)

    data = await site.pictures.run(show)
    return Response(data, headers={"Cache-Control": FOREVER}, media_type="image/jpeg")
