"""The declaration of a source's rollup, and the parts that are the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, Generic, TypeVar
from uuid import UUID

from chalicelib.core.clock import milliseconds
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.collection import Collection
from chalicelib.dal.records import DeletableRecord, Record
from chalicelib.metrics.language.periods import Range
from chalicelib.metrics.rollups.formulas import Formula, Sum, at_end, within
from chalicelib.models.rollups.buckets import Contribution, Dimensions, LevelChange

R = TypeVar("R", bound=Record)

STARTED, ENDED = "s", "e"
"""Measures of every source: starts and ends. started - ended = how many exist."""

CREATED: Formula = (within(STARTED),)
PRESENT: Formula = (at_end(STARTED), at_end(ENDED, -1))

Inputs = Sequence[Any]
"""The `dependencies` of a contribution, in their order, then the entity's `further` inputs."""

Value = str | bool | datetime | Fraction | None
"""The value of a field: durations in hours, money in major units."""


@dataclass(frozen=True)
class Row:
    """An entity as a row scan sees it, over one range."""

    values: Mapping[str, Value]
    """Values by field of the catalogue."""
    in_period: bool
    """It counts for the range by the source's binding in time."""
    in_moment: bool
    """It counts for the state at the range's end."""
    states: frozenset[str] = frozenset()
    """Values of the source's `state_field` as which it counts: in the range, …"""
    moment_states: frozenset[str] = frozenset()
    """… and at its end."""
    instants: frozenset[str] = frozenset()
    """Its instants that are in the range."""


@dataclass(frozen=True, kw_only=True)
class States:
    """A field whose value follows from time."""

    field: str
    in_period: Mapping[str, Formula]
    """Entities by their value when the range ends, or which got it in the range."""
    in_moment: Mapping[str, Formula]
    accumulating: frozenset[str] = frozenset()
    """The values whose entities add to sums over a range."""


@dataclass(frozen=True, kw_only=True)
class SourceRollup(Generic[R]):
    """A source: the entities of a collection, the contribution of each of them, and the formulas over its rollup."""

    collection: Collection[R]
    contribution: Callable[[R, Inputs], Contribution]
    row: Callable[[R, Inputs, Range], Row]
    """The same from the entity itself: for queries that buckets cannot answer, and as the reference of tests."""
    triggers: Sequence[str] = ("data",)
    """Item attributes whose change triggers a sync."""
    dependencies: Callable[[OrganizationId, R], list[tuple[Collection[Any], UUID]]] = lambda _, __: []
    further: Callable[[OrganizationId, Sequence[R]], Mapping[UUID, Sequence[Any]]] = lambda _, __: {}
    """Read inputs of the entities that are not entities, by id. Read after the entities: a change of such an input also
    changes an attribute that the source `triggers`, in the same transaction, so the sync that follows sees both."""
    dimensions: frozenset[str] = frozenset()
    """Fields whose values have cells of their own."""
    counts: Mapping[str, Formula] = field(default_factory=lambda: {"": CREATED, "createdAt": CREATED})
    """In a range: by the source's binding (""), or by one of its instants."""
    moment: Mapping[str, Formula] = field(default_factory=lambda: {"": PRESENT})
    """At the range's end: how many (""), and the sums of measures."""
    sums: Mapping[str, Sum] = field(default_factory=dict)
    """Over a range, by measure."""
    states: States | None = None
    ahead: frozenset[str] = frozenset()
    """Fields that nothing is known of in the past."""
    conversions: Mapping[tuple[str, str], Callable[[int], tuple[Formula, Formula]]] = field(default_factory=dict)
    """From and to: for a window in days, how many converted and how many there were."""


def lifetime(record: DeletableRecord, dimensions: Dimensions = (), **deltas: int) -> list[LevelChange]:
    """From its creation to its deletion; `deltas` of further levels that it raises so long."""
    raised = tuple((measure, delta) for measure, delta in deltas.items() if delta)
    level_changes = [LevelChange(milliseconds(record.created_at), ((STARTED, 1), *raised), dimensions=dimensions)]
    if record.deleted_at is not None:
        lowered = tuple((measure, -delta) for measure, delta in raised)
        level_changes.append(
            LevelChange(milliseconds(record.deleted_at), ((ENDED, 1), *lowered), is_end=True, dimensions=dimensions)
        )
    return level_changes


def created_row(
    record: Record, values: Mapping[str, Value], over: Range, instants: frozenset[str] = frozenset()
) -> Row:
    """Return the row of an entity that counts where it was created, and exists until it is deleted."""
    deleted_at = record.deleted_at if isinstance(record, DeletableRecord) else None
    created = over.start <= record.created_at < over.end
    return Row(
        values={**values, "createdAt": record.created_at},
        in_period=created,
        in_moment=record.created_at < over.end and (deleted_at is None or deleted_at > over.end),
        instants=frozenset({"createdAt"} if created else ()) | instants,
    )
