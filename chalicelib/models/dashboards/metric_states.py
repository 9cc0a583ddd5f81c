"""Metric state: last result, next due time, history.

A row is for one metric of an organization's own, or, as `SYSTEM`, for all those that come with the product, which are
calculated together. Rows are listed by when they are due; every write moves a row's version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import Field

from chalicelib.core import clock
from chalicelib.core.contracts import Contract, CursorPage
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.cursors import Cursors, walk
from chalicelib.dal.due_index import DueIndex, DueRow
from chalicelib.dal.expressions import Action
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import OnFailedCondition, UnitOfWork, stale

SYSTEM = "SYSTEM"
"""The row of the metrics that come with the product."""
SYSTEM_REFRESH_SECONDS = 300
_DUE = DueIndex("DUE")
_KEPT = timedelta(days=400)


class ResultGroup(Contract):
    """One value of the dimension that a metric groups by, or the other ones together."""

    key: Annotated[
        str | None,
        Field(description="The id, or the value itself; null for the others together.", examples=["completed"]),
    ] = None
    name: Annotated[str, Field(examples=["Hansekontor Logistik"])]
    value: Annotated[
        float | None,
        Field(description="Null if it is unknown, as are averages of the others together.", examples=[37.5]),
    ] = None


Groups = Annotated[
    tuple[ResultGroup, ...],
    Field(description="The greatest 20, then the others together; absent unless the metric is grouped."),
]


def others(count: int, value: float | None) -> ResultGroup:
    """Return the group that stands for those beyond the greatest."""
    return ResultGroup(name=f"{count} {'other' if count == 1 else 'others'}", value=value)


class LastResult(Contract):
    """The last result of a metric. `status` outlives an error: it is the last one that an activity reported."""

    as_of: Instant
    value: float | None = None
    previous: float | None = None
    unit: str | None = None
    status: str | None = None
    groups: Groups | None = None
    error: str | None = None


class MetricState(Contract):
    row: str
    refresh_rate: int
    due_at: Instant
    results: Mapping[UUID, LastResult] = {}
    """Results by metric; none before the first calculation."""
    version: int = 0
    """0: it is not in the table yet."""

    @classmethod
    def of(cls, stored: Item) -> MetricState:
        return cls.model_validate({**(stored.data or {}), "row": stored.sk, "version": stored.version}, extra="ignore")

    @classmethod
    def of_system(cls, now: datetime) -> MetricState:
        return cls(row=SYSTEM, refresh_rate=SYSTEM_REFRESH_SECONDS, due_at=now)


class MetricPoint(Contract):
    """The result of a metric at an instant."""

    as_of: Instant
    value: Annotated[float | None, Field(examples=[37.5])]
    status: Annotated[str | None, Field(examples=["normal"])]
    groups: Annotated[Groups | None, Field(exclude_if=lambda groups: groups is None)] = None


class StatePage(NamedTuple):
    """Consecutive rows of one organization, due or not."""

    states: Sequence[MetricState]
    unlisted: frozenset[str]
    """Rows that are not in the index of due rows: the organization was asleep."""
    last: str | None
    """The row to go on behind; None at the end."""


# -- with the definition ---------------------------------------------------------------------------------------------


def add(unit: UnitOfWork, metric: UUID, *, refresh_rate: int, due_at: datetime) -> None:
    state = MetricState(row=str(metric), refresh_rate=refresh_rate, due_at=due_at)
    unit.put_new(item(unit.organization, state), stale)


def redefine(unit: UnitOfWork, metric: UUID, *, refresh_rate: int, due_at: datetime, forget: bool) -> None:
    """Bump the version, so that a calculation of the old definition fails its condition.

    `forget`: drop results of the old query.
    """
    actions = [
        table.assign("refreshRate", refresh_rate),
        *_due(unit.organization, str(metric), due_at),
        Item.version.set(Item.version + 1),
    ]
    if forget:
        actions.append(table.assign("results", {}))
    unit.update(keys.metric_state(unit.organization, str(metric)), actions, None, stale)


def remove(unit: UnitOfWork, metric: UUID) -> None:
    unit.delete(keys.metric_state(unit.organization, str(metric)), None, stale)


def begin(unit: UnitOfWork, now: datetime) -> None:
    """Adds the row of the system metrics, due at once, to the unit that creates the organization."""
    unit.put_new(item(unit.organization, MetricState.of_system(now)), stale)


def create_system_row(organization: OrganizationId, now: datetime) -> None:
    """Makes the row of a new organization's system metrics, due at once; leaves one that is there as it is."""
    table.put_new(item(organization, MetricState.of_system(now)))


