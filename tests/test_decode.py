"""Decoding: exactness, orientation, colour, limits, and hostile files."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import threading
import types
import warnings
import zlib
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from lookalike.errors import DecodeError, InputError, LimitError, PictureError, ReadError
from lookalike.media.color_management import scale_to_uint8
from lookalike.media.decode import decode
from lookalike.settings import Settings
from pictures import WRITABLE_FORMATS, encode, exif, mean_difference, noise, photo

AWKWARD = Path(__file__).parents[2] / "shared" / "data" / "awkward"
SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def pixels(image: Image.Image) -> list[tuple[int, ...]]:
    return [tuple(pixel) for pixel in np.asarray(image).reshape(-1, 3).tolist()]


def one_color(mode: str, color: object, **options: object) -> bytes:
    image = Image.new(mode, (16, 16), color)  # type: ignore[arg-type]
    if mode == "P":
        image.putpalette(bytes(768))
    return encode(image, **options)


# Exactness


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("format_name", WRITABLE_FORMATS)
def test_ordinary_pictures_have_exactly_the_pixels_of_pillow(format_name: str, mode: str) -> None:
    data = encode(photo().convert(mode), format_name)
    expected = Image.open(io.BytesIO(data)).convert("RGB")
    picture = decode(data)
    assert picture.image.mode == "RGB"
    assert np.array_equal(picture.rgb, np.asarray(expected))
    assert picture.format == format_name.lower()
    assert (picture.width_px, picture.height_px) == expected.size
    assert picture.taken_at is None


@pytest.mark.parametrize(
    "options", [{"progressive": True}, {"subsampling": 0}, {"icc_profile": SRGB_PROFILE}]
)
def test_jpeg_variants_and_srgb_tags_keep_exact_pixels(options: dict[str, object]) -> None:
    data = encode(photo(), "JPEG", **options)
    assert np.array_equal(decode(data).rgb, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def test_heif_is_decoded_without_registering_it_with_pillow(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.from_pillow(photo()).save(tmp_path / "a.heic", quality=95)
    picture = decode(tmp_path / "a.heic")
    assert picture.format == "heif"
    assert mean_difference(picture.image, photo()) < 5
    code = (
        "import sys, PIL.Image, lookalike.media.decode as media; "
        "media.decode(sys.argv[1]); print('HEIF' in PIL.Image.OPEN)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.heic")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_importing_the_module_loads_neither_heif_nor_color_management() -> None:
    code = (
        "import sys, lookalike.media.decode; "
        "print([name for name in ('pillow_heif', 'PIL.ImageCms', 'rawpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Reduced decoding


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(1000, 701), (449, 900), (448, 448), (447, 600), (100, 2000)])
@pytest.mark.parametrize("min_side_px", [1, 56, 224])
def test_no_side_falls_below_the_smallest_asked_for(
    format_name: str, size: tuple[int, int], min_side_px: int
) -> None:
    picture = decode(encode(photo(*size), format_name), min_side_px=min_side_px)
    assert (picture.width_px, picture.height_px) == size
    assert min(picture.image.size) >= min(min_side_px, *size)
    assert min(picture.image.size) < 2 * min_side_px or picture.image.size == size
    if min(picture.image.size) >= 56:  # below, the boxes at the edges weigh too much to compare
        coarse = [image.resize((8, 8), Image.Resampling.BOX) for image in (picture.image, photo(*size))]
        assert mean_difference(*coarse) < 6


def test_pixels_in_memory_are_reduced_too() -> None:
    picture = decode(photo(640, 480), min_side_px=100)
    assert picture.image.size == (160, 120)
    assert (picture.width_px, picture.height_px) == (640, 480)


# Orientation and time

TURNS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def stored_turned(orientation: int) -> Image.Image:
    turn = TURNS[orientation]
    return photo() if turn is None else photo().transpose(turn)


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize(
    ("format_name", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("PNG", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
        ("AVIF", {"quality": 95}),
    ],
)
def test_every_orientation_comes_back_upright(
    format_name: str, options: dict[str, object], orientation: int
) -> None:
    data = encode(stored_turned(orientation), format_name, exif=exif(orientation), **options)
    for min_side_px in (None, 16):
        picture = decode(data, min_side_px=min_side_px)
        assert (picture.width_px, picture.height_px) == photo().size
        upright = photo().resize(picture.image.size, Image.Resampling.BOX)
        assert mean_difference(picture.image, upright) < 8


@pytest.mark.parametrize("orientation", [3, 6])
def test_heif_is_not_turned_twice(orientation: int) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pillow_heif.from_pillow(stored_turned(orientation)).save(file, quality=95, exif=exif(orientation))
    assert mean_difference(decode(file.getvalue()).image, photo()) < 5


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"taken_at": "2020:01:31 12:00:01"}, "2020-01-31T12:00:01"),
        ({"taken_at": "2020:01:31 12:00:01", "original": "2019:05:06 07:08:09"}, "2019-05-06T07:08:09"),
        ({"taken_at": "2020:01:31 12:00:01", "original": "0000:00:00 00:00:00"}, "2020-01-31T12:00:01"),
        ({"taken_at": "2020:02:31 12:00:01"}, None),
        ({"taken_at": "yesterday"}, None),
        ({"orientation": 1}, None),
    ],
)
def test_the_time_of_the_photo(written: dict[str, str], read: str | None) -> None:
    assert decode(encode(photo(), "JPEG", exif=exif(**written))).taken_at == read  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "block", [b"", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*"]
)
def test_broken_exif_is_ignored(block: bytes) -> None:
    assert decode(encode(photo(), "JPEG", exif=block)).taken_at is None


# Colour


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("1", 1, (255, 255, 255)),
        ("L", 7, (7, 7, 7)),
        ("LA", (0, 0), (255, 255, 255)),
        ("LA", (0, 255), (0, 0, 0)),
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (255, 0, 0, 255), (255, 0, 0)),
        ("RGBA", (255, 0, 0, 51), (255, 204, 204)),
        ("I;16", 0x8080, (128, 128, 128)),
        ("I;16", 0x00FF, (0, 0, 0)),
    ],
)
def test_colors_of_png_modes(mode: str, color: object, expected: tuple[int, ...]) -> None:
    assert set(pixels(decode(one_color(mode, color)).image)) == {expected}


@pytest.mark.parametrize(
    "mode",
    ["1", "L", "P", "PA", "LA", "La", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB", "I", "F"],
)
def test_the_same_photo_in_every_mode_of_pillow_looks_the_same(mode: str) -> None:
    source = photo()
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.applyTransform(source, ImageCms.buildTransform(*profiles, "RGB", "LAB"))
    elif mode in ("PA", "La", "RGBa"):
        image = source.convert({"PA": "P", "La": "LA", "RGBa": "RGBA"}[mode]).convert(mode)
    else:
        image = source.convert(mode)
    assert image is not None
    expected = source.convert("L").convert("RGB") if mode in ("1", "L", "LA", "La", "I", "F") else source
    reduced = [picture.resize((12, 8), Image.Resampling.BOX) for picture in (decode(image).image, expected)]
    assert mean_difference(*reduced) < 6


@pytest.mark.parametrize("format_name", ["JPEG", "TIFF"])
def test_cmyk_files_look_like_their_photo(format_name: str) -> None:
    assert mean_difference(decode(encode(photo().convert("CMYK"), format_name)).image, photo()) < 6


@pytest.mark.parametrize(
    ("mode", "color"),
    [("L", 9), ("RGB", (1, 2, 3)), ("P", 4), ("I;16", 900)],
)
def test_a_transparent_color_becomes_white(mode: str, color: object) -> None:
    data = one_color(mode, color, transparency=color)
    assert set(pixels(decode(data).image)) == {(255, 255, 255)}


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (np.array([0.0, 0.5, 1.0], np.float32), [0, 128, 255]),
        (np.array([0.0, 100.0, 255.0], np.float32), [0, 100, 255]),
        (np.array([0, 1, 255], np.int32), [0, 1, 255]),
        (np.array([0, 257, 65535], np.int32), [0, 1, 255]),
        (np.array([-50.0, 0.0, 50.0], np.float32), [0, 128, 255]),
        (np.array([0, 500_000, 1_000_000], np.int32), [0, 128, 255]),
        (np.array([np.nan, np.inf, 1.0], np.float32), [0, 0, 255]),
        (np.array([-3.0, -3.0], np.float32), [0, 0]),
        (np.array([70000, 70000], np.int32), [0, 0]),
    ],
)
def test_integers_and_floats_are_scaled_by_the_range_they_use(
    levels: np.ndarray, expected: list[int]
) -> None:
    assert scale_to_uint8(levels).tolist() == expected


def swapped_profile() -> bytes:
    """Return an sRGB profile whose red and green primaries change places."""
    profile = SRGB_PROFILE
    return profile.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_color_profile_is_applied(format_name: str) -> None:
    data = encode(Image.new("RGB", (16, 16), (250, 10, 10)), format_name, icc_profile=swapped_profile())
    red, green, blue = pixels(decode(data).image)[0]
    assert green > 240
    assert max(red, blue) < 30


def test_a_profile_on_a_grey_picture_with_alpha_leaves_grey_grey() -> None:
    data = one_color("LA", (90, 255), icc_profile=swapped_profile())
    assert set(pixels(decode(data).image)) == {(90, 90, 90)}


@pytest.mark.parametrize("profile", [b"broken", SRGB_PROFILE[:200], b"\0" * 5_000_000])
def test_broken_and_huge_profiles_are_ignored(profile: bytes) -> None:
    data = encode(photo(), "TIFF", icc_profile=profile)
    assert np.array_equal(decode(data).rgb, np.asarray(photo()))


def test_a_profile_of_another_color_space_is_ignored() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    data = encode(photo(), "PNG", icc_profile=lab)
    assert np.array_equal(decode(data).rgb, np.asarray(photo()))


def test_the_result_carries_no_profile_or_orientation_into_what_is_saved_of_it() -> None:
    data = encode(photo(), "PNG", icc_profile=swapped_profile(), exif=exif(6))
    saved = Image.open(io.BytesIO(encode(decode(data).image, "PNG")))
    assert "icc_profile" not in saved.info
    assert not saved.getexif()


# Animations


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "TIFF", "PNG"])
def test_an_animation_gives_its_first_frame(format_name: str) -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "lime", "blue")]
    options = {"lossless": True} if format_name == "WEBP" else {}
    data = encode(frames[0], format_name, save_all=True, append_images=frames[1:], **options)
    assert set(pixels(decode(data).image)) == {(255, 0, 0)}


def test_an_animated_png_gives_its_default_image() -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "lime", "blue")]
    data = encode(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True)
    assert set(pixels(decode(data).image)) == {(255, 0, 0)}


# Pixels in memory


def test_arrays_of_grey_rgb_and_rgba() -> None:
    rgb = np.asarray(photo())
    assert np.array_equal(decode(rgb).rgb, rgb)
    assert np.array_equal(decode(rgb[::2, ::-1]).rgb, rgb[::2, ::-1])
    assert np.array_equal(decode(rgb[..., 0]).rgb, np.repeat(rgb[..., :1], 3, axis=2))
    clear = np.dstack([rgb, np.zeros(rgb.shape[:2], np.uint8)])
    assert decode(clear).rgb.min() == 255
    assert decode(rgb).format == "pixels"


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    with pytest.raises(InputError, match="array of"):
        decode(array)


def test_other_sources_and_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="a list is no picture"):
        decode([1, 2, 3])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="min_side_px = 0"):
        decode(photo(), min_side_px=0)


def test_the_picture_of_the_caller_is_left_alone_and_shares_no_memory() -> None:
    image = Image.new("RGB", (4, 4), "red")
    image.info["note"] = "kept"
    picture = decode(image)
    image.putpixel((0, 0), (0, 0, 255))
    assert set(pixels(picture.image)) == {(255, 0, 0)}
    assert image.info == {"note": "kept"}


def test_an_opened_pillow_image_is_turned_upright() -> None:
    image = Image.open(io.BytesIO(encode(stored_turned(6), "PNG", exif=exif(6))))
    picture = decode(image)
    assert mean_difference(picture.image, photo()) == 0
    assert (picture.width_px, picture.height_px) == photo().size


def test_a_path_is_read_and_its_errors_are_read_errors(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode(photo()))
    assert np.array_equal(decode(tmp_path / "a.png").rgb, np.asarray(photo()))
    assert decode(str(tmp_path / "a.png")).format == "png"
    with pytest.raises(ReadError, match="no such file"):
        decode(tmp_path / "b.png")
    with pytest.raises(LimitError, match="max_bytes"):
        decode(tmp_path / "a.png", settings=Settings(max_bytes=10))


# Limits and damage


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of_size(width_px: int, height_px: int, *more: bytes) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(b"\0" * 64))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + body + png_chunk(b"IEND", b"")


@pytest.mark.parametrize("min_side_px", [None, 10])
@pytest.mark.parametrize("format_name", WRITABLE_FORMATS)
def test_a_picture_above_max_pixels_fails_with_the_figures(format_name: str, min_side_px: int | None) -> None:
    data = encode(photo(), format_name)
    width_px, height_px = Image.open(io.BytesIO(data)).size
    limit = Settings(max_pixels=width_px * height_px - 1)
    with pytest.raises(LimitError, match=rf"{width_px} x {height_px} = {width_px * height_px:,} pixels"):
        decode(data, min_side_px=min_side_px, settings=limit)
    enough = Settings(max_pixels=width_px * height_px)
    assert decode(data, settings=enough).width_px == width_px


def test_limits_hold_for_pixels_in_memory_and_bombs() -> None:
    with pytest.raises(LimitError):
        decode(photo(), settings=Settings(max_pixels=10))
    with pytest.raises(LimitError, match="60,000 x 60,000"):
        decode(png_of_size(60_000, 60_000))
    with pytest.raises(PictureError):
        decode(png_of_size(0, 10))


@pytest.mark.parametrize(
    "inner", [png_of_size(60_000, 60_000), struct.pack("<IiiHH", 40, 60_000, 60_000, 1, 32) + bytes(40)]
)
def test_an_icon_cannot_smuggle_in_a_larger_picture(inner: bytes) -> None:
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inner), 22)
    with pytest.raises(LimitError, match="60,000 x 60,000"):
        decode(struct.pack("<HHH", 0, 1, 1) + entry + inner)


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_bombs_in_text_and_profiles_are_decode_errors(kind: bytes) -> None:
    bomb = b"name\0\0" + zlib.compress(bytes(80_000_000), 9)
    data = png_of_size(4, 4, png_chunk(kind, bomb))
    with pytest.raises(DecodeError, match="unpacks to far more"):
        decode(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (bytes(5000), "only zero bytes"),
        (b"hello world, this is text", "starts with the bytes 68 65 6c 6c"),
        (b"%PDF-1.7 ...", "not a picture but a PDF document"),
        (b"PK\x03\x04zip", "ZIP archive"),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video or sound file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "this is SVG, a drawing"),
        (b"#?RADIANCE\n", "Radiance HDR"),
        (b"v/1\x01\0\0\0", "OpenEXR"),
        (encode(photo(), "JPEG")[:900], "the file is cut short: its JPEG data ends early"),
        (encode(noise())[:4000], "the file is cut short: its PNG data ends early"),
        (encode(photo(), "TIFF")[:200], "TIFF"),
        (encode(photo(), "WEBP")[:300], "WebP"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"8BPS\0\1", "PSD"),
    ],
)
def test_failures_have_a_reason_a_person_understands(data: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as failure:
        decode(data)
    assert reason in str(failure.value)
    assert "BytesIO" not in str(failure.value)


@pytest.mark.parametrize(
    ("head", "module", "extra"),
    [
        (b"\xff\x0a\xfa\x1f", "pillow_jxl.JpegXLImagePlugin", "jxl"),
        (b"II*\0\x10\0\0\0CR\2\0", "rawpy", "raw"),
    ],
)
def test_a_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, head: bytes, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # type: ignore[arg-type]
    with pytest.raises(DecodeError, match=rf"pip install 'lookalike\[{extra}\]'"):
        decode(head)


def fake_rawpy(preview: Image.Image | None, turned: bool) -> types.SimpleNamespace:
    """Return a stand-in for rawpy that opens everything as one RAW picture of 96 x 64."""

    class Raw:
        sizes = types.SimpleNamespace(width=96, height=64, flip=6 if turned else 0)

        def __enter__(self) -> Raw:
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def extract_thumb(self) -> types.SimpleNamespace:
            if preview is None:
                raise LookupError
            data = encode(preview, "JPEG", quality=95, exif=exif(6 if turned else 1))
            return types.SimpleNamespace(format="jpeg", data=data)

        def postprocess(self, **options: object) -> np.ndarray:
            half = photo(48, 32)
            return np.asarray(half.transpose(Image.Transpose.ROTATE_270) if turned else half)

    return types.SimpleNamespace(
        imread=lambda file: Raw(), LibRawError=LookupError, ThumbFormat=types.SimpleNamespace(JPEG="jpeg")
    )


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("preview_size", [None, (24, 16), (48, 32), (96, 64)])
def test_raw_takes_the_preview_only_when_it_is_large_enough(
    monkeypatch: pytest.MonkeyPatch, preview_size: tuple[int, int] | None, turned: bool
) -> None:
    preview = photo(*preview_size) if preview_size else None
    monkeypatch.setitem(sys.modules, "rawpy", fake_rawpy(preview, turned))  # type: ignore[arg-type]
    picture = decode(b"II*\0\x10\0\0\0CR\2\0")
    expected = (96, 64) if preview_size == (96, 64) else (48, 32)
    assert picture.image.size == (expected[::-1] if turned else expected)
    assert (picture.width_px, picture.height_px) == ((64, 96) if turned else (96, 64))
    assert picture.format == "raw"


def test_jpeg_xl_is_decoded_where_its_package_is_installed() -> None:
    pytest.importorskip("pillow_jxl")
    for size in ((96, 64), (37, 211), (640, 480)):
        data = encode(photo(*size), "JXL")
        assert mean_difference(decode(data).image, photo(*size)) < 5
        with pytest.raises(LimitError, match=f"{size[0]} x {size[1]}"):
            decode(data, settings=Settings(max_pixels=100))


@pytest.mark.parametrize("kind", ["error", "always"])
def test_no_warning_and_no_chatter_of_decoders_gets_out(capfd: pytest.CaptureFixture[str], kind: str) -> None:
    data = bytearray(encode(noise(), "TIFF", compression="tiff_lzw"))
    data[100:2000] = bytes(1900)
    with warnings.catch_warnings(record=kind == "always") as caught:
        warnings.simplefilter(kind)  # type: ignore[arg-type]
        with pytest.raises(DecodeError):
            decode(bytes(data))
    assert not caught
    assert capfd.readouterr() == ("", "")


def test_threads_leave_warnings_and_stderr_as_they_were() -> None:
    filters, stderr = list(warnings.filters), os.fstat(2)
    files = [encode(noise(), "TIFF", compression="tiff_lzw"), encode(photo(), "JPEG"), b"no picture"]

    def work() -> None:
        for data in files * 5:
            try:
                decode(data)
            except DecodeError:
                continue

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == filters
    assert os.path.samestat(os.fstat(2), stderr)


# Hostile files

SMALL_FILES = {name: encode(photo(24, 16), name, exif=exif(6, "2020:01:31 12:00:01"))
               for name in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")}  # fmt: skip
SMALL_FILES |= {name: encode(photo(24, 16), name) for name in WRITABLE_FORMATS if name not in SMALL_FILES}
SMALL_FILES["TIFF LZW"] = encode(photo(24, 16), "TIFF", compression="tiff_lzw", icc_profile=SRGB_PROFILE)
SMALL_FILES["CMYK"] = encode(photo(24, 16).convert("CMYK"), "JPEG", icc_profile=SRGB_PROFILE)
SMALL_FILES["APNG"] = encode(photo(24, 16), save_all=True, append_images=[noise(24, 16)])


def outcome(data: bytes) -> str:
    """Return the reason of the failure, or the mode; every other exception fails the test."""
    try:
        return decode(data, min_side_px=8, settings=Settings(max_pixels=20_000_000)).image.mode
    except PictureError as error:
        return str(error)


@pytest.mark.parametrize("name", SMALL_FILES)
@settings(max_examples=40)
@given(random=st.randoms(use_true_random=False))
def test_damaged_files_only_ever_give_a_picture_or_a_picture_error(name: str, random: Random) -> None:
    data = bytearray(SMALL_FILES[name])
    for _ in range(random.randint(1, 6)):
        data[random.randrange(len(data))] = random.randrange(256)
    if random.random() < 0.3:
        del data[random.randrange(len(data)) :]
    assert outcome(bytes(data))


@given(st.binary(max_size=64))
def test_any_bytes_give_a_picture_or_a_picture_error(data: bytes) -> None:
    assert outcome(data)


@pytest.mark.skipif(not AWKWARD.is_dir(), reason="the collection of awkward files is not here")
def test_awkward_files_give_a_picture_or_a_picture_error(capfd: pytest.CaptureFixture[str]) -> None:
    paths = [path for path in AWKWARD.rglob("*") if path.is_file()]
    outcomes = [outcome(path.read_bytes()) for path in paths]
    reasons = [text for text in outcomes if text != "RGB"]
    assert len(reasons) < len(paths) / 5
    assert not any("BytesIO" in reason for reason in reasons)
    assert capfd.readouterr() == ("", "")
