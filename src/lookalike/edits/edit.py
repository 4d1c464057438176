"""What an edit is: a name, a grade, and a way to make the edited copy of a picture."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from lookalike.errors import InputError

Maker = Callable[[Image.Image, np.random.Generator, Sequence[Image.Image]], Image.Image]
"""Makes the edited copy of an RGB picture, from chance and from other pictures where it needs them."""


@dataclass(frozen=True)
class Edit:
    """One edit of one strength.

    Parameters
    ----------
    name : str
        The kind of edit; all its grades share it.
    grade : str
        How strong, in the edit's own unit; empty where there is only one.
    make : callable
        ``(image, rng, neighbours)`` -> new RGB image; see `apply_edit`, which also seeds it.
    """

    name: str
    grade: str
    make: Maker

    @property
    def label(self) -> str:
        """Name and grade: unique in each collection of edits."""
        return f"{self.name} {self.grade}".strip()


def apply_edit(
    image: Image.Image, edit: Edit, *, seed: int, key: str, neighbours: Sequence[Image.Image] = ()
) -> Image.Image:
    """Make the edited copy of a picture.

    What is left to chance (where a crop lies, the noise) follows from `seed`, `key` and the edit's label
    alone: the same picture gets the same copy in whatever order, process or machine it is edited.

    Parameters
    ----------
    image : RGB image
        Not changed.
    edit : Edit
    seed : int
        Of the whole run.
    key : str
        Of this picture, such as its path or digest.
    neighbours : RGB images
        Other pictures, for a collage's other cells; where there are too few, cells are filled with
        plain shades.

    Returns
    -------
    RGB image
        Of any size, at least 1 x 1.

    Raises
    ------
    InputError
        The picture is not RGB.
    """
    if image.mode != "RGB":
        raise InputError(f'Edits take RGB pictures, not {image.mode}; call convert("RGB") or decode() first.')
    return edit.make(image, _generator(seed, key, edit.label), neighbours)


def on_picture(name: str, grade: str, function: Callable[[Image.Image], Image.Image]) -> Edit:
    """Return an edit that needs the picture alone."""
    return Edit(name, grade, partial(_from_picture, function))


def with_chance(
    name: str, grade: str, function: Callable[[Image.Image, np.random.Generator], Image.Image]
) -> Edit:
    """Return an edit that leaves something to chance."""
    return Edit(name, grade, partial(_from_picture_and_chance, function))


def one_after_another(name: str, grade: str, edits: Sequence[Edit]) -> Edit:
    """Return the edit that makes all of these, each on the copy of the one before."""
    return Edit(name, grade, partial(_from_steps, tuple(edit.make for edit in edits)))


# Functions of the module and no closures, so that an edit can be sent to a worker process.
def _from_picture(
    function: Callable[[Image.Image], Image.Image],
    image: Image.Image,
    _rng: np.random.Generator,
    _neighbours: Sequence[Image.Image],
) -> Image.Image:
    return function(image)


def _from_picture_and_chance(
    function: Callable[[Image.Image, np.random.Generator], Image.Image],
    image: Image.Image,
    rng: np.random.Generator,
    _neighbours: Sequence[Image.Image],
) -> Image.Image:
    return function(image, rng)


def _from_steps(
    makers: tuple[Maker, ...],
    image: Image.Image,
    rng: np.random.Generator,
    neighbours: Sequence[Image.Image],
) -> Image.Image:
    for make in makers:
        image = make(image, rng, neighbours)
    return image


def _generator(seed: int, key: str, label: str) -> np.random.Generator:
    text = f"{seed}\0{key}\0{label}".encode(errors="surrogateescape")
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text).digest()[:16], "big"))
