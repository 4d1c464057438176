"""The proof of a pair, drawn: both pictures side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.proving.verify import Verification
from lookalike.records.proof import Proof

if TYPE_CHECKING:
    from PIL.Image import Image

PANEL_PX = 640
GAP_PX = 12
MAX_DRAWN_POINTS = 40
OUTLINE_COLOUR = (255, 64, 32)
DIFFERS_COLOUR = (255, 0, 200)
LINE_COLOUR = (64, 220, 96)


def draw_proof(first: Image, second: Image, verification: Verification, proof: Proof | None = None) -> Image:
    """Draw two pictures side by side with their overlap, the points that agree, and what differs.

    Parameters
    ----------
    first, second : PIL images    in the order of `verify`, upright and at their original sizes
    verification : Verification
    proof : Proof                 what a closer look says of the pair; its outlines of what differs are drawn

    Returns
    -------
    PIL image of mode RGB    the overlap and what differs outlined in both, some points joined by lines
    """
    from PIL import Image as PillowImage
    from PIL import ImageDraw

    factors = [PANEL_PX / max(image.size) for image in (first, second)]
    panels = [
        image.convert("RGB").resize([max(1, round(side * factor)) for side in image.size])
        for image, factor in zip((first, second), factors, strict=True)
    ]
    lefts = (0, panels[0].width + GAP_PX)
    size = lefts[1] + panels[1].width, max(panel.height for panel in panels)
    drawn = PillowImage.new("RGB", size, "white")
    for panel, left in zip(panels, lefts, strict=True):
        drawn.paste(panel, (left, 0))

    def on_sheet(which: int, points: Any) -> list[tuple[float, float]]:
        placed = np.asarray(points, np.float64).reshape(-1, 2) * factors[which] + (lefts[which], 0)
        return [(float(x), float(y)) for x, y in placed]

    pen = ImageDraw.Draw(drawn)
    step = max(1, len(verification.points_first) // MAX_DRAWN_POINTS)
    ends = (on_sheet(0, verification.points_first[::step]), on_sheet(1, verification.points_second[::step]))
    for start, end in zip(*ends, strict=True):
        pen.line((start, end), fill=LINE_COLOUR)
        for x, y in (start, end):
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), outline=LINE_COLOUR)
    for which, polygon in enumerate((verification.overlap_first, verification.overlap_second)):
        if polygon:
            pen.polygon(on_sheet(which, polygon), outline=OUTLINE_COLOUR, width=4)
    if proof is not None:
        for which, outlines in enumerate((proof.differs_first, proof.differs_second)):
            for outline in outlines:
                pen.polygon(on_sheet(which, outline), outline=DIFFERS_COLOUR, width=3)
    return drawn