# -- with a calculation ----------------------------------------------------------------------------------------------


def read(organization: OrganizationId, rows: Iterable[str]) -> dict[str, MetricState]:
    """Return rows by name, strongly consistent; absent ones are absent."""
    items = table.batch_get(keys.metric_state(organization, row) for row in rows)
    return {item.sk: MetricState.of(item) for item in items.values()}


def read_all(organization: OrganizationId) -> dict[str, MetricState]:
    rows = table.query_all(keys.metric_states(organization))
    return {row["sk"]["S"]: MetricState.of(table.item_from_raw(row)) for row in rows}


def record(
    unit: UnitOfWork,
    state: MetricState,
    results: Mapping[UUID, LastResult],
    *,
    as_of: datetime,
    due_at: datetime,
    on_failed_condition: OnFailedCondition,
) -> None:
    """Writes the row, and its point of the history, if the row is as it was read."""
    if state.version == 0:
        after = state.model_copy(update={"results": results, "due_at": due_at})
        unit.put_new(item(unit.organization, after), on_failed_condition)
    else:
        actions = [
            table.assign("results", _results(results)),
            *_due(unit.organization, state.row, due_at),
            Item.version.set(state.version + 1),
        ]
        key = keys.metric_state(unit.organization, state.row)
        unit.update(key, actions, Item.version == state.version, on_failed_condition)
    points = {str(metric): _point(result) for metric, result in results.items() if result.error is None}
    if points:
        # One point a minute: the last one of a minute replaces the others.
        point = Item(keys.metric_history(unit.organization, state.row), clock.to_text(as_of), data=points, derived=1)
        point.ttl = int((as_of + _KEPT).timestamp())
        unit.put(point, None, stale)


def history(
    organization: OrganizationId,
    cursors: Cursors,
    row: str,
    metric: UUID,
    *,
    since: datetime | None,
    until: datetime | None,
    cursor: str | None,
    limit: int,
    forward: bool,
    names: Callable[[Iterable[str]], Mapping[str, str]],
) -> CursorPage[MetricPoint]:
    """The points of a metric; `until` is inclusive. `names`: returns those of groups, by key."""
    name = str(metric)

    def read_points(rows: list[dict[str, Any]]) -> list[MetricPoint]:
        points = [(datetime.fromisoformat(row["sk"]["S"]), table.plain(row, "data")[name]) for row in rows]
        known = names({key for _, point in points for key in point.get("groups", {})})
        return [_read_point(as_of, point, known) for as_of, point in points]

    return walk(
        keys.metric_history(organization, row),
        cursors,
        CursorPage[MetricPoint],
        read_points,
        cursor=cursor,
        limit=limit,
        forward=forward,
        between=(clock.to_text(since) if since else " ", clock.to_text(until) if until else "\uffff"),
        condition=Item.data[name].exists(),
    )


# -- with a sleep ----------------------------------------------------------------------------------------------------


def unlist(unit: UnitOfWork, row: str) -> None:
    """Takes a row out of the index of due rows; any later write of the row puts it back."""
    unit.update(
        keys.metric_state(unit.organization, row),
        [table.entry(_DUE.partition_of(unit.organization, row)).remove()],
        None,
        stale,
    )


def relist(organization: OrganizationId, row: str) -> None:
    """Puts a row back, due when it was due; leaves one that is gone meanwhile."""
    shard = _DUE.partition_of(organization, row)
    table.update(keys.metric_state(organization, row), [table.entry(shard).set(shard.pk)], Item.pk.exists())


def make_due(unit: UnitOfWork, row: str, now: datetime) -> None:
    """Puts a row back, due at `now`."""
    actions = [*_due(unit.organization, row, now), Item.version.set(Item.version + 1)]
    unit.update(keys.metric_state(unit.organization, row), actions, None, stale)


