"""Vega-Lite specs of metrics: over time, by group, as shares of a whole, on a gauge, as a number. Data inline.

Days are of the organization's calendar, sent as dates and read as UTC: an axis shows the same days in every time zone.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from chalicelib.metrics.charts.vega import (
    CATEGORIES,
    GREEN,
    INK,
    LETTER_WIDTH,
    ORANGE,
    QUIET,
    VERMILLION,
    Spec,
    Subject,
    framed,
    no_data,
)
from chalicelib.metrics.language.outcomes import Group, ranked
from chalicelib.metrics.language.periods import Step

MAX_BARS = 15
"""Limit of bars; the greatest groups are shown."""
MAX_SHARES = len(CATEGORIES)

_POINTS_MARKED = 31
_BAR_WIDTH = "min(64, bandwidth('x') * 0.9)"
_BAR_PIXELS = 28
_RING_PIXELS = 260
_RING, _HOLE = "min(width, height) * 0.5", 0.35
_NAME_LETTERS = 28
_TIME_UNITS = {Step.DAY: "utcyearmonthdate", Step.WEEK: "utcyearmonthdate", Step.MONTH: "utcyearmonth"}
_AXIS_FORMATS = {Step.DAY: "%-d %b", Step.WEEK: "%-d %b", Step.MONTH: "%b %Y"}
_TOOLTIP_FORMATS = {Step.DAY: "%a %-d %b %Y", Step.WEEK: "week from %-d %b %Y", Step.MONTH: "%B %Y"}


@dataclass(frozen=True)
class Moment:
    """The value of one step of a series, dated by its first day."""

    day: date
    value: Decimal | None


@dataclass(frozen=True)
class Series:
    name: str
    moments: Sequence[Moment]


# -- over time -------------------------------------------------------------------------------------------------------


def over_time(
    subject: Subject,
    kind: Literal["area", "bar", "line"],
    step: Step,
    current: Series,
    previous: Series | None = None,
    *,
    with_limits: bool = False,
) -> Spec:
    """Draw a time series. `previous` is a dashed line whose n-th value is at the n-th current one.

    `with_limits` adds lines for target and thresholds; they must apply to values of one step.
    """
    if not current.moments:
        return no_data(subject)
    color = {
        "domain": [current.name] if previous is None else [current.name, previous.name],
        "range": [subject.color, INK],
    }
    legend = None if previous is None else {"title": None, "orient": "top", "direction": "horizontal", "offset": 4}
    layers = [series_layer(subject, kind, step, current, color, legend)]
    if previous is not None:
        layers.append(series_layer(subject, "previous", step, previous, color, legend))
    if with_limits:
        layers += limit_layers(subject)
    days = [date_text(step, moment.day) for moment in current.moments]
    return framed(
        subject,
        f"by {step}, {' to '.join(dict.fromkeys([days[0], days[-1]]))}",
        series_description(subject, step, current),
        layers,
    )


def series_layer(subject: Subject, kind: str, step: Step, series: Series, color: Spec, legend: Spec | None) -> Spec:
    return {
        "data": {"values": [point(subject, series.name, moment) for moment in series.moments]},
        "mark": mark_of(kind, len(series.moments)),
        "encoding": {
            "x": {
                "field": "day",
                "type": "ordinal",
                "timeUnit": _TIME_UNITS[step],
                "title": None,
                "axis": {
                    "format": _AXIS_FORMATS[step],
                    "grid": False,
                    "labelAngle": 0,
                    "labelBound": True,
                    "labelOverlap": "greedy",
                    "labelSeparation": 8,
                },
            },
            "y": {"field": "value", "type": "quantitative", "axis": subject.axis},
            "color": {"field": "series", "type": "nominal", "scale": color, "legend": legend},
            "tooltip": [
                {
                    "field": "day",
                    "type": "ordinal",
                    "timeUnit": _TIME_UNITS[step],
                    "format": _TOOLTIP_FORMATS[step],
                    "title": step.capitalize(),
                },
                {"field": "text", "type": "nominal", "title": series.name},
            ],
        },
    }


def point(subject: Subject, series: str, moment: Moment) -> Spec:
    return {
        "series": series,
        "day": moment.day.isoformat(),
        "value": None if moment.value is None else float(moment.value),
        "text": subject.text(moment.value),
    }


def mark_of(kind: str, count: int) -> Spec:
    has_points = count <= _POINTS_MARKED
    match kind:
        case "bar":
            return {"type": "bar", "cornerRadiusEnd": 3, "width": {"expr": _BAR_WIDTH}}
        case "area":
            return {"type": "area", "line": {"strokeWidth": 2.5}, "fillOpacity": 0.2, "point": has_points}
        case "previous":
            return {"type": "line", "strokeDash": [5, 4], "strokeWidth": 1.5}
        case _:
            return {"type": "line", "strokeWidth": 2.5, "point": {"size": 45} if has_points else False}


def limit_layers(subject: Subject) -> list[Spec]:
    """Return lines with names for target and thresholds; in a band, thresholds are on both sides of the target."""
    lines: list[tuple[str, Decimal | None, str]] = [("Target", subject.target, GREEN)]
    for name, threshold, color in (("Warning", subject.warning, ORANGE), ("Critical", subject.critical, VERMILLION)):
        lines += [(name, at, color) for at in subject.reached_at(threshold)]
    layers: list[Spec] = []
    for name, at, color in lines:
        if at is None:
            continue
        line = {"datum": float(at), "type": "quantitative"}
        text = {"type": "text", "align": "right", "baseline": "bottom", "dx": -4, "dy": -3}
        place = {"y": line, "x": {"value": "width"}, "text": {"value": f"{name} {subject.text(at)}"}}
        layers += [
            {"mark": {"type": "rule", "color": color, "strokeWidth": 1.5}, "encoding": {"y": line}},
            # A halo: the series may run behind the name.
            {"mark": {**text, "color": "white", "stroke": "white", "strokeWidth": 4}, "encoding": place},
            {"mark": {**text, "color": INK}, "encoding": place},
        ]
    return layers


def series_description(subject: Subject, step: Step, series: Series) -> str:
    """Return the text for screen readers."""
    known = [(moment.value, moment.day) for moment in series.moments if moment.value is not None]
    if not known:
        return f"{subject.title} by {step}: no data."
    (highest, at), (lowest, below), (latest, last) = max(known), min(known), known[-1]
    return (
        f"{subject.title} by {step}: highest {subject.text(highest)}, {date_text(step, at)}; "
        f"lowest {subject.text(lowest)}, {date_text(step, below)}; "
        f"latest {subject.text(latest)}, {date_text(step, last)}."
    )


def date_text(step: Step, day: date) -> str:
    """Return the name of a month, or the date of a day or of the first day of a week."""
    return f"{day:%b %Y}" if step is Step.MONTH else f"{day.day} {day:%b %Y}"


# -- by group --------------------------------------------------------------------------------------------------------


def by_group(subject: Subject, groups: Sequence[Group]) -> Spec:
    """Draw bars, the greatest first."""
    ranked = ranked_groups(groups)
    if not ranked:
        return no_data(subject)
    shown = ranked[:MAX_BARS]
    bars: Spec = {
        "data": {
            "values": [
                {"group": f"{_cut(label)}: {subject.text(value)}", "name": label, "value": float(value)}
                for label, value in shown
            ]
        },
        "mark": {"type": "bar", "color": subject.color, "cornerRadiusEnd": 3, "height": {"band": 0.7}},
        "encoding": {
            # The number follows the name, so that no axis is needed and nothing is cut off.
            "x": {"field": "value", "type": "quantitative", "axis": None},
            "y": {
                "field": "group",
                "type": "nominal",
                "sort": None,
                "axis": {
                    "title": None,
                    "domain": False,
                    "labelColor": INK,
                    "labelLimit": 280,
                    "labelPadding": 6,
                    "ticks": False,
                },
            },
            "tooltip": [
                {"field": "name", "type": "nominal", "title": "Group"},
                {"field": "value", "type": "quantitative", "title": subject.title, "format": ",.2~f"},
            ],
        },
    }
    return framed(
        subject,
        f"the {len(shown)} greatest of {len(ranked)}" if len(shown) < len(ranked) else None,
        groups_description(subject, shown, len(ranked)),
        [bars],
        height=len(shown) * _BAR_PIXELS,
    )


def shares(subject: Subject, groups: Sequence[Group]) -> Spec:
    """Draw a ring of shares, for values that add up; none may be negative. Groups beyond the palette are one share."""
    ranked = [(label, value) for label, value in ranked_groups(groups) if value > 0]
    if not ranked:
        return no_data(subject)
    shown, rest = ranked[:MAX_SHARES], ranked[MAX_SHARES:]
    total = sum((value for _, value in ranked), Decimal(0))
    colors = list(CATEGORIES[: len(shown)])
    if rest:
        shown = [*shown, (f"{len(rest)} others", sum((value for _, value in rest), Decimal(0)))]
        colors.append(QUIET)
    values = [
        {
            "group": f"{_cut(label)}: {value / total * 100:.0f} %",
            "value": float(value),
            "text": subject.text(value),
            "rank": rank,
        }
        for rank, (label, value) in enumerate(shown)
    ]
    ring: Spec = {
        "data": {"values": values},
        "mark": {
            "type": "arc",
            # Its top is at the top of the legend.
            "y": {"expr": _RING},
            "innerRadius": {"expr": f"min(width, height) * {_HOLE}"},
            "outerRadius": {"expr": _RING},
            "stroke": "white",
            "strokeWidth": 2,
        },
        "encoding": {
            "theta": {"field": "value", "type": "quantitative", "stack": True},
            "order": {"field": "rank", "type": "quantitative"},
            "color": {
                "field": "group",
                "type": "nominal",
                "sort": None,
                "scale": {"domain": [value["group"] for value in values], "range": colors},
                "legend": {"title": None, "orient": "right", "labelLimit": 260, "symbolType": "square"},
            },
            "tooltip": [
                {"field": "group", "type": "nominal", "title": "Share"},
                {"field": "text", "type": "nominal", "title": subject.title},
            ],
        },
    }
    text = subject.text(total)
    # As large as the hole lets it be.
    size = f"min(17, min(width, height) * {2 * _HOLE * 0.85 / (LETTER_WIDTH * len(text)):.4f})"
    middle: Spec = {
        "mark": {"type": "text", "fontSize": {"expr": size}, "fontWeight": 600, "color": INK, "y": {"expr": _RING}},
        "encoding": {"text": {"value": text}},
    }
    return framed(subject, None, groups_description(subject, shown, len(shown)), [ring, middle], height=_RING_PIXELS)


def ranked_groups(groups: Sequence[Group]) -> list[tuple[str, Decimal]]:
    """Sort groups, the greatest first. Names that look equal are numbered, or Vega would draw them as one."""
    known = [(group.label, group.value) for group in ranked(groups) if group.value is not None]
    by_shown_name: dict[str, tuple[str, Decimal]] = {}
    for label, value in known:
        names = itertools.chain([label], (f"({number}) {label}" for number in itertools.count(2)))
        name = next(name for name in names if _cut(name) not in by_shown_name)
        by_shown_name[_cut(name)] = name, value
    return list(by_shown_name.values())


def _cut(label: str) -> str:
    return label if len(label) <= _NAME_LETTERS else label[: _NAME_LETTERS - 1].rstrip() + "…"


def groups_description(subject: Subject, shown: Sequence[tuple[str, Decimal]], count: int) -> str:
    """Return the text for screen readers."""
    listed = ", ".join(f"{label} {subject.text(value)}" for label, value in shown)
    left_out = f", and {count - len(shown)} smaller ones" if count > len(shown) else ""
    return f"{subject.title} by group: {listed}{left_out}."
