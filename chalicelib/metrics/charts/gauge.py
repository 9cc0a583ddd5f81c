"""Vega-Lite specs of one number: a gauge with target and thresholds, or the number in large type."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise

from chalicelib.metrics.charts.vega import FAINT, INK, LETTER_WIDTH, QUIET, STATUS_COLORS, Spec, Subject, framed
from chalicelib.metrics.rollups.sources.fields import Unit
from chalicelib.metrics.thresholds import change, change_percent

_HALF_TURN = math.pi / 2
_NICE = (Decimal(1), Decimal("1.5"), Decimal(2), Decimal("2.5"), Decimal(3), Decimal(4), Decimal(5), Decimal(8))
_HUNDRED = Decimal(100)
_RING, _OUTSIDE, _HAND = (0.64, 0.93), (0.96, 1), (0.6, 0.96)
_GROUND = "(height - 18)"
"""The line on which the half ring stands; the ends of the scale are below."""
_RADIUS = "min(width / 2, height - 24)"
_ROOM = Decimal("1.1")
"""Factor of the scale above the greatest value shown."""


def gauge(subject: Subject, value: Decimal | None) -> Spec:
    """Draw half a ring: the value in the colour of its status; outside, the ranges of each status."""
    limits = [*subject.reached_at(subject.warning), *subject.reached_at(subject.critical)]
    marks = [mark for mark in (value, subject.target, *limits) if mark is not None]
    low, high = _span(marks, subject.unit)
    theta = {"type": "quantitative", "scale": {"domain": [float(low), float(high)], "range": [-_HALF_TURN, _HALF_TURN]}}
    layers = [_arc(theta, low, high, FAINT, *_RING)]
    if limits:
        edges = [low, *sorted(limit for limit in set(limits) if low < limit < high), high]
        for start, end in pairwise(edges):
            color = STATUS_COLORS[subject.status((start + end) / 2)]
            layers.append(_arc(theta, start, end, color, *_OUTSIDE))
    if value is not None:
        has_status = subject.warning is not None or subject.critical is not None
        color = STATUS_COLORS[subject.status(value)] if has_status else subject.color
        layers.append(_arc(theta, min(value, Decimal(0)), max(value, Decimal(0)), color, *_RING))
    if subject.target is not None:
        width = (high - low) / 200
        layers.append(_arc(theta, subject.target - width, subject.target + width, INK, *_HAND))
    # Inside the ring, which is narrower above the line of the target.
    share, above = (0.85, 12) if subject.target is None else (0.6, 26)
    text = subject.text(value)
    size = f"min(22, {_RADIUS} * {2 * _RING[0] * share / (LETTER_WIDTH * len(text)):.4f})"
    layers.append(_text(text, size={"expr": size}, weight=600, color=INK, y=f"{_GROUND} - {above}"))
    if subject.target is not None:
        layers.append(
            _text(f"target {subject.text(subject.target)}", size=12, weight=400, color=QUIET, y=f"{_GROUND} - 6")
        )
    # Without its ends, a scale says nothing.
    for end, side in ((low, "-"), (high, "+")):
        x = f"width / 2 {side} {_RADIUS} * {sum(_RING) / 2}"
        layers.append(_text(subject.text(end), size=11, weight=400, color=QUIET, y="height - 6", x=x))
    return framed(subject, None, number_description(subject, value), layers, height=190)


def figure(subject: Subject, value: Decimal | None, previous: Decimal | None) -> Spec:
    """Draw the number and its change."""
    layers = [_text(subject.text(value), size=40, weight=600, color=INK, y="height / 2 - 10")]
    if (by := change(value, previous)) is not None:
        percent = change_percent(value, previous)
        share = "" if percent is None else f" ({percent:+.0f} %)"
        arrow = "▲" if by > 0 else "▼" if by < 0 else "■"
        text = f"{arrow} {subject.text(by, signed=True)}{share}, before {subject.text(previous)}"
        layers.append(_text(text, size=13, weight=400, color=QUIET, y="height / 2 + 26"))
    return framed(subject, None, number_description(subject, value), layers, height=120)


def _span(marks: list[Decimal], unit: Unit) -> tuple[Decimal, Decimal]:
    """Return the bounds of the scale: 0 or a round number below all values, and a round number above all.

    A share of up to 100 % is seen against 100 %.
    """
    whole = [_HUNDRED] if unit is Unit.PERCENT else []
    low, high = -_above(-min([Decimal(0), *marks])), _above(max([Decimal(0), *marks, *whole]))
    return low, high if low < high else Decimal(1)


def _above(value: Decimal) -> Decimal:
    """Return a round number above the value: 100 for up to 100, 0 for negative values."""
    if value <= 0:
        return Decimal(0)
    if value <= _HUNDRED < value * _ROOM:
        return _HUNDRED
    bound = value * _ROOM
    scale = Decimal(1).scaleb(bound.adjusted())
    return next((nice * scale for nice in _NICE if nice * scale >= bound), scale * 10)


def _arc(theta: Spec, start: Decimal, end: Decimal, color: str, inner: float, outer: float) -> Spec:
    """Return an arc; radii are parts of the available space."""
    return {
        "mark": {
            "type": "arc",
            "color": color,
            "y": {"expr": _GROUND},
            "innerRadius": {"expr": f"{_RADIUS} * {inner}"},
            "outerRadius": {"expr": f"{_RADIUS} * {outer}"},
        },
        "encoding": {"theta": {"datum": float(start), **theta}, "theta2": {"datum": float(end)}},
    }


def _text(text: str, *, size: int | Spec, weight: int, color: str, y: str, x: str = "width / 2") -> Spec:
    place = {"x": {"expr": x}, "y": {"expr": y}}
    mark = {"type": "text", "fontSize": size, "fontWeight": weight, "color": color, **place}
    return {"mark": mark, "encoding": {"text": {"value": text}}}


def number_description(subject: Subject, value: Decimal | None) -> str:
    """Return the text for screen readers."""
    against = "" if subject.target is None else f", target {subject.text(subject.target)}"
    has_status = value is not None and (subject.warning, subject.critical) != (None, None)
    status = f", {subject.status(value)}" if has_status and value is not None else ""
    return f"{subject.title}: {subject.text(value)}{against}{status}."
