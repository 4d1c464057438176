"""What a calibration found, as JSON has it; docs/calibration.md explains the fields."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lookalike.answers.search import FullPromiseAnswer
from lookalike.calibration.record import CalibrationReport
from lookalike.records.calibration import Calibration, Check, Promised, WayCalibration
from lookalike.records.failure import Failure


@dataclass(frozen=True)
class CheckAnswer:
    """How a promise held for pictures that its threshold was not fitted on; None where nothing was returned."""

    precision: float
    achieved: float | None
    achieved_at_least: float
    true: int
    false: int
    recall: float
    nothing_found: float

    @classmethod
    def of(cls, check: Check) -> CheckAnswer:
        """Return a check as it is printed."""
        return cls(
            precision=check.precision,
            achieved=None if math.isnan(check.achieved) else round(check.achieved, 5),
            achieved_at_least=round(check.bound, 5),
            true=check.n_true,
            false=check.n_false,
            recall=round(check.recall, 4),
            nothing_found=round(check.silence, 4),
        )


@dataclass(frozen=True)
class WayAnswer:
    """One way of searching, calibrated; `map` has pairs of a relative score and its probability."""

    queries: int
    strangers: int
    background: float
    promises: tuple[FullPromiseAnswer, ...]
    checks: tuple[CheckAnswer, ...]
    map: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, name: str, way: WayCalibration) -> WayAnswer:
        """Return a way as it is printed."""
        knots = zip(way.map.scores, way.map.probabilities, strict=True)
        return cls(
            queries=way.n_queries,
            strangers=way.n_false,
            background=round(way.background, 4),
            promises=tuple(FullPromiseAnswer.of(Promised(name, one, "gallery")) for one in way.promises),
            checks=tuple(CheckAnswer.of(check) for check in way.checks),
            map=tuple((round(score, 6), round(probability, 6)) for score, probability in knots),
        )


@dataclass(frozen=True)
class CalibrationAnswer:
    """What `calibrate --json` prints."""

    made_at: str
    contents: int
    pictures: int
    edits: tuple[str, ...]
    seed: int
    left_out: int
    doubtful: int
    too_small_or_plain: int
    unsettled: int
    asked: int
    ways: Mapping[str, WayAnswer]
    failed: tuple[Failure, ...]
    seconds: float

    @classmethod
    def of(cls, report: CalibrationReport) -> CalibrationAnswer:
        """Return a report as it is printed."""
        found = report.calibration
        return cls(
            made_at=found.made_at,
            contents=found.n_contents,
            pictures=found.n_pictures,
            edits=found.edits,
            seed=found.seed,
            left_out=found.n_left_out,
            doubtful=found.n_doubtful,
            too_small_or_plain=found.n_untelling,
            unsettled=found.n_unsettled,
            asked=report.n_asked,
            ways={name: WayAnswer.of(name, way) for name, way in found.ways.items()},
            failed=tuple(report.failed),
            seconds=round(report.seconds, 1),
        )


@dataclass(frozen=True)
class CalibratedAnswer:
    """What a server's calibration came to: what is printed of it, and the whole of what is kept.

    Parameters
    ----------
    printed : CalibrationAnswer
    record : mapping
        The `Calibration`, as it is kept with the gallery.
    example_way : str
        The default way of the gallery.
    """

    printed: CalibrationAnswer
    record: Mapping[str, Any]
    example_way: str

    @classmethod
    def of(cls, report: CalibrationReport) -> CalibratedAnswer:
        """Return a report as it is sent."""
        return cls(CalibrationAnswer.of(report), json.loads(report.calibration.to_text()), report.example_way)

    def report(self) -> CalibrationReport:
        """Return the report, without its samples and examples."""
        return CalibrationReport(
            Calibration.from_text(json.dumps(self.record)),
            {},
            (),
            self.example_way,
            self.printed.failed,
            self.printed.asked,
            self.printed.seconds,
        )
