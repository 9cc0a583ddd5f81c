"""Which cells keep to the conditions of an aggregate, if any do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from chalicelib.metrics.language.catalogue import CATALOGUE, FieldType, Operator
from chalicelib.metrics.language.conditions import Condition
from chalicelib.metrics.rollups.sources.base import SourceRollup

Partition = tuple[str, str] | None
"""A dimension's field and value; None for the whole source."""


class Selection(NamedTuple):
    partitions: tuple[tuple[int, Partition], ...]
    """Buckets to add, with their signs."""
    states: frozenset[str] | None
    """Required values of the source's state field; None for any."""


EVERYTHING = Selection(((1, None),), None)


def select(source: str, rollup: SourceRollup[Any], conditions: Sequence[Condition]) -> Selection | None:
    """Conditions on one dimension, and on states, which follow from time. None for conditions that need a row scan."""
    by_field: dict[str, list[Condition]] = {}
    for condition in conditions:
        by_field.setdefault(condition.field, []).append(condition)
    states: frozenset[str] | None = None
    if rollup.states is not None and (of_state := by_field.pop(rollup.states.field, None)):
        states = frozenset(_allowed(source, of_state) or ())
    if not by_field:
        return Selection(EVERYTHING.partitions, states)
    [(field, of_field), *others] = by_field.items()
    if others or field not in rollup.dimensions:
        return None
    return Selection(_partitions(source, field, of_field), states)


def _partitions(source: str, field: str, conditions: Sequence[Condition]) -> tuple[tuple[int, Partition], ...]:
    allowed = _allowed(source, conditions)
    if allowed is not None:
        return tuple((1, (field, value)) for value in sorted(allowed))
    excluded = {value for condition in conditions for value in texts_of(condition)}
    return ((1, None), *((-1, (field, value)) for value in sorted(excluded)))


def _allowed(source: str, conditions: Sequence[Condition]) -> set[str] | None:
    """The values that are left; None for all but those of `ne` and `notIn`, where all cannot be listed."""
    values = values_of(source, conditions[0].field)
    allowed = None if values is None else set(values)
    for condition in conditions:
        if condition.op in {Operator.EQ, Operator.IN}:
            allowed = set(texts_of(condition)) if allowed is None else allowed & set(texts_of(condition))
    if allowed is not None:
        for condition in conditions:
            if condition.op in {Operator.NE, Operator.NOT_IN}:
                allowed -= set(texts_of(condition))
    return allowed


def values_of(source: str, field: str) -> tuple[str, ...] | None:
    """All that a field can have, as cells name them; None for ids."""
    declared = CATALOGUE[source].fields[field]
    return ("true", "false") if declared.type is FieldType.BOOLEAN else declared.values or None


def texts_of(condition: Condition) -> tuple[str, ...]:
    """The values of a condition, as cells name them."""
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
