"""Filter patterns match as in Lambda; unsupported ones are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.event_filter import EventFilter, UnknownPattern
from infra.local.template import stream_source


def _filter(*patterns: Any) -> EventFilter:
    return EventFilter({"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]})


@pytest.mark.parametrize(
    ("pattern", "record", "passes"),
    [
        ({"a": ["x"]}, {"a": "x"}, True),
        ({"a": ["x"]}, {"a": "xy"}, False),
        ({"a": ["x"]}, {}, False),
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": ["x"], "b": ["y"]}, {"a": "x", "b": "y"}, True),
        ({"a": ["x"], "b": ["y"]}, {"a": "x", "b": "z"}, False),
        ({"a": {"b": ["x"]}}, {"a": {"b": "x"}}, True),
        ({"a": {"b": ["x"]}}, {"a": "x"}, False),
        ({"a": [None]}, {"a": None}, True),
        ({"a": [None]}, {}, False),
        ({"a": [{"exists": True}]}, {"a": ""}, True),
        ({"a": [{"exists": True}]}, {}, False),
        ({"a": [{"exists": True}]}, {"a": {"b": "x"}}, False),
        ({"a": [{"exists": False}]}, {}, True),
        ({"a": [{"exists": False}]}, {"a": None}, False),
        ({"a": {"b": {"c": [{"exists": False}]}}}, {}, True),
        ({"a": {"b": {"c": [{"exists": False}]}}}, {"a": {"b": {"c": "1"}}}, False),
        ({"a": [{"prefix": "ab"}]}, {"a": "abc"}, True),
        ({"a": [{"prefix": "ab"}]}, {"a": "b"}, False),
        ({"a": [{"prefix": "ab"}]}, {}, False),
        ({"a": [{"exists": False}, {"prefix": "x"}]}, {"a": "xy"}, True),
    ],
)
def test_a_pattern(pattern: Any, record: dict[str, Any], *, passes: bool) -> None:
    assert _filter(pattern).passes(record) is passes


def test_any_of_several_patterns_suffices_and_no_pattern_passes_all() -> None:
    both = _filter({"a": ["x"]}, {"a": ["y"]})
    assert [both.passes({"a": value}) for value in "xyz"] == [True, True, False]
    assert EventFilter().passes({"a": "z"})


@pytest.mark.parametrize(
    "pattern",
    [
        {"a": [{"anything-but": ["x"]}]},
        {"a": [{"numeric": [">", 1]}]},
        {"a": [{"suffix": "x"}]},
        {"a": [{"exists": "false"}]},
        {"a": [{"exists": False, "prefix": "x"}]},
        {"a": [1]},
        {"a": [["x"]]},
        {"a": []},
        {"a": {}},
        {"a": "x"},
        {"$or": [{"a": ["x"]}]},
        [],
    ],
)
def test_unsupported_patterns_are_refused(pattern: Any) -> None:
    with pytest.raises(UnknownPattern):
        _filter(pattern)


@pytest.mark.parametrize(
    ("record", "readers"),
    [
        ({"eventName": "INSERT", "dynamodb": {"NewImage": {"pk": {"S": "p"}}}}, ["consume_stream"]),
        ({"eventName": "REMOVE", "dynamodb": {"OldImage": {"derived": {"N": "1"}}}}, ["consume_stream"]),
        ({"eventName": "MODIFY", "dynamodb": {"NewImage": {"derived": {"N": "1"}}}}, []),
        (
            {"eventName": "INSERT", "dynamodb": {"NewImage": {"gsi2pk": {"S": "MAIL#UNSENT"}, "derived": {"N": "1"}}}},
            ["dispatch_stream"],
        ),
        (
            {
                "eventName": "INSERT",
                "dynamodb": {"NewImage": {"data": {"M": {"requestId": {"S": "r"}}}, "derived": {"N": "1"}}},
            },
            ["dispatch_stream"],
        ),
        (
            {
                "eventName": "MODIFY",
                "dynamodb": {"NewImage": {"data": {"M": {"requestId": {"S": "r"}}}, "derived": {"N": "1"}}},
            },
            [],
        ),
        (
            {"eventName": "MODIFY", "dynamodb": {"NewImage": {"gsi2pk": {"S": "MAIL#UNSENT"}, "derived": {"N": "1"}}}},
            [],
        ),
    ],
)
def test_the_readers_of_a_record(record: dict[str, Any], readers: list[str]) -> None:
    consumers = ("consume_stream", "dispatch_stream")
    assert [name for name in consumers if stream_source(name).filter.passes(record)] == readers
