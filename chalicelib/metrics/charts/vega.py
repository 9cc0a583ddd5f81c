"""Parts of all charts: a palette for colour-blind readers, numbers as text, the frame of a spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chalicelib.core.money import minor_digits
from chalicelib.metrics.rollups.sources.fields import Unit
from chalicelib.metrics.thresholds import Status, status_of
from chalicelib.models.dashboards.metric_enums import Direction
from chalicelib.models.dashboards.metrics import Metric

Spec = dict[str, Any]
"""A Vega-Lite v6 view, as JSON values."""

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, YELLOW = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#F0E442",
)
"""The palette of Okabe and Ito."""
INK, QUIET, FAINT = "#1F2933", "#6B7280", "#E5E7EB"
LETTER_WIDTH = 0.62
"""Width of a character, as a part of the size of its font."""
CATEGORIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW)
STATUS_COLORS: Mapping[Status, str] = {
    Status.NORMAL: GREEN,
    Status.WARNING: ORANGE,
    Status.CRITICAL: VERMILLION,
}

_NAMED = {
    "amber": ORANGE,
    "blue": BLUE,
    "cyan": SKY,
    "gray": QUIET,
    "green": GREEN,
    "grey": QUIET,
    "orange": ORANGE,
    "pink": PURPLE,
    "purple": PURPLE,
    "red": VERMILLION,
    "sky": SKY,
    "teal": GREEN,
    "yellow": YELLOW,
}
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
_SUFFIXES: Mapping[Unit, str] = {Unit.HOURS: "h", Unit.PERCENT: "%"}
_DIGITS = 2


@dataclass(frozen=True)
class Subject:
    """The subject of a chart, with the format of its numbers."""

    title: str
    unit: Unit
    currency: str
    """The organization's currency."""
    color: str = BLUE
    suffix: str | None = None
    """Follows each number, instead of the unit's suffix."""
    direction: Direction = Direction.DOWN
    target: Decimal | None = None
    warning: Decimal | None = None
    critical: Decimal | None = None

    @classmethod
    def of(cls, metric: Metric, unit: Unit, currency: str, limits: Mapping[str, Decimal | None], title: str) -> Subject:
        """Build the subject of a metric; `limits` are those of `results.limits`."""
        return cls(
            title=title,
            unit=unit,
            currency=currency,
            color=_color(metric.color),
            suffix=metric.unit,
            direction=metric.direction,
            **limits,
        )

    @property
    def behind(self) -> str:
        """The suffix of each number, with a space before it."""
        own = self.currency if self.unit is Unit.MONEY else _SUFFIXES.get(self.unit, "")
        suffix = self.suffix or own
        return f" {suffix}" if suffix else ""

    def text(self, value: Decimal | None, *, signed: bool = False) -> str:
        """Format a value for readers: `1,234.50 EUR`, `37.5 h`, `12`."""
        if value is None:
            return "–"
        digits = minor_digits(self.currency) if self.unit is Unit.MONEY else _DIGITS
        number = f"{value:{'+' if signed else ''},.{digits}f}"
        if self.unit is not Unit.MONEY and "." in number:
            number = number.rstrip("0").rstrip(".")
        return number + self.behind

    def status(self, value: Decimal) -> Status:
        limits = {"warning": self.warning, "critical": self.critical, "target": self.target}
        return status_of(value, direction=self.direction, **limits) or Status.NORMAL

    def reached_at(self, threshold: Decimal | None) -> tuple[Decimal, ...]:
        """Return the values at a threshold; in a band, one on each side of the target."""
        if threshold is None:
            return ()
        if self.direction is not Direction.BAND:
            return (threshold,)
        return () if self.target is None else (self.target - threshold, self.target + threshold)

    @property
    def axis(self) -> Spec:
        """The axis of the values: round numbers with their unit."""
        return {
            "title": None,
            "tickCount": 5,
            "labelExpr": f"format(datum.value, ',.2~f') + {_quoted(self.behind)}",
        }


def _color(name: str) -> str:
    """Return the palette colour of a common name, `#rrggbb` unchanged, else the first palette colour."""
    if len(name) == 7 and name.startswith("#") and _HEX_DIGITS.issuperset(name[1:]):
        return name
    return _NAMED.get(name.lower(), BLUE)


def _quoted(text: str) -> str:
    """Quote a text for a Vega expression. Suffixes come from users: escaped, they cannot be code."""
    escaped = "".join(f"\\u{ord(char):04x}" if not char.isalnum() and char != " " else char for char in text)
    return f"'{escaped}'"


def framed(subject: Subject, subtitle: str | None, description: str, layers: Sequence[Spec], **more: Any) -> Spec:
    """Return a whole view, as wide as its container."""
    title: Spec = {"text": subject.title}
    if subtitle:
        title["subtitle"] = subtitle
    return {
        "$schema": SCHEMA,
        "title": title,
        "description": description,
        "width": "container",
        "height": 240,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": [{}]},  # for marks that are drawn once
        **more,
        "layer": list(layers),
        "config": _CONFIG,
    }


def no_data(subject: Subject) -> Spec:
    """Return the view of a chart without data."""
    text = {
        "mark": {"type": "text", "color": QUIET, "fontSize": 13},
        "encoding": {"text": {"value": "no data"}},
    }
    return framed(subject, None, f"{subject.title}: no data.", [text], height=80)


_CONFIG: Spec = {
    "font": "Inter, system-ui, Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    "title": {
        "anchor": "start",
        "color": INK,
        "fontSize": 15,
        "fontWeight": 600,
        "offset": 14,
        "subtitleColor": QUIET,
        "subtitleFontSize": 12,
        "subtitlePadding": 4,
    },
    "axis": {
        "domainColor": FAINT,
        "gridColor": FAINT,
        "labelColor": QUIET,
        "labelFontSize": 11,
        "tickColor": FAINT,
        "titleColor": QUIET,
    },
    "legend": {"labelColor": QUIET, "labelFontSize": 11, "symbolStrokeWidth": 3},
}
