"""What a file holds beyond the one opaque 8-bit sRGB picture that all comparing is done with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from lookalike.records.recipe import Recipe

BEYOND = Recipe("beyond", 1)
"""What it is kept under in a gallery."""


@dataclass(frozen=True)
class Beyond:
    """What is lost where a file is taken for its first picture in opaque 8-bit sRGB.

    Nothing of it is seen by hashes, embedding or keypoints, so two files that look equal may differ in it. The
    one that holds less must not stand for the one that holds more.

    Parameters
    ----------
    has_transparency : bool    some part of it is not opaque
    depth_bits : int           of one channel, as far as the levels use it: 8, or up to 32
    has_wide_colors : bool     its profile holds colours beyond sRGB
    n_pictures : int           frames, pages, views; previews of the one picture do not count
    n_layers : int             of a layered document; 0 where there are none
    has_gain_map : bool        a map that makes an HDR picture of it
    has_film : bool            the moving part of a motion photo
    has_more : bool            bytes behind the picture that are none of these
    """

    has_transparency: bool = False
    depth_bits: int = 8
    has_wide_colors: bool = False
    n_pictures: int = 1
    n_layers: int = 0
    has_gain_map: bool = False
    has_film: bool = False
    has_more: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """What it holds, as in "transparency"; empty for an ordinary picture."""
        return self.beside(Beyond())

    def beside(self, other: Beyond) -> tuple[str, ...]:
        """Return in words what this holds and the other one lacks; empty where that is nothing."""
        more = self.n_pictures - 1
        held = (
            (self.has_transparency and not other.has_transparency, "transparency"),
            (self.depth_bits > other.depth_bits, f"{self.depth_bits} bits a channel"),
            (self.has_wide_colors and not other.has_wide_colors, "colours beyond sRGB"),
            (self.n_pictures > other.n_pictures, f"{more} further picture{'s' * (more > 1)}"),
            (self.n_layers > other.n_layers, f"{self.n_layers} layers"),
            (self.has_gain_map and not other.has_gain_map, "a gain map for HDR screens"),
            (self.has_film and not other.has_film, "a film"),
            (self.has_more and not other.has_more, "data behind the picture"),
        )
        return tuple(words for is_so, words in held if is_so)

    def to_bytes(self) -> bytes:
        """Return it as it is kept in a gallery."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Beyond:
        """Return what `to_bytes` wrote; fields that are not known any more are passed over."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in json.loads(data).items() if name in known})
