"""The collections of edits: the standard twenty, all grades, and the ten of a published table."""

from __future__ import annotations

from functools import cache, partial

from lookalike.edits import geometry, overlays, quality, scenes, tone
from lookalike.edits.edit import Edit, on_picture, one_after_another, with_chance

EDITS_VERSION = 2
"""Raised whenever an edit of the same name and grade makes another picture than before."""


@cache
def standard_edits() -> tuple[Edit, ...]:
    """Return twenty edits, one or a few grades of each kind: enough to see where a method breaks."""
    return (
        on_picture("jpeg", "20", partial(quality.jpeg, quality=20)),
        on_picture("1/4 size", "", geometry.quarter_size),
        with_chance("crop", "90 %", partial(geometry.crop, share=0.9)),
        with_chance("crop", "50 %", partial(geometry.crop, share=0.5)),
        with_chance("crop", "25 %", partial(geometry.crop, share=0.25)),
        with_chance("pad", ".2", partial(geometry.pad, share=0.2)),
        on_picture("4 deg", "", partial(geometry.turn, degrees=4)),
        on_picture("25 deg", "", partial(geometry.turn, degrees=25)),
        on_picture("90 deg", "", partial(geometry.turn_quarters, quarters=1)),
        on_picture("mirror", "", geometry.mirror),
        on_picture("flip", "", geometry.flip),
        on_picture("grey", "", tone.grey),
        on_picture("gamma", "2", partial(tone.gamma, exponent=2)),
        on_picture("blur", "3", partial(quality.blur, sigma_px=3)),
        with_chance("noise", "40", partial(quality.noise, levels=40)),
        on_picture("banner + text", "", overlays.banner_and_text),
        Edit("1 of 4 in a collage", "", partial(scenes.collage, columns=2, rows=2)),
        with_chance("screenshot", "", scenes.window_screenshot),
        with_chance("photo of a print", "", scenes.photo_of_print),
        on_picture("colour filter", "", partial(tone.color_filter, name="warm")),
    )


@cache
def graded_edits() -> tuple[Edit, ...]:
    """Return all edits in all grades, kind by kind, the milder grades of a kind first.

    Units: JPEG quality; factors of the sides, the contrast, brightness and saturation; share of the area a
    crop keeps; share of the longer side of a border; degrees to the left; exponent of a gamma; standard
    deviation of a blur in pixels and of noise in levels of 255.
    """
    return (*_geometric_edits(), *_tone_edits(), *_quality_edits(), *_overlay_edits(), *_combinations())


@cache
def perception_edits() -> tuple[Edit, ...]:
    """Return the ten edits of the robustness table that the hashing library perception publishes.

    They follow its documentation (https://perception.thorn.engineering, "Benchmarking"), which makes them
    with imgaug. There, JPEG compression 95 is a strength and means quality 7, padding is black above and
    below, 5 % are cropped off each side, and noise is the same in all channels.
    """
    return (
        on_picture("blur2", "", partial(quality.blur, sigma_px=2)),
        on_picture("crop0.05", "", partial(geometry.crop_sides, share=0.05)),
        on_picture("gamma2", "", partial(tone.gamma, exponent=2)),
        on_picture("jpeg95", "", partial(quality.jpeg, quality=7)),
        with_chance("noise0.2", "", partial(quality.grey_noise, levels=0.2 * 255)),
        on_picture("pad0.2", "", partial(geometry.pad_bars, share=0.2)),
        on_picture("resize0.5", "", partial(geometry.scale, factor=0.5)),
        on_picture("rotate4", "", partial(geometry.turn, degrees=-4)),
        on_picture("vignette", "", partial(overlays.vignette, sigma=0.5)),
        on_picture("watermark", "", overlays.stamp),
    )


def _geometric_edits() -> tuple[Edit, ...]:
    uneven = (("wide 50 %", 1.0, 0.5), ("tall 50 %", 0.5, 1.0), ("strip 30 %", 1.0, 0.3))
    return (
        *(
            on_picture("scale", grade, partial(geometry.scale, factor=float(grade)))
            for grade in (".75", ".5", ".25", ".125", "2")
        ),
        on_picture("squeeze", ".7", partial(geometry.squeeze, factor=0.7)),
        *(
            with_chance("crop", f"{percent} %", partial(geometry.crop, share=percent / 100))
            for percent in (95, 90, 75, 50, 25)
        ),
        on_picture("crop", "5 % a side", partial(geometry.crop_sides, share=0.05)),
        *(
            with_chance("crop", grade, partial(geometry.crop_uneven, width_share=width, height_share=height))
            for grade, width, height in uneven
        ),
        *(
            with_chance("pad", grade, partial(geometry.pad, share=float(grade)))
            for grade in (".05", ".2", ".5")
        ),
        on_picture("pad", "bars .2", partial(geometry.pad_bars, share=0.2)),
        *(
            on_picture("turn", grade, partial(geometry.turn, degrees=float(grade)))
            for grade in ("1", "4", "10", "25", "45")
        ),
        *(
            on_picture("turn", str(90 * quarters), partial(geometry.turn_quarters, quarters=quarters))
            for quarters in (1, 2, 3)
        ),
        on_picture("straighten", "5", partial(geometry.straighten, degrees=5)),
        on_picture("mirror", "", geometry.mirror),
        on_picture("flip", "", geometry.flip),
        *(
            with_chance("perspective", grade, partial(geometry.perspective, strength=strength))
            for grade, strength in (("mild", 0.1), ("medium", 0.2), ("strong", 0.35))
        ),
    )


