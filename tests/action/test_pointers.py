"""Errors within a metric's query: reported by field, as all errors, and by JSON pointer into the body."""

from __future__ import annotations

import json
from typing import Any

import pytest

import chalicelib.modules.metrics.actions  # noqa: F401  declares the action
from chalicelib.action.context import Request
from chalicelib.action.registry import REGISTRY
from chalicelib.action.validation import arguments_of
from chalicelib.core.errors import ActionError

pytestmark = pytest.mark.storeless

COUNT: dict[str, Any] = {"type": "snapshot", "source": "workers", "aggregate": "count"}


def _details(body: dict[str, Any]) -> Any:
    request = Request("r", "198.51.100.1", "/", {}, {}, {}, json.dumps(body).encode())
    with pytest.raises(ActionError) as raised:
        arguments_of(REGISTRY["createDashboardMetric"], request)
    return raised.value.details


def test_errors_of_a_query_have_pointers() -> None:
    query = {**COUNT, "where": [{"field": "name", "op": "gt", "value": "x"}], "a.b/c": 1}
    assert _details({"name": "", "category": "SALES", "query": query}) == {
        "fieldErrors": {
            "name": ["must not be empty"],
            "query.where.0.op": ["must be one of eq, ne, in, notIn for name"],
            "query.a.b/c": ["is not a field here"],
        },
        "pointers": {"query.where.0.op": "/query/where/0/op", "query.a.b/c": "/query/a.b~1c"},
    }


def test_other_errors_have_no_pointers() -> None:
    assert _details({"name": "Workers", "category": "SALES", "query": COUNT, "color": 1}).keys() == {"fieldErrors"}
