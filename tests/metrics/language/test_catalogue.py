"""The catalogue is consistent: its names exist, and its view shows exactly the valid queries."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from chalicelib.auth.permissions import PERMISSIONS, Permission
from chalicelib.dal.collection import Collection
from chalicelib.metrics.language.catalogue_view import catalogue_view
from chalicelib.metrics.language.errors import InvalidQuery
from chalicelib.metrics.language.query import parse
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.metrics.rollups.sources.fields import OPERATORS, Field, FieldType, Operator, TimeBinding
from chalicelib.models.activities.activities import ActivityType, Severity
from chalicelib.models.loans.arrears import Bucket
from chalicelib.models.loans.loans import LOANS, LoanStatus, Side
from chalicelib.models.staffing.assignments import ASSIGNMENTS, AssignmentStatus
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.models.time.projects import PROJECTS, ProjectStatus
from chalicelib.models.time.session_spans import SESSION_SPANS
from chalicelib.models.time.tasks import TASKS, TaskStatus
from chalicelib.models.users import USERS, Role, UserStatus

pytestmark = pytest.mark.storeless

COLLECTIONS: dict[str, Collection[Any]] = {
    "assignments": ASSIGNMENTS,
    "clients": CLIENTS,
    "loans": LOANS,
    "positions": POSITIONS,
    "projects": PROJECTS,
    "tasks": TASKS,
    "timeSessions": SESSION_SPANS,
    "users": USERS,
    "workers": WORKERS,
}
FIELDS = [(source.name, field) for source in SOURCES.values() for field in source.fields.values()]
PAIRS = pytest.mark.parametrize(("source", "field"), FIELDS, ids=[f"{source}.{field.name}" for source, field in FIELDS])
COMPUTED = {
    "status",
    "isOpen",
    "filled",
    "hours",
    "billed",
    "paid",
    "margin",
    "marginBase",
    "unbilledHours",
    "unpaidHours",
    "billableHours",
    "unpricedHours",
    "name",
    "clientId",
    "side",
    "bucket",
    "outstanding",
    "interestPaid",
    "daysPastDue",
    "filledAt",
    "hasWorkLocations",
    "isPlaced",
}

LEVELS = {
    "positions.headcount",
    "positions.filled",
    "loans.principal",
    "loans.outstanding",
    "loans.daysPastDue",
}
"""Measures that are known at an instant."""


def _count(source: str, **parts: Any) -> dict[str, Any]:
    return {"type": "simple", "source": source, "aggregate": "count", "period": "today", **parts}


def _is_valid(query: dict[str, Any]) -> bool:
    try:
        parse(query)
    except InvalidQuery:
        return False
    return True


def test_sources_are_in_order() -> None:
    assert list(SOURCES) == [
        "activities",
        "assignments",
        "clients",
        "loans",
        "positions",
        "projects",
        "tasks",
        "timeSessions",
        "users",
        "workers",
    ]
    assert all(source.name == name for name, source in SOURCES.items())


@pytest.mark.parametrize("name", SOURCES)
def test_time_binds_to_an_instant_that_is_always_there(name: str) -> None:
    source = SOURCES[name]
    field = source.fields[source.time_field]
    assert field.type is FieldType.INSTANT
    assert not field.nullable
    assert (source.time is TimeBinding.INTERVAL) == (name in {"assignments", "loans", "timeSessions"})


@pytest.mark.parametrize("name", COLLECTIONS)
def test_fields_are_those_of_the_records(name: str) -> None:
    known = {to_camel(field) for field in COLLECTIONS[name].record.model_fields}
    assert SOURCES[name].fields.keys() - COMPUTED <= known
    for field in SOURCES[name].fields.values():
        if field.name in known:
            default = next(
                declared.default
                for stored, declared in COLLECTIONS[name].record.model_fields.items()
                if to_camel(stored) == field.name
            )
            assert field.nullable == (default is None), field.name


@pytest.mark.parametrize(
    ("source", "field", "values"),
    [
        ("activities", "type", ActivityType),
        ("activities", "severity", Severity),
        ("assignments", "status", AssignmentStatus),
        ("loans", "side", Side),
        ("loans", "status", LoanStatus),
        ("loans", "bucket", Bucket),
        ("projects", "status", ProjectStatus),
        ("tasks", "status", TaskStatus),
        ("users", "role", Role),
        ("users", "status", UserStatus),
    ],
)
def test_enums_have_all_their_values(source: str, field: str, values: Any) -> None:
    assert SOURCES[source].fields[field].values == tuple(member.value for member in values)


@PAIRS
def test_a_field_is_of_one_piece(source: str, field: Field) -> None:
    assert bool(field.values) == (field.type is FieldType.ENUM)
    assert (field.entity is not None) == (field.type is FieldType.ID)
    assert (field.unit is not None) == (field.type in {FieldType.DURATION, FieldType.MONEY, FieldType.NUMBER})
    assert not field.is_measure or field.unit is not None
    assert not field.is_dimension or field.type in {FieldType.BOOLEAN, FieldType.ENUM, FieldType.ID}
    assert not (field.is_dimension and field.is_measure)
    assert field.label


@PAIRS
def test_a_field_takes_exactly_its_operators(source: str, field: Field) -> None:
    values = {
        FieldType.BOOLEAN: True,
        FieldType.ENUM: next(iter(field.values), None),
        FieldType.ID: "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091",
        FieldType.INSTANT: "2026-03-01T08:30:00.000Z",
        FieldType.TEXT: "x",
    }
    value = values.get(field.type, 1)
    for operator in Operator:
        condition: dict[str, Any] = {"field": field.name, "op": operator}
        if operator in {Operator.IN, Operator.NOT_IN}:
            condition["value"] = [value]
        elif operator not in {Operator.IS_SET, Operator.IS_NOT_SET}:
            condition["value"] = value
        assert _is_valid(_count(source, where=[condition])) == (operator in field.operators), operator


@PAIRS
def test_a_field_takes_exactly_its_aggregates(source: str, field: Field) -> None:
    for aggregate in ("count", "sum", "avg", "min", "max", "countDistinct"):
        query = _count(source, aggregate=aggregate, field=field.name)
        assert _is_valid(query) == (aggregate in field.aggregates), aggregate


@PAIRS
def test_only_dimensions_group(source: str, field: Field) -> None:
    assert _is_valid(_count(source, groupBy=[field.name])) == field.is_dimension


@PAIRS
def test_accumulating_measures_are_not_summed_at_an_instant(source: str, field: Field) -> None:
    snapshot = _count(source, type="snapshot", aggregate="sum", field=field.name)
    shown = next(view for view in catalogue_view().sources if view.name == source)
    is_momentary = next(view.is_momentary for view in shown.fields if view.name == field.name)
    assert _is_valid(snapshot) == is_momentary == (f"{source}.{field.name}" in LEVELS)


def test_operators_by_type() -> None:
    assert {kind.value: " ".join(operators) for kind, operators in OPERATORS.items()} == {
        "boolean": "eq ne",
        "duration": "eq ne gt gte lt lte",
        "enum": "eq ne in notIn",
        "id": "eq ne in notIn",
        "instant": "gt gte lt lte",
        "money": "eq ne gt gte lt lte",
        "number": "eq ne gt gte lt lte",
        "text": "eq ne in notIn",
    }


@pytest.mark.parametrize(
    ("source", "roles"),
    [
        ("activities", set(Role)),
        ("assignments", {Role.OWNER, Role.ADMIN, Role.COORDINATOR}),
        ("clients", set(Role)),
        ("positions", set(Role)),
        ("projects", set(Role)),
        ("tasks", set(Role)),
        ("timeSessions", {Role.OWNER, Role.ADMIN}),
        ("users", {Role.OWNER, Role.ADMIN}),
        ("workers", set(Role)),
    ],
)
def test_roles_that_may_read_the_entities_of_a_source(source: str, roles: set[Role]) -> None:
    permission = SOURCES[source].permission
    assert {role for role, held in PERMISSIONS.items() if permission in held} == roles
    assert isinstance(permission, Permission)


def test_the_view_shows_everything() -> None:
    """Given the catalogue, when it is shown, then every source, field and limit is there, as JSON."""
    view = catalogue_view().model_dump(mode="json")
    assert {
        (source["name"], field["name"]): (field["type"], field["unit"], field["operators"], field["aggregates"])
        for source in view["sources"]
        for field in source["fields"]
    } == {
        (source, field.name): (field.type, field.unit, list(field.operators), list(field.aggregates))
        for source, field in FIELDS
    }
    assert {source["name"]: source["conversions"] for source in view["sources"] if source["conversions"]} == {
        "loans": [
            {"from": "offered", "to": ["accepted", "declined"]},
            {"from": "received", "to": ["accepted", "declined"]},
        ],
        "positions": [{"from": "opened", "to": ["filled"]}],
        "users": [{"from": "invited", "to": ["accepted"]}],
    }
    assert view["limits"] == {
        "conditions": 10,
        "valuesInList": 50,
        "number": 10**12,
        "groupBy": 1,
        "expressionDepth": 4,
        "expressionNodes": 20,
        "windowDays": 366,
        "periodYears": 10,
    }
    assert view["comparisons"] == ["previous_period", "previous_year", "none"]
    assert view["within"] == ["P1D", "P7D", "P14D", "P30D", "P90D"]
    assert view["since"] == ["week", "month", "quarter", "year"]
    assert view["units"] == ["number", "hours", "money", "percent"]
    assert "last_90_days" in view["periods"]


def test_the_view_has_the_details_that_an_editor_needs() -> None:
    view = {source.name: source for source in catalogue_view().sources}
    end = next(field for field in view["assignments"].fields if field.name == "endAt")
    assert (end.nullable, end.operators[-2:]) == (True, [Operator.IS_SET, Operator.IS_NOT_SET])
    assert (view["assignments"].time, view["assignments"].time_field) == (TimeBinding.INTERVAL, "startAt")
    client = next(field for field in view["positions"].fields if field.name == "clientId")
    assert (client.entity, client.is_dimension, client.is_measure) == ("client", True, False)
    assert view["users"].permission == "users:manage"
