"""Strategies of valid metric queries as JSON: all kinds, over all sources and fields of the catalogue."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from chalicelib.core import clock
from chalicelib.metrics.language.periods import Comparison, NamedPeriod
from chalicelib.metrics.language.query import Since, Within
from chalicelib.metrics.language.units import RATIOS, RESULTS, Operation
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.metrics.rollups.sources.base import Source
from chalicelib.metrics.rollups.sources.fields import FOR_LISTS, UNITS, WITHOUT_VALUE, Aggregate, Field, FieldType, Unit

Json = dict[str, Any]

ANY_SOURCE = st.sampled_from(list(SOURCES.values()))
_NUMBERS = st.integers(-(10**12), 10**12) | st.floats(-(10**12), 10**12)
_INSTANTS = st.integers(0, 4 * 10**12).map(lambda since_1970: clock.to_text(clock.from_milliseconds(since_1970)))
_VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.BOOLEAN: st.booleans(),
    FieldType.DURATION: _NUMBERS,
    FieldType.ID: st.uuids().map(str),
    FieldType.INSTANT: _INSTANTS,
    FieldType.MONEY: _NUMBERS,
    FieldType.NUMBER: _NUMBERS,
    FieldType.TEXT: st.text("aäß ✓,'{}", min_size=1, max_size=20).map(str.strip).filter(bool),
}


def _value(field: Field) -> st.SearchStrategy[Any]:
    return st.sampled_from(field.values) if field.type is FieldType.ENUM else _VALUES[field.type]


@st.composite
def conditions(draw: st.DrawFn, source: Source[Any]) -> Json:
    field = draw(st.sampled_from(list(source.fields.values())))
    operator = draw(st.sampled_from(field.operators))
    condition: Json = {"field": field.name, "op": operator.value}
    if operator in FOR_LISTS:
        condition["value"] = draw(st.lists(_value(field), min_size=1, max_size=3))
    elif operator not in WITHOUT_VALUE:
        condition["value"] = draw(_value(field))
    return condition


@st.composite
def aggregations(draw: st.DrawFn, *, momentary: bool = False, totals: bool = False) -> Json:
    """Draw an aggregation without its type."""
    source = draw(ANY_SOURCE)
    choices: list[tuple[Aggregate, str | None]] = [(Aggregate.COUNT, None)]
    for field in source.fields.values():
        if not momentary:
            choices += [(aggregate, field.name) for aggregate in field.aggregates]
        elif field.is_measure and not source.accumulates(field):
            choices.append((Aggregate.SUM, field.name))
    aggregate, field_name = draw(
        st.sampled_from([choice for choice in choices if not totals or choice[0] in {Aggregate.COUNT, Aggregate.SUM}])
    )
    aggregation: Json = {
        "source": source.name,
        "aggregate": aggregate.value,
        "where": draw(st.lists(conditions(source), max_size=2)),
    }
    return aggregation if field_name is None else {**aggregation, "field": field_name}


def unit_of(operand: Json) -> Unit:
    """Return the unit of an aggregation, constant or operation."""
    if operand["type"] == "constant":
        return Unit(operand["unit"])
    if operand["type"] in list(Operation):
        return RESULTS[Operation(operand["type"])][unit_of(operand["left"]), unit_of(operand["right"])]
    field = operand.get("field")
    return UNITS.get(SOURCES[operand["source"]].fields[field].type, Unit.NUMBER) if field else Unit.NUMBER


SIMPLE = aggregations().map(lambda aggregation: {"type": "simple", **aggregation})
SNAPSHOTS = aggregations(momentary=True).map(lambda aggregation: {"type": "snapshot", **aggregation})
OPERANDS = SIMPLE | SNAPSHOTS
CONSTANTS = st.fixed_dictionaries(
    {
        "type": st.just("constant"),
        "value": st.integers(1, 100) | st.sampled_from([0.5, -2.25]),
        "unit": st.sampled_from([unit.value for unit in Unit]),
    }
)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> Json:
    left = draw(expressions(depth - 1) if depth > 1 and draw(st.booleans()) else OPERANDS)
    operation, right_unit = draw(
        st.sampled_from(
            [
                (operation, right)
                for operation, table in RESULTS.items()
                for left_unit, right in table
                if left_unit is unit_of(left)
            ]
        )
    )
    right = draw(CONSTANTS.map(lambda constant: {**constant, "unit": right_unit.value}))
    return {"type": operation.value, "left": left, "right": right}


@st.composite
def days(draw: st.DrawFn) -> Json:
    first = draw(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
    return {"from": first.isoformat(), "to": (first + timedelta(days=draw(st.integers(0, 3650)))).isoformat()}


PERIODS = st.sampled_from([period.value for period in NamedPeriod]) | days()


@st.composite
def _grouped(draw: st.DrawFn, query: Json) -> Json:
    dimensions = [field.name for field in SOURCES[query["source"]].fields.values() if field.is_dimension]
    return {**query, "groupBy": draw(st.lists(st.sampled_from(dimensions), max_size=1) if dimensions else st.just([]))}


@st.composite
def _ratios(draw: st.DrawFn) -> Json:
    numerator, denominator = draw(
        st.tuples(OPERANDS, OPERANDS).filter(lambda pair: (unit_of(pair[0]), unit_of(pair[1])) in RATIOS)
    )
    return {"type": "ratio", "numerator": numerator, "denominator": denominator}


CUMULATIVE = st.builds(
    lambda aggregation, since: {"type": "cumulative", **aggregation, **since},
    aggregations(totals=True),
    st.integers(1, 366).map(lambda length: {"window": f"P{length}D"})
    | st.sampled_from([{"since": since.value} for since in Since]),
)
CONVERSIONS = st.sampled_from(
    [
        {"type": "conversion", "source": source.name, "from": state, "to": reached, "within": within.value}
        for source in SOURCES.values()
        for state, reachable in source.reachable.items()
        for reached in reachable
        for within in Within
    ]
)


@st.composite
def queries(draw: st.DrawFn) -> Json:
    query = draw(
        SIMPLE.flatmap(_grouped)
        | SNAPSHOTS.flatmap(_grouped)
        | CUMULATIVE
        | _ratios()
        | expressions().map(lambda expression: {"type": "derived", "expression": expression})
        | CONVERSIONS
    )
    if query["type"] != "cumulative":
        query = {**query, "period": draw(PERIODS)}
    optional = {"version": 1, "compare": draw(st.sampled_from([comparison.value for comparison in Comparison]))}
    return {**query, **(optional if draw(st.booleans()) else {})}
