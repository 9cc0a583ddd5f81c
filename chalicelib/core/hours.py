"""Milliseconds as seconds and as decimal hours, rounded half up with integers: floats would round some halves down."""

from __future__ import annotations


def seconds(milliseconds: int) -> int:
    """Whole seconds."""
    return (milliseconds + 500) // 1000


def hours(whole_seconds: int) -> float:
    """Decimal hours, the float nearest to two places: 1.25 for 4500 seconds."""
    hundredths = (whole_seconds + 18) // 36
    return hundredths / 100