def _tone_edits() -> tuple[Edit, ...]:
    return (
        on_picture("grey", "", tone.grey),
        *(
            on_picture("gamma", grade, partial(tone.gamma, exponent=float(grade)))
            for grade in (".7", ".5", "1.5", "2")
        ),
        *(
            on_picture("contrast", grade, partial(tone.contrast, factor=float(grade)))
            for grade in (".7", ".4", "1.5", "2.5")
        ),
        *(
            on_picture("brightness", grade, partial(tone.brightness, factor=float(grade)))
            for grade in (".7", ".4", "1.3", "1.8")
        ),
        *(
            on_picture("saturation", grade, partial(tone.saturation, factor=float(grade)))
            for grade in (".5", "1.5", "3")
        ),
        *(on_picture("hue", grade, partial(tone.hue, degrees=float(grade))) for grade in ("15", "60", "180")),
        *(on_picture("colour filter", name, partial(tone.color_filter, name=name)) for name in tone.FILTERS),
    )


def _quality_edits() -> tuple[Edit, ...]:
    return (
        *(
            on_picture("jpeg", grade, partial(quality.jpeg, quality=int(grade)))
            for grade in ("95", "80", "50", "20", "10", "5")
        ),
        *(
            on_picture("blur", grade, partial(quality.blur, sigma_px=float(grade)))
            for grade in ("1", "2", "3", "5")
        ),
        *(
            on_picture("sharpen", f"{percent} %", partial(quality.sharpen, percent=percent))
            for percent in (100, 300)
        ),
        *(
            with_chance("noise", grade, partial(quality.noise, levels=float(grade)))
            for grade in ("10", "25", "40")
        ),
        with_chance("noise", ".2", partial(quality.grey_noise, levels=0.2 * 255)),
    )


def _overlay_edits() -> tuple[Edit, ...]:
    return (
        *(
            on_picture("vignette", grade, partial(overlays.vignette, sigma=sigma))
            for grade, sigma in (("mild", 0.5), ("strong", 0.3))
        ),
        *(
            with_chance("banner", grade, partial(overlays.banner, share=float(grade)))
            for grade in (".1", ".25")
        ),
        *(
            with_chance("text", grade, partial(overlays.text, share=share))
            for grade, share in (("small", 0.4), ("large", 0.95))
        ),
        *(with_chance("logo", grade, partial(overlays.logo, share=float(grade))) for grade in (".15", ".35")),
        *(
            on_picture("watermark", grade, partial(overlays.watermark, opacity=opacity))
            for grade, opacity in (("faint", 0.2), ("strong", 0.5))
        ),
        with_chance("screenshot", "window", scenes.window_screenshot),
        with_chance("screenshot", "phone", scenes.phone_screenshot),
        with_chance(
            "photo of a print", "mild", partial(scenes.photo_of_print, tilt=0.07, light=0.12, noise=2)
        ),
        with_chance("photo of a print", "medium", scenes.photo_of_print),
        with_chance(
            "photo of a print", "strong", partial(scenes.photo_of_print, tilt=0.22, light=0.4, noise=8)
        ),
        *(
            Edit("collage", str(columns * rows), partial(scenes.collage, columns=columns, rows=rows))
            for columns, rows in ((2, 1), (2, 2), (3, 3))
        ),
    )


def _combinations() -> tuple[Edit, ...]:
    """Return edits that follow each other, as they do when a picture is passed on from hand to hand."""
    steps = {edit.label: edit for edit in (*_geometric_edits(), *_tone_edits(), *_quality_edits())}
    steps |= {edit.label: edit for edit in _overlay_edits()}
    table = {
        "crop + text + jpeg": (
            ("crop 90 %", "text small", "jpeg 80"),
            ("crop 75 %", "text large", "jpeg 50"),
            ("crop 50 %", "text large", "jpeg 20"),
        ),
        "mirror + grey + scale": (
            ("mirror", "saturation .5", "scale .75"),
            ("mirror", "grey", "scale .5"),
            ("mirror", "grey", "contrast 1.5", "scale .25"),
        ),
        "filter + banner + screenshot": (
            ("colour filter faded", "banner .1"),
            ("colour filter cold", "banner .1", "screenshot phone"),
            ("colour filter warm", "banner .25", "screenshot window", "jpeg 20"),
        ),
        "turn + pad + noise": (
            ("turn 1", "pad .05", "noise 10"),
            ("straighten 5", "pad .2", "noise 25"),
            ("turn 25", "pad .2", "noise 40", "scale .5"),
        ),
    }
    return tuple(
        one_after_another(name, grade, [steps[label] for label in labels])
        for name, grades in table.items()
        for grade, labels in zip(("mild", "medium", "strong"), grades, strict=True)
    )
