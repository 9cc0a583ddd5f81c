"""Sources of rollups: their declaration, and level changes and rows of entities with a lifetime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Generic, TypeVar
from uuid import UUID

from chalicelib.auth.permissions import Permission
from chalicelib.core.clock import milliseconds
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.collection import Collection
from chalicelib.dal.records import DeletableRecord, Record
from chalicelib.metrics.rollups.formulas import Formula, Sum, at_end, within
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.fields import Field, TimeBinding
from chalicelib.models.rollups.buckets import Contribution, Dimensions, LevelChange

R = TypeVar("R", bound=Record)

UNSET = ""
"""Value of a dimension for entities that have none."""

STARTED, ENDED = "s", "e"
"""Starts and ends, measures of every source. started - ended = how many exist."""

CREATED: Formula = (within(STARTED),)
PRESENT: Formula = (at_end(STARTED), at_end(ENDED, -1))

Inputs = Sequence[Any]
"""The entities named by `dependencies`, in that order, then the entity's `further` inputs."""

Value = str | bool | datetime | Fraction | None
"""Field value; durations in hours, money in major units."""


@dataclass(frozen=True)
class Row:
    """An entity over one range, as a row scan reads it."""

    values: Mapping[str, Value]
    """Values by catalogue field. A sum of which the entity has no part in the range is absent."""
    in_period: bool
    """It belongs to the range by the source's time binding."""
    in_snapshot: bool
    """It exists at the end of the range."""
    states: frozenset[str] = frozenset()
    """State fields of the source under whose value it counts in the range."""
    snapshot_states: frozenset[str] = frozenset()
    """State fields under whose value it counts at the end of the range."""
    instants: frozenset[str] = frozenset()
    """Names of its instants that are in the range."""


@dataclass(frozen=True, kw_only=True)
class States:
    """A field whose value follows from time."""

    in_period: Mapping[str, Formula]
    """Count by value: entities that have it at the end of the range, or got it within the range."""
    snapshots: Mapping[str, Formula]
    """Count by value at the end of the range."""
    accumulating: frozenset[str] | None = None
    """Values whose entities add to sums over a range; None if sums go by other fields."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """A field of few values that has no buckets of its own: each value has measures of its own in all buckets.

    So it combines with a condition on, or groups by, any dimension. A value that most entities have would fill its day
    buckets with as many minutes as the whole source has.
    """

    field: str
    suffixes: Mapping[str, str]
    """Suffix of the names of measures, by value."""

    def expanded(self, formula: Formula, values: frozenset[str] | None) -> Formula:
        """Return the formula over the measures of some values; None for all."""
        chosen = self.suffixes if values is None else sorted(values & self.suffixes.keys())
        return tuple(
            term._replace(measure=f"{term.measure}{self.suffixes[value]}") for value in chosen for term in formula
        )


@dataclass(frozen=True, kw_only=True)
class Unfinished(Generic[R]):
    """Entities that have another item until they are finished, one a holder: the timer of a user is a session later."""

    kind: str
    """The kind of their items, whose `data` has the entity's id."""
    read: Callable[[OrganizationId, Iterable[UUID]], Mapping[UUID, R]]
    """Reads those of some holders, by the entity's id."""
    read_all: Callable[[OrganizationId], Mapping[UUID, R]]


@dataclass(frozen=True, kw_only=True)
class Source(Generic[R]):
    """A source of queries: its fields, its entities with their level changes, and the formulas over their sums."""

    name: str
    label: str
    permission: Permission
    """Required to read the entities themselves. Values of a metric are guarded by the metric."""
    time: TimeBinding
    time_field: str
    fields: Mapping[str, Field]
    collection: Collection[R]
    contribution: Callable[[R, Inputs], Contribution]
    row: Callable[[R, Inputs, Range], Row]
    """Computes the row of an entity for row scans; it must agree with the formulas."""
    triggers: Sequence[str] = ("data",)
    """Item attributes whose change triggers a re-sync."""
    dependencies: Callable[[OrganizationId, R], list[tuple[Collection[Any], UUID]]] = lambda _, __: []
    """Names the other entities that the contribution depends on."""
    further: Callable[[OrganizationId, Sequence[R]], Mapping[UUID, Sequence[Any]]] = lambda _, __: {}
    """Reads inputs that are not entities, by entity id. They are read after the entities: a transaction that changes
    them also changes an attribute of `triggers`, or the version of a dependency, so the sync that follows sees both."""
    unfinished: Unfinished[R] | None = None
    counts: Mapping[str, Formula] = field(default_factory=lambda: {"": CREATED, "createdAt": CREATED})
    """Counts over a range: by the source's time binding (""), or by the name of an instant."""
    counted_by: str = ""
    """The instant that counts without a field go by; "" for the source's time binding."""
    snapshots: Mapping[str, Formula] = field(default_factory=lambda: {"": PRESENT})
    """The count at the end of a range, under ""."""
    snapshot_sums: Mapping[str, Sum] = field(default_factory=dict)
    """Sums at the end of a range, by measure."""
    sums: Mapping[str, Sum] = field(default_factory=dict)
    """Sums over a range, by measure."""
    max_rows: int | None = None
    """Entities that a row scan reads at most, where that is less than of other sources."""
    states: Mapping[str, States] = field(default_factory=dict)
    """State fields by name. Buckets answer conditions on one of them at a time."""
    split: Split | None = None
    conversions: Mapping[tuple[str, str], Callable[[int], tuple[Formula, Formula]]] = field(default_factory=dict)
    """Formulas by (from, to) for a window in days: how many converted, and how many entered."""

    @property
    def dimensions(self) -> frozenset[str]:
        """Fields whose values have buckets of their own: those that queries group by, but for states and splits."""
        others = {*self.states, *(() if self.split is None else (self.split.field,))}
        return frozenset(field.name for field in self.fields.values() if field.is_dimension) - others

    @property
    def forward_only(self) -> frozenset[str]:
        """Fields without a history."""
        return frozenset(field.name for field in self.fields.values() if field.is_forward_only)

    def accumulates(self, measure: Field) -> bool:
        """Return True if the measure grows with the length of the period and is 0 at an instant: hours, not heads."""
        return self.time is TimeBinding.INTERVAL and measure.is_measure and not measure.is_level

    @property
    def reachable(self) -> Mapping[str, tuple[str, ...]]:
        """States that entities may reach, by the state that they enter."""
        entered = dict.fromkeys(start for start, _ in self.conversions)
        return {state: tuple(end for start, end in self.conversions if start == state) for state in entered}


