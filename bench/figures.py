"""Figures beside what they should reach, and the table of them. Pure; leaves measuring to the other modules."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

HEADINGS = ("measure", "figure", "reach", "reached")


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What a figure should reach.

    Attributes:
        limit: in the figure's unit.
        at_least: whether more is better.

    """

    limit: float
    at_least: bool = False

    def reached_by(self, value: float) -> bool:
        """Tell whether a value is good enough; the limit itself is."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured figure.

    Attributes:
        measure: what was measured.
        value: in `unit`.
        unit: such as "s"; empty for a ratio.
        reach: None where it is only told.
        details: what the value is made of.

    """

    measure: str
    value: float
    unit: str = ""
    reach: Reach | None = None
    details: str = ""

    def row(self) -> tuple[str, str, str, str]:
        """Return the figure's line of the table."""
        details = f" ({self.details})" if self.details else ""
        return self.measure, self._text(self.value) + details, self._wanted(), self._verdict()

    def _text(self, value: float) -> str:
        return f"{value:.1f}".removesuffix(".0") + f" {self.unit}" if self.unit else f"{value:.2f}"

    def _wanted(self) -> str:
        if self.reach is None:
            return ""
        return f"at {'least' if self.reach.at_least else 'most'} {self._text(self.reach.limit)}"

    def _verdict(self) -> str:
        if self.reach is None:
            return ""
        return "yes" if self.reach.reached_by(self.value) else "**no**"


def at_most(limit: float) -> Reach:
    """Return the reach of a figure that should be small."""
    return Reach(limit=limit)


def at_least(limit: float) -> Reach:
    """Return the reach of a figure that should be large."""
    return Reach(limit=limit, at_least=True)


def ratio(measure: str, over: Sequence[float], under: Sequence[float], reach: Reach | None, unit: str) -> Figure:
    """Return the median ratio of two series in `unit` that were measured in turn.

    Each pair is a moment of the machine's, which is faster and slower by the minute.
    """
    value = statistics.median(one / other for one, other in zip(over, under, strict=True))
    details = f"{_short(statistics.median(over))} over {_short(statistics.median(under))} {unit}, {len(over)} pairs"
    return Figure(measure=measure, value=value, reach=reach, details=details)


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004 - three digits are enough


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table in Markdown, with a last line that says how many miss their reach."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *(figure.row() for figure in figures)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    missed = [figure.measure for figure in figures if figure.reach and not figure.reach.reached_by(figure.value)]
    verdict = f"Missed: {'; '.join(missed)}." if missed else "Every figure reaches what it should."
    return "\n".join([*lines, "", verdict])
