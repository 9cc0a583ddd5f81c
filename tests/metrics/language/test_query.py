"""The query language: valid queries are read, all others refused with every error and its location."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from chalicelib.core.contracts import Body
from chalicelib.metrics.language.errors import InvalidQuery
from chalicelib.metrics.language.periods import Comparison, NamedPeriod, Trailing
from chalicelib.metrics.language.query import (
    CumulativeQuery,
    MetricQuery,
    SimpleQuery,
    aggregates_of,
    parse,
    sources_of,
    unit_of,
)
from chalicelib.metrics.rollups.sources.fields import Aggregate, Unit
from tests.support.hypothesis_profile import law
from tests.support.metric_queries import queries

pytestmark = pytest.mark.storeless

Json = dict[str, Any]

HOURS: Json = {"source": "assignments", "aggregate": "sum", "field": "hours"}
BILLED: Json = {"source": "assignments", "aggregate": "sum", "field": "billed"}
COUNT: Json = {"source": "assignments", "aggregate": "count"}
WORKERS: Json = {"type": "snapshot", "source": "workers", "aggregate": "count"}
ID = "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091"

SOURCE_NAMES = "activities, assignments, clients, loans, positions, projects, tasks, timeSessions, users, workers"
NAMED_PERIODS = (
    "must be today, yesterday, this_week, last_week, this_month, last_month, this_quarter, this_year, "
    "last_7_days, last_30_days or last_90_days"
)


def _simple(**parts: Any) -> Json:
    return {"version": 1, "type": "simple", **HOURS, "period": "this_week", **parts}


def _where(*conditions: Json) -> Json:
    return _simple(where=list(conditions))


def _condition(field: str, op: str, *value: Any) -> Json:
    return {"field": field, "op": op, **({"value": value[0]} if value else {})}


def _derived(operation: str, left: Json, right: Json) -> Json:
    return {"type": "derived", "expression": _node(operation, left, right), "period": "this_month"}


def _node(operation: str, left: Json, right: Json) -> Json:
    return {"type": operation, "left": left, "right": right}


def _constant(value: Any, unit: str = "number") -> Json:
    return {"type": "constant", "value": value, "unit": unit}


def _ratio(numerator: Json, denominator: Json) -> Json:
    return {"type": "ratio", "numerator": numerator, "denominator": denominator, "period": "this_month"}


def _conversion(**parts: Any) -> Json:
    return {
        "type": "conversion",
        "source": "users",
        "from": "invited",
        "to": "accepted",
        "within": "P7D",
        "period": "this_month",
        **parts,
    }


def _nested(operations: int, leaf: Json = COUNT) -> Json:
    node = leaf
    for _ in range(operations):
        node = _node("add", node, _constant(1))
    return {"type": "derived", "expression": node, "period": "today"}


def _without(query: Json, *names: str) -> Json:
    return {name: value for name, value in query.items() if name not in names}


def _errors(query: Any) -> dict[str, str]:
    with pytest.raises(InvalidQuery) as raised:
        parse(query)
    errors = {error.pointer: error.message for error in raised.value.errors}
    assert len(errors) == len(raised.value.errors)
    return errors


# -- valid queries ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "unit"),
    [
        (_simple(), Unit.HOURS),
        (_without(_simple(), "version"), Unit.HOURS),
        (_simple(**BILLED), Unit.MONEY),
        (_simple(aggregate="avg", groupBy=["clientId"]), Unit.HOURS),
        (_without(_simple(aggregate="count"), "field"), Unit.NUMBER),
        (_simple(aggregate="count", field=None), Unit.NUMBER),
        (_simple(aggregate="count", field="startAt"), Unit.NUMBER),
        (_simple(aggregate="countDistinct", field="workerId"), Unit.NUMBER),
        (_simple(source="positions", aggregate="max", field="headcount"), Unit.NUMBER),
        (_simple(period={"from": "2026-01-01", "to": "2026-12-31"}, compare="previous_year"), Unit.HOURS),
        ({"type": "snapshot", **COUNT}, Unit.NUMBER),
        ({"type": "snapshot", "source": "positions", "aggregate": "sum", "field": "filled"}, Unit.NUMBER),
        ({"type": "cumulative", **HOURS, "window": "P7D"}, Unit.HOURS),
        ({"type": "cumulative", **HOURS, "window": "P366D"}, Unit.HOURS),
        ({"type": "cumulative", **BILLED, "since": "quarter"}, Unit.MONEY),
        (_conversion(), Unit.PERCENT),
        (_ratio(HOURS, HOURS), Unit.PERCENT),
        (_ratio(COUNT, WORKERS), Unit.PERCENT),
        (_ratio(BILLED, HOURS), Unit.MONEY),
        (_ratio({"type": "simple", **HOURS}, WORKERS), Unit.HOURS),
        (_derived("add", HOURS, {**HOURS, "field": "unbilledHours"}), Unit.HOURS),
        (_derived("sub", BILLED, {**BILLED, "field": "paid"}), Unit.MONEY),
        (_derived("mul", HOURS, _constant(25, "money")), Unit.MONEY),
        (_derived("mul", _constant(25, "money"), HOURS), Unit.MONEY),
        (_derived("mul", BILLED, _constant(1.19)), Unit.MONEY),
        (_derived("div", BILLED, HOURS), Unit.MONEY),
        (_derived("div", HOURS, HOURS), Unit.NUMBER),
        (_derived("div", COUNT, HOURS), Unit.NUMBER),
        (_derived("mul", _node("div", BILLED, BILLED), _constant(100, "percent")), Unit.PERCENT),
        (_derived("add", COUNT, {"type": "constant", "value": 1}), Unit.NUMBER),
        (_derived("div", HOURS, _node("add", _node("sub", _constant(2), _constant(1)), _constant(1))), Unit.HOURS),
        (_nested(4), Unit.NUMBER),
    ],
)
def test_a_query_has_a_unit(query: Json, unit: Unit) -> None:
    read = parse(query)
    assert unit_of(read) is unit
    assert parse(read.model_dump(mode="json")) == read


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        (_condition("status", "in", ["active", "completed"]), ["active", "completed"]),
        (_condition("status", "ne", "cancelled"), "cancelled"),
        (_condition("clientId", "eq", ID.upper()), ID),
        (_condition("clientId", "notIn", [ID]), [ID]),
        (_condition("startAt", "gte", "2026-03-01T08:30:00+01:00"), "2026-03-01T07:30:00.000Z"),
        (_condition("hours", "gt", 7.5), 7.5),
        (_condition("billed", "lte", 0), 0),
    ],
)
def test_a_value_is_of_its_fields_type(condition: Json, value: Any) -> None:
    read = parse(_where(condition))
    assert isinstance(read, SimpleQuery)
    assert read.model_dump(mode="json")["where"] == [{**condition, "value": value}]
    is_instant = condition["field"] == "startAt"
    assert read.where[0].value == (
        datetime.fromisoformat(value) if is_instant else tuple(value) if isinstance(value, list) else value
    )


def test_other_conditions() -> None:
    assert parse(_where(_condition("endAt", "isNotSet"))).model_dump(mode="json")["where"] == [
        {"field": "endAt", "op": "isNotSet"}
    ]
    positions = {"type": "snapshot", "source": "positions", "aggregate": "count"}
    conditions = [_condition("isOpen", "eq", True), _condition("name", "in", [" Nacht "])]
    assert parse({**positions, "where": conditions}).model_dump(mode="json")["where"] == [
        _condition("isOpen", "eq", True),
        _condition("name", "in", ["Nacht"]),
    ]


def test_omitted_fields_have_defaults() -> None:
    assert parse(_without(_simple(), "version")).model_dump(mode="json") == {
        **_simple(),
        "where": [],
        "groupBy": [],
        "compare": "previous_period",
    }
    snapshot = parse({"type": "snapshot", **COUNT})
    assert snapshot.period is NamedPeriod.TODAY
    assert snapshot.compare is Comparison.PREVIOUS_PERIOD


@pytest.mark.parametrize(
    ("limits", "period"),
    [
        ({"window": "P30D"}, Trailing(30)),
        ({"since": "week"}, NamedPeriod.THIS_WEEK),
        ({"since": "month"}, NamedPeriod.THIS_MONTH),
        ({"since": "quarter"}, NamedPeriod.THIS_QUARTER),
        ({"since": "year"}, NamedPeriod.THIS_YEAR),
    ],
)
def test_periods_of_cumulative_queries(limits: Json, period: Trailing | NamedPeriod) -> None:
    read = parse({"type": "cumulative", **COUNT, **limits})
    assert isinstance(read, CumulativeQuery)
    assert read.period == period


def test_aggregations_and_sources_of_a_query() -> None:
    derived = parse(_derived("div", _node("mul", HOURS, _constant(2)), _node("add", WORKERS, WORKERS)))
    assert [(aggregation.source, aggregation.aggregate) for aggregation in aggregates_of(derived)] == [
        ("assignments", Aggregate.SUM),
        ("workers", Aggregate.COUNT),
        ("workers", Aggregate.COUNT),
    ]
    assert sources_of(derived) == {"assignments", "workers"}
    assert [aggregation.field for aggregation in aggregates_of(parse(_ratio(BILLED, HOURS)))] == ["billed", "hours"]
    assert aggregates_of(parse(_simple())) == [parse(_simple())]
    assert aggregates_of(parse(_conversion())) == []
    assert sources_of(parse(_conversion())) == {"users"}


@law(200)
@given(queries())
def test_a_query_is_read_as_it_is_written(query: Json) -> None:
    read = parse(query)
    written = read.model_dump(mode="json")
    assert parse(written) == read
    assert parse(json.loads(json.dumps(written))) == read
    assert written.items() >= {name: query[name] for name in query.keys() & {"type", "period", "compare"}}.items()


@law(100)
@given(queries())
def test_the_schema_describes_queries(query: Json) -> None:
    assert list(READING.iter_errors(query)) == []
    assert list(WRITTEN.iter_errors(parse(query).model_dump(mode="json"))) == []


_ADAPTER: TypeAdapter[Any] = TypeAdapter(MetricQuery)
READING = Draft202012Validator(_ADAPTER.json_schema(mode="validation"))
WRITTEN = Draft202012Validator(_ADAPTER.json_schema(mode="serialization"))


def test_the_schema_chooses_by_type() -> None:
    schema = _ADAPTER.json_schema()
    assert schema["discriminator"]["propertyName"] == "type"
    assert sorted(schema["discriminator"]["mapping"]) == [
        "conversion",
        "cumulative",
        "derived",
        "ratio",
        "simple",
        "snapshot",
    ]
    for example in schema["examples"]:
        parse(example)


# -- invalid queries -------------------------------------------------------------------------------------------------

DEEP = "operations must be nested at most 4 deep"
IS_NO_FIELD = "is not a field here"
A_NUMBER = "must be a number from -1000000000000 to 1000000000000"
EITHER = "exactly one of window and since is required"


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        # the whole
        (None, {"": "must be an object"}),
        ([], {"": "must be an object"}),
        ("simple", {"": "must be an object"}),
        ({}, {"/type": "is required"}),
        ({"type": "sql"}, {"/type": "must be one of simple, snapshot, cumulative, ratio, derived, conversion"}),
        ({"type": ["simple"]}, {"/type": "must be one of simple, snapshot, cumulative, ratio, derived, conversion"}),
        ({"type": "simple"}, dict.fromkeys(("/source", "/aggregate", "/period"), "is required")),
        (_simple(version=2), {"/version": "must be 1"}),
        (_simple(version=True), {"/version": "must be 1"}),
        (_simple(version="1"), {"/version": "must be 1"}),
        (_simple(surplus=1), {"/surplus": IS_NO_FIELD}),
        (_simple(group_by=[]), {"/group_by": IS_NO_FIELD}),
        (_simple(**{"a/b~c": 1, "{x}": 1}), {"/a~1b~0c": IS_NO_FIELD, "/{x}": IS_NO_FIELD}),
        (_simple(compare="last_year"), {"/compare": "must be previous_period, previous_year or none"}),
        # the period
        (_simple(period="someday"), {"/period": NAMED_PERIODS}),
        (_simple(period=None), {"/period": NAMED_PERIODS}),
        (_simple(period=["today"]), {"/period": NAMED_PERIODS}),
        (_simple(period={}), {"/period/from": "is required", "/period/to": "is required"}),
        (
            _simple(period={"from": 20260101, "to": "2026-01-32", "until": 1}),
            {
                "/period/from": "must be a date, YYYY-MM-DD",
                "/period/to": "must be a date, YYYY-MM-DD",
                "/period/until": IS_NO_FIELD,
            },
        ),
        (_simple(period={"from": "2026-03-02", "to": "2026-03-01"}), {"/period/to": "must not be before from"}),
        (
            _simple(period={"from": "2016-03-01", "to": "2026-03-01"}),
            {"/period/to": "must be less than 10 years after from"},
        ),
        # source, aggregate and field
        (_simple(source="invoices"), {"/source": f"must be one of {SOURCE_NAMES}"}),
        (_simple(source=1), {"/source": "must be a text"}),
        (_simple(aggregate="median"), {"/aggregate": "must be count, sum, avg, min, max or countDistinct"}),
        (_simple(field="hourz"), {"/field": "is not a field of assignments"}),
        (_simple(field=5), {"/field": "must be a text"}),
        (
            _simple(field="status"),
            {"/field": "must be one of hours, billed, paid, margin, marginBase, unbilledHours, unpaidHours for sum"},
        ),
        (
            _without(_simple(), "field"),
            {"/field": "must be one of hours, billed, paid, margin, marginBase, unbilledHours, unpaidHours for sum"},
        ),
        (
            _simple(aggregate="count"),
            {"/field": "must be one of startAt, endAt, cancelledAt, createdAt for count"},
        ),
        (
            _simple(aggregate="countDistinct", field="status"),
            {"/field": "must be one of clientId, workLocationId, positionId, workerId for countDistinct"},
        ),
        (_simple(source="clients", field="name"), {"/aggregate": "clients have no field for sum"}),
        (
            {"type": "snapshot", **HOURS},
            {"/aggregate": "assignments have no field for sum at an instant"},
        ),
        (
            {"type": "snapshot", **COUNT, "field": "startAt"},
            {"/field": "must be left out for count"},
        ),
        (
            {"type": "snapshot", "source": "positions", "aggregate": "avg", "field": "headcount"},
            {"/aggregate": "must be count or sum"},
        ),
        # conditions
        (_simple(where={}), {"/where": "must be a list"}),
        (_where(*[_condition("status", "eq", "active")] * 11), {"/where": "must have at most 10 items"}),
        (
            _where(*[_condition("state", "eq", "active")] * 12),
            {
                "/where": "must have at most 10 items",
                **{f"/where/{index}/field": "is not a field of assignments" for index in range(10)},
            },
        ),
        (_simple(where=["status"]), {"/where/0": "must be an object"}),
        (_where({}), {"/where/0/field": "is required", "/where/0/op": "is required"}),
        (_where(_condition("state", "eq", "active")), {"/where/0/field": "is not a field of assignments"}),
        (
            _where(_condition("status", "gt", "active")),
            {"/where/0/op": "must be one of eq, ne, in, notIn for status"},
        ),
        (
            _where(_condition("startAt", "eq", "2026-03-01T00:00:00Z")),
            {"/where/0/op": "must be one of gt, gte, lt, lte for startAt"},
        ),
        (
            _where(_condition("startAt", "isSet")),
            {"/where/0/op": "must be one of gt, gte, lt, lte for startAt"},
        ),
        (
            _where(_condition("status", "like", "a%")),
            {"/where/0/op": "must be eq, ne, in, notIn, gt, gte, lt, lte, isSet or isNotSet"},
        ),
        (_where(_condition("endAt", "isSet", True)), {"/where/0/value": "must be left out for isSet"}),
        (_where(_condition("status", "eq")), {"/where/0/value": "is required"}),
        (_where(_condition("status", "eq", None)), {"/where/0/value": "is required"}),
        (
            _where(_condition("status", "eq", "done")),
            {"/where/0/value": "must be one of scheduled, active, completed, cancelled"},
        ),
        (
            _where(_condition("status", "eq", ["active"])),
            {"/where/0/value": "must be one of scheduled, active, completed, cancelled"},
        ),
        (
            _where(_condition("status", "in", ["active", "done", 1])),
            dict.fromkeys(
                ("/where/0/value/1", "/where/0/value/2"), "must be one of scheduled, active, completed, cancelled"
            ),
        ),
        (_where(_condition("status", "in", "active")), {"/where/0/value": "must be a list of 1 to 50 values"}),
        (_where(_condition("status", "in", [])), {"/where/0/value": "must be a list of 1 to 50 values"}),
        (_where(_condition("clientId", "in", [ID] * 51)), {"/where/0/value": "must be a list of 1 to 50 values"}),
        (_where(_condition("clientId", "eq", "Alster")), {"/where/0/value": "must be an id"}),
        (_where(_condition("clientId", "eq", 7)), {"/where/0/value": "must be an id"}),
        (
            _where(_condition("startAt", "lt", "2026-03-01")),
            {"/where/0/value": "must be an ISO 8601 date-time with an offset"},
        ),
        (
            _where(_condition("startAt", "lt", 1772354400)),
            {"/where/0/value": "must be an ISO 8601 date-time with an offset"},
        ),
        (_where(_condition("hours", "gt", "8")), {"/where/0/value": "must be a number of hours"}),
        (_where(_condition("hours", "gt", True)), {"/where/0/value": "must be a number of hours"}),
        (_where(_condition("hours", "gt", float("nan"))), {"/where/0/value": "must be a number of hours"}),
        (_where(_condition("billed", "gt", 10**13)), {"/where/0/value": "must be a number of major units"}),
        (
            _simple(source="positions", field="headcount", where=[_condition("headcount", "gt", {})]),
            {"/where/0/value": "must be a number"},
        ),
        (
            _simple(source="positions", field="headcount", where=[_condition("isActive", "eq", "true")]),
            {"/where/0/value": "must be true or false"},
        ),
        (
            _simple(source="positions", field="headcount", where=[_condition("name", "eq", " \n")]),
            {"/where/0/value": "must be a text of one line, 1 to 255 characters"},
        ),
        # dimensions
        (
            _simple(groupBy=["hours"]),
            {"/groupBy/0": "must be one of clientId, workLocationId, positionId, workerId, status"},
        ),
        (_simple(groupBy=["clientId", "workerId"]), {"/groupBy": "must have at most 1 item"}),
        (_simple(groupBy="clientId"), {"/groupBy": "must be a list"}),
        (
            {"type": "snapshot", "source": "clients", "aggregate": "count", "groupBy": ["name"]},
            {"/groupBy/0": "must be one of hasWorkLocations"},
        ),
        ({**_ratio(HOURS, HOURS), "groupBy": []}, {"/groupBy": IS_NO_FIELD}),
        # ratios
        (_ratio(HOURS, BILLED), {"/denominator": "hours cannot be divided by money"}),
        (_ratio(COUNT, BILLED), {"/denominator": "number cannot be divided by money"}),
        (_ratio({**HOURS, "period": "today"}, HOURS), {"/numerator/period": IS_NO_FIELD}),
        (_ratio(_constant(1), HOURS), {"/numerator/type": "must be one of simple, snapshot"}),
        (
            _ratio({**HOURS, "where": [_condition("status", "gt", 1)]}, {**HOURS, "field": "x"}),
            {
                "/numerator/where/0/op": "must be one of eq, ne, in, notIn for status",
                "/denominator/field": "is not a field of assignments",
            },
        ),
        # expressions
        (_derived("add", HOURS, BILLED), {"/expression": "hours and money cannot be added"}),
        (_derived("sub", HOURS, BILLED), {"/expression": "money cannot be subtracted from hours"}),
        (_derived("mul", BILLED, BILLED), {"/expression": "money and money cannot be multiplied"}),
        (_derived("mul", HOURS, HOURS), {"/expression": "hours and hours cannot be multiplied"}),
        (_derived("div", HOURS, BILLED), {"/expression": "hours cannot be divided by money"}),
        (
            _derived("add", _node("add", HOURS, COUNT), _constant(1)),
            {"/expression/left": "hours and number cannot be added"},
        ),
        (_derived("div", HOURS, _constant(0)), {"/expression/right": "must not be 0"}),
        (_derived("div", HOURS, _constant(-0.0)), {"/expression/right": "must not be 0"}),
        (
            _derived("div", HOURS, _node("sub", _constant(2), _node("mul", _constant(1), _constant(2)))),
            {"/expression/right": "must not be 0"},
        ),
        (
            _derived("div", HOURS, _node("add", _node("sub", _constant(1), _constant(2)), _constant(1))),
            {"/expression/right": "must not be 0"},
        ),
        (
            _derived("div", HOURS, _node("sub", _node("div", _constant(1), _constant(4)), _constant(0.25))),
            {"/expression/right": "must not be 0"},
        ),
        (
            _derived("mul", _constant(2), _constant(3)),
            {"/expression": "must contain at least one aggregate over a source"},
        ),
        (_derived("mul", COUNT, _constant("3")), {"/expression/right/value": A_NUMBER}),
        (_derived("mul", COUNT, _constant(True)), {"/expression/right/value": A_NUMBER}),
        (_derived("mul", COUNT, _constant(10**13)), {"/expression/right/value": A_NUMBER}),
        (
            _derived("mul", COUNT, _constant(1, "days")),
            {"/expression/right/unit": "must be number, hours, money or percent"},
        ),
        (
            _derived("mul", COUNT, {"type": "sum"}),
            {"/expression/right/type": "must be one of simple, snapshot, constant, add, sub, mul, div"},
        ),
        ({**_nested(0), "expression": COUNT}, {"/expression/type": "must be one of add, sub, mul, div"}),
        ({**_nested(0), "expression": 1}, {"/expression": "must be an object"}),
        (
            {**_nested(0), "expression": {"type": "add"}},
            {"/expression/left": "is required", "/expression/right": "is required"},
        ),
        (_nested(5), {"/expression/left/left/left/left": DEEP}),
        (
            _nested(6),
            {"/expression/left/left/left/left": DEEP, "/expression/left/left/left/left/left": DEEP},
        ),
        (
            _nested(5, {**HOURS, "field": "hourz"}),
            {
                "/expression/left/left/left/left": DEEP,
                "/expression/left/left/left/left/left/field": "is not a field of assignments",
            },
        ),
        (_nested(10), {"/expression": "must have at most 20 operations and operands"}),
        (_nested(10_000), {"/expression": "must have at most 20 operations and operands"}),
        # cumulative
        ({"type": "cumulative", **HOURS}, {"/since": EITHER}),
        ({"type": "cumulative", **HOURS, "since": "week", "window": "P7D"}, {"/since": EITHER}),
        ({"type": "cumulative", **HOURS, "since": "day"}, {"/since": "must be week, month, quarter or year"}),
        *(
            ({"type": "cumulative", **HOURS, "window": window}, {"/window": "must be days from P1D to P366D"})
            for window in ("P0D", "P367D", "P1000D", "P07D", "P1W", "7D", "PT24H", "P7D ago")
        ),
        ({"type": "cumulative", **HOURS, "window": 7}, {"/window": "must be a text"}),
        (
            {"type": "cumulative", **HOURS, "since": "week", "aggregate": "avg"},
            {"/aggregate": "must be count or sum"},
        ),
        ({"type": "cumulative", **HOURS, "since": "week", "period": "today"}, {"/period": IS_NO_FIELD}),
        # conversions
        (_conversion(source="clients"), {"/from": "must be left out: clients have no states"}),
        (_conversion(**{"from": "hired"}), {"/from": "must be one of invited"}),
        (_conversion(to="hired"), {"/to": "must be one of accepted"}),
        (_conversion(within="P2D"), {"/within": "must be P1D, P7D, P14D, P30D or P90D"}),
    ],
)
def test_errors_have_a_pointer_and_a_message(query: Any, errors: dict[str, str]) -> None:
    assert _errors(query) == errors


def test_twenty_nodes_are_enough() -> None:
    """Given trees of 19 and 21 nodes that are not deep, when they are read, then only the larger one is refused."""
    three = _node("add", COUNT, COUNT)
    seven = _node("add", three, three)
    nineteen = _node("add", _node("add", seven, three), seven)
    twenty_one = _node("add", _node("add", seven, three), _node("add", seven, COUNT))
    parse({"type": "derived", "expression": nineteen, "period": "today"})
    assert _errors({"type": "derived", "expression": twenty_one, "period": "today"}) == {
        "/expression": "must have at most 20 operations and operands"
    }


BREAKAGES: dict[str, Any] = {
    "/version": 2,
    "/aggregate": "median",
    "/period": "someday",
    "/compare": "sometimes",
    "/groupBy/0": ["hours"],
    "/where/0/op": [_condition("status", "gt", "x")],
    "/where/0/value": [_condition("hours", "gt", "x")],
    "/where/0": ["x"],
    "/surplus": 1,
}


@law(100)
@given(st.lists(st.sampled_from(sorted(BREAKAGES)), min_size=1, unique_by=lambda pointer: pointer.split("/")[1]))
def test_all_errors_are_reported_at_once(pointers: list[str]) -> None:
    query = _simple(**{pointer.split("/")[1]: BREAKAGES[pointer] for pointer in pointers})
    assert set(_errors(query)) == set(pointers)


@law(100)
@given(st.lists(st.sampled_from(["field", "op", "value", "surplus", None]), min_size=1, max_size=10))
def test_all_errors_of_all_conditions_are_reported(broken: list[str | None]) -> None:
    conditions = {
        None: _condition("status", "eq", "active"),
        "field": _condition("state", "eq", "active"),
        "op": _condition("status", "gt", "active"),
        "value": _condition("status", "eq", "done"),
        "surplus": {**_condition("status", "eq", "active"), "surplus": 1},
    }
    query = _where(*(conditions[breakage] for breakage in broken))
    expected = {f"/where/{index}/{breakage}" for index, breakage in enumerate(broken) if breakage is not None}
    if expected:
        assert set(_errors(query)) == expected
    else:
        parse(query)


# -- as a field of a contract ----------------------------------------------------------------------------------------


class Defined(Body):
    name: str
    query: MetricQuery


def test_a_contract_may_have_a_query() -> None:
    query = _where(_condition("endAt", "isSet"), _condition("startAt", "lt", "2026-03-01T00:00:00Z"))
    body = Defined.model_validate_json(json.dumps({"name": "Hours", "query": query}))
    assert isinstance(body.query, SimpleQuery)
    assert body.query == parse(query)
    assert json.loads(body.model_dump_json())["query"] == body.query.model_dump(mode="json")
    assert Defined(name="Hours", query=body.query) == body


def test_errors_of_a_query_in_a_contract_are_below_its_field() -> None:
    sent = {"query": _where({**_condition("status", "gt", 1)}, {"x/y": 1})}
    with pytest.raises(ValidationError) as raised:
        Defined.model_validate_json(json.dumps(sent))
    errors = {error["loc"]: (error["msg"], error.get("ctx", {}).get("pointer")) for error in raised.value.errors()}
    assert errors == {
        ("name",): ("Field required", None),
        ("query", "where", 0, "op"): ("must be one of eq, ne, in, notIn for status", "/where/0/op"),
        ("query", "where", 1, "field"): ("is required", "/where/1/field"),
        ("query", "where", 1, "op"): ("is required", "/where/1/op"),
        ("query", "where", 1, "x/y"): (IS_NO_FIELD, "/where/1/x~1y"),
    }


def test_the_exception_has_a_readable_text() -> None:
    with pytest.raises(InvalidQuery, match=r"^/type: is required$"):
        parse({})
    with pytest.raises(InvalidQuery, match=r"^the query: must be an object$"):
        parse(1)


def test_the_examples_of_the_manual_are_valid() -> None:
    """Given the examples of docs/metrics.md, when they are parsed, then every kind of query is among them."""
    manual = (Path(__file__).parents[3] / "docs/metrics.md").read_text()
    examples = [json.loads(block) for block in re.findall(r"```json\n(.+?)```", manual, re.DOTALL)]
    assert [parse(example).type for example in examples] == [
        "simple",
        "snapshot",
        "cumulative",
        "ratio",
        "derived",
        "conversion",
        "ratio",
    ]
    assert all(f"`{period}`" in manual for period in NamedPeriod)