def dimension_of(field: str, value: UUID | None) -> tuple[str, str]:
    """Return the dimension of an id that may be absent."""
    return field, UNSET if value is None else str(value)


def flag_dimension(field: str, is_set: object) -> tuple[str, str]:
    """Return the dimension of a boolean; `is_set` may be a count."""
    return field, "true" if is_set else "false"


def stepped(levels: Iterable[tuple[int, Counter[str]]], dimensions: Dimensions, *, has_end: bool) -> Contribution:
    """Return the level changes of an entity from its levels at the instants where they change; the last may be its end.

    Levels are given from zero on, earliest first.
    """
    steps = list(levels)
    changes = []
    before: Counter[str] = Counter()
    for number, (at, level) in enumerate(steps, 1):
        deltas = {measure: level[measure] - before[measure] for measure in level.keys() | before.keys()}
        changed = tuple(sorted((measure, delta) for measure, delta in deltas.items() if delta))
        if changed:
            is_end = has_end and number == len(steps)
            changes.append(LevelChange(at, changed, is_end=is_end, dimensions=dimensions))
        before = level
    return tuple(changes)


def lifetime(record: DeletableRecord, dimensions: Dimensions = (), **deltas: int) -> list[LevelChange]:
    """Return the level changes of a creation and a deletion; `deltas` are further levels raised in between."""
    raised = tuple((measure, delta) for measure, delta in deltas.items() if delta)
    changes = [LevelChange(milliseconds(record.created_at), ((STARTED, 1), *raised), dimensions=dimensions)]
    if record.deleted_at is not None:
        lowered = tuple((measure, -delta) for measure, delta in raised)
        changes.append(
            LevelChange(milliseconds(record.deleted_at), ((ENDED, 1), *lowered), is_end=True, dimensions=dimensions)
        )
    return changes


def created_row(
    record: Record, values: Mapping[str, Value], over: Range, instants: frozenset[str] = frozenset()
) -> Row:
    """Return the row of an entity that belongs to the range of its creation, and exists until its deletion."""
    deleted_at = record.deleted_at if isinstance(record, DeletableRecord) else None
    created = over.start <= record.created_at < over.end
    return Row(
        values={**values, "createdAt": record.created_at},
        in_period=created,
        in_snapshot=record.created_at < over.end and (deleted_at is None or deleted_at > over.end),
        instants=frozenset({"createdAt"} if created else ()) | instants,
    )


def instants_in(values: Mapping[str, Value], over: Range) -> frozenset[str]:
    """Return the names of those values that are instants within the range."""
    return frozenset(
        name for name, value in values.items() if isinstance(value, datetime) and over.start <= value < over.end
    )


# -- conversions -----------------------------------------------------------------------------------------------------

WITHIN_DAYS = (1, 7, 14, 30, 90)
"""Windows of conversions."""


def converted(entered: str, since: datetime, reached: Mapping[str, datetime | None]) -> dict[str, int]:
    """Return the deltas, at the instant of an entry, that tell within which windows each other state was reached.

    Of a measure `i` of entries, `ia7` counts those that reached the state `a` within 7 days.
    """
    return {
        f"{entered}{letter}{days}": 1
        for letter, instant in reached.items()
        for days in WITHIN_DAYS
        if instant is not None and instant - since <= timedelta(days=days)
    }


def conversion(entered: str, letter: str) -> Callable[[int], tuple[Formula, Formula]]:
    """Return the formulas of a conversion, by its window in days."""
    return lambda days: ((within(f"{entered}{letter}{days}"),), (within(entered),))
