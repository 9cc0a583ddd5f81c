"""What a source of the rollups is made of, and what is the same for spans of every kind."""

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
"""Measures of every source: what has begun to be, and what is over. Their difference is what there is."""

CREATED: Formula = (within(STARTED),)
PRESENT: Formula = (at_end(STARTED), at_end(ENDED, -1))

Inputs = Sequence[Any]
"""The entities that a spread `dependencies`, in that order, then the entity's `further` inputs."""

Value = str | bool | datetime | Fraction | None
"""Of a field: durations in hours, money in major units."""


@dataclass(frozen=True)
class Row:
    """An entity as the recount sees it, over one range."""

    values: Mapping[str, Value]
    """By field of the catalogue."""
    in_period: bool
    """It counts for the range by the source's binding in time."""
    in_moment: bool
    """It counts for what is true at the range's end."""
    states: frozenset[str] = frozenset()
    """Values of the source's `state_field` as which it counts: in the range, …"""
    moment_states: frozenset[str] = frozenset()
    """… and at its end."""
    instants: frozenset[str] = frozenset()
    """Instants of it that lie in the range."""


@dataclass(frozen=True, kw_only=True)
class States:
    """A field whose value follows from time."""

    field: str
    in_period: Mapping[str, Formula]
    """How many have which value when the range ends, or have got it meanwhile."""
    in_moment: Mapping[str, Formula]
    accumulating: frozenset[str] = frozenset()
    """The values of those that add to sums over a range."""


@dataclass(frozen=True, kw_only=True)
class SourceRollup(Generic[R]):
    """A source: the entities of a collection, the edges that each of them adds, and what the sums of edges tell."""

    collection: Collection[R]
    spread: Callable[[R, Inputs], Contribution]
    row: Callable[[R, Inputs, Range], Row]
    """The same told from the entity itself: what no sum of edges tells, and the reference for what they tell."""
    triggers: Sequence[str] = ("data",)
    """Attributes of the entity's item without a change of which its spread stays as it is."""
    dependencies: Callable[[OrganizationId, R], list[tuple[Collection[Any], UUID]]] = lambda _, __: []
    further: Callable[[OrganizationId, Sequence[R]], Mapping[UUID, Sequence[Any]]] = lambda _, __: {}
    """Read inputs of the entities that are not entities, by id. Read after the entities: whatever changes them also
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
    raised = tuple((measure, height) for measure, height in deltas.items() if height)
    edges = [LevelChange(milliseconds(record.created_at), ((STARTED, 1), *raised), dimensions=dimensions)]
    if record.deleted_at is not None:
        lowered = tuple((measure, -height) for measure, height in raised)
        edges.append(
            LevelChange(milliseconds(record.deleted_at), ((ENDED, 1), *lowered), is_end=True, dimensions=dimensions)
        )
    return edges


def created_row(
    record: Record, values: Mapping[str, Value], over: Range, instants: frozenset[str] = frozenset()
) -> Row:
    """Of what counts in the range in which it was created, and is there until it is deleted."""
    deleted_at = record.deleted_at if isinstance(record, DeletableRecord) else None
    created = over.start <= record.created_at < over.end
    return Row(
        values={**values, "createdAt": record.created_at},
        in_period=created,
        in_moment=record.created_at < over.end and (deleted_at is None or deleted_at > over.end),
        instants=frozenset({"createdAt"} if created else ()) | instants,
    )
