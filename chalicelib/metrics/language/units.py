"""Operations on numbers with units: the allowed pairs of units, and the unit of the result."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from chalicelib.metrics.rollups.sources.fields import Unit


class Operation(StrEnum):
    ADD = "add"
    SUB = "sub"
    MUL = "mul"
    DIV = "div"


UnitTable = Mapping[tuple[Unit, Unit], Unit]
"""The unit of the result by left and right unit; other pairs are invalid."""

_SAME: UnitTable = {(unit, unit): unit for unit in Unit}

RESULTS: Mapping[Operation, UnitTable] = {
    Operation.ADD: _SAME,
    Operation.SUB: _SAME,
    Operation.MUL: {
        **{(unit, Unit.NUMBER): unit for unit in Unit},
        **{(Unit.NUMBER, unit): unit for unit in Unit},
        (Unit.HOURS, Unit.MONEY): Unit.MONEY,  # hours at an amount per hour
        (Unit.MONEY, Unit.HOURS): Unit.MONEY,
    },
    Operation.DIV: {
        **{(unit, Unit.NUMBER): unit for unit in Unit},
        **{(unit, unit): Unit.NUMBER for unit in Unit},
        (Unit.MONEY, Unit.HOURS): Unit.MONEY,  # an amount per hour
        (Unit.NUMBER, Unit.HOURS): Unit.NUMBER,
    },
}

RATIOS: UnitTable = {**RESULTS[Operation.DIV], **{(unit, unit): Unit.PERCENT for unit in Unit}}
"""Units of ratios: two equal units give percent."""


def apply(operation: Operation, left: Decimal, right: Decimal) -> Decimal | None:
    """Return the result of an operation; None for a division by 0."""
    if operation is Operation.ADD:
        return left + right
    if operation is Operation.SUB:
        return left - right
    if operation is Operation.MUL:
        return left * right
    return left / right if right else None