# -- in pieces -------------------------------------------------------------------------------------------------------


def read_page(organization: OrganizationId, after: str | None, limit: int) -> StatePage:
    """Return a page of rows by name, strongly consistent."""
    page = table.query(keys.metric_states(organization), after=after, limit=limit)
    states = [MetricState.of(table.item_from_raw(row)) for row in page.items]
    names = [(row["sk"]["S"], row) for row in page.items]
    unlisted = frozenset(name for name, row in names if _DUE.partition_of(organization, name).attribute not in row)
    return StatePage(states, unlisted, page.last)


def hold_walk(organization: OrganizationId, walk: UUID, until: datetime) -> bool:
    """Take or extend the lease on going through an organization's rows; False while another walk holds it."""
    return (
        table.update(
            keys.metric_walk(organization),
            [Item.data.set({"walk": str(walk), "until": clock.to_text(until)}), Item.derived.set(1)],
            Item.pk.does_not_exist()
            | (Item.data["walk"] == str(walk))
            | (Item.data["until"] <= clock.to_text(clock.now())),
        )
        is not None
    )


def end_walk(organization: OrganizationId, walk: UUID) -> None:
    """Give the lease back, unless another walk has taken it meanwhile."""
    table.update(
        keys.metric_walk(organization),
        [table.assign("until", clock.to_text(clock.now()))],
        Item.data["walk"] == str(walk),
    )


# -- across organizations --------------------------------------------------------------------------------------------


def due(shard: int, now: datetime) -> Iterator[DueRow]:
    """Yield the rows that are due at `now`."""
    return _DUE.rows(shard, now)


def organizations(shard: int) -> Iterator[OrganizationId]:
    """Those whose system metrics are in the shard: over all shards, every organization."""
    return (row.organization for row in _DUE.rows(shard) if row.row == SYSTEM)


# -- the stored form -------------------------------------------------------------------------------------------------


def shard_of(organization: OrganizationId, row: str) -> int:
    return _DUE.shard_of(organization, row)


def item(organization: OrganizationId, state: MetricState) -> Item:
    """A new row."""
    data = state.model_dump(mode="json", exclude={"row", "version"}, exclude_none=True)
    key: Key = keys.metric_state(organization, state.row)
    row = Item(key.pk, key.sk, data=data, version=1, derived=1)
    row.enter(_DUE.partition_of(organization, state.row))
    row.at = _DUE.place(organization, state.row, state.due_at)
    return row


def _due(organization: OrganizationId, row: str, due_at: datetime) -> list[Action]:
    shard = _DUE.partition_of(organization, row)
    return [
        table.assign("dueAt", clock.to_text(due_at)),
        Item.at.set(_DUE.place(organization, row, due_at)),
        # Where a sleep took it out of the index, it comes back.
        table.entry(shard).set(shard.pk),
    ]


def _point(result: LastResult) -> dict[str, Any]:
    """The stored form of a point. Without the names of groups, which would outlive a user's by 400 days."""
    point: dict[str, Any] = {"value": result.value, "status": None if result.value is None else result.status}
    if result.groups is None:
        return point
    point["groups"] = {group.key: group.value for group in result.groups if group.key is not None}
    rest = [group for group in result.groups if group.key is None]
    return {**point, "others": rest[0].model_dump(exclude={"key"})} if rest else point


def _read_point(as_of: datetime, stored: Mapping[str, Any], names: Mapping[str, str]) -> MetricPoint:
    point = MetricPoint(as_of=as_of, value=stored["value"], status=stored["status"])
    if "groups" not in stored:
        return point
    groups = [ResultGroup(key=key, name=names[key], value=value) for key, value in stored["groups"].items()]
    groups.sort(key=lambda group: (group.value is None, -(group.value or 0), group.name))
    rest = [ResultGroup(**stored["others"])] if "others" in stored else []
    return point.model_copy(update={"groups": (*groups, *rest)})


def _results(results: Mapping[UUID, LastResult]) -> dict[str, Any]:
    return {str(metric): result.model_dump(mode="json", exclude_none=True) for metric, result in results.items()}
