"""Partition pruning: the rollup partitions that satisfy the conditions of an aggregation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from chalicelib.metrics.language.conditions import Condition
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.metrics.rollups.sources.base import UNSET, Source
from chalicelib.metrics.rollups.sources.fields import WITHOUT_VALUE, FieldType, Operator

INCLUSIVE = frozenset({Operator.EQ, Operator.IN, Operator.IS_NOT_SET})
"""Operators on dimensions that name the values that satisfy them; the others name those that do not."""

Partition = tuple[str, str] | None
"""A dimension's field and value; None for the whole source."""


class Selection(NamedTuple):
    partitions: tuple[tuple[int, Partition], ...]
    """Partitions to sum, each with its sign."""
    states: tuple[str, frozenset[str]] | None = None
    """A state field of the source with its allowed values; None for all."""
    split: frozenset[str] | None = None
    """Allowed values of the source's split field; None for all."""


EVERYTHING = Selection(((1, None),))


def select(source: str, rollup: Source[Any], conditions: Sequence[Condition]) -> Selection | None:
    """Return the partitions for conditions on one dimension and one state field; None for conditions on others."""
    by_field: dict[str, list[Condition]] = {}
    for condition in conditions:
        by_field.setdefault(condition.field, []).append(condition)
    states: tuple[str, frozenset[str]] | None = None
    for field in by_field.keys() & rollup.states.keys():
        if states is not None:
            return None
        states = field, frozenset(allowed_values(source, by_field.pop(field)) or ())
    split = None
    if rollup.split is not None and (of_split := by_field.pop(rollup.split.field, None)):
        split = frozenset(allowed_values(source, of_split) or ())
    if not by_field:
        return Selection(EVERYTHING.partitions, states, split)
    [(field, field_conditions), *others] = by_field.items()
    if others or field not in rollup.dimensions:
        return None
    allowed = allowed_values(source, field_conditions)
    if allowed is not None:
        return Selection(tuple((1, (field, value)) for value in sorted(allowed)), states, split)
    excluded = {value for condition in field_conditions for value in texts_of(condition)}
    if rollup.fields[field].nullable:
        excluded.add(UNSET)  # an entity without a value satisfies no condition but `isNotSet`
    return Selection(((1, None), *((-1, (field, value)) for value in sorted(excluded))), states, split)


def allowed_values(source: str, conditions: Sequence[Condition]) -> set[str] | None:
    """Return the values that satisfy the conditions of one field; None if only ids are excluded, as all ids are not
    listed.
    """
    values = values_of(source, conditions[0].field)
    allowed = None if values is None else set(values)
    for condition in conditions:
        if condition.op in INCLUSIVE:
            allowed = set(texts_of(condition)) if allowed is None else allowed & set(texts_of(condition))
    if allowed is not None:
        for condition in conditions:
            if condition.op not in INCLUSIVE:
                allowed -= set(texts_of(condition))
    return allowed


def values_of(source: str, field: str) -> tuple[str, ...] | None:
    """Return all values of a field, as partitions name them; None for ids."""
    declared = SOURCES[source].fields[field]
    return ("true", "false") if declared.type is FieldType.BOOLEAN else declared.values or None


def texts_of(condition: Condition) -> tuple[str, ...]:
    """Return the values of a condition, as partitions name them."""
    if condition.op in WITHOUT_VALUE:
        return (UNSET,)
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
