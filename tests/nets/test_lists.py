"""Lists of one kind take the same parameters: page lists, cursor lists, and lists of few rows."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.action.registry import REGISTRY, Action
from chalicelib.core.contracts import ChildrenQuery, CursorQuery, PageQuery
from tests.support.arrange import arrange, names, operation
from tests.support.factories import Organization

PAGE = {"page", "pageSize", "search", "sortBy", "sortOrder"}
CURSOR = {"cursor", "limit"}
LIMITS = {
    "getWorkerWithAssignments": "with the worker: as many assignments as a page may have",
}
"""Cursor lists with another default, and why."""
WITHOUT = {
    **dict.fromkeys(
        (
            "getMemberRates", "getOrganizationRates", "getPositionRates", "getProjectMemberRates", "getProjectRates",
            "getWorkerRates",
        ),
        "the rates of one entity are a field of it",
    ),
    "getRepaymentSchedule": "the rows of one loan, with their totals",
    "listTags": "the tags of an organization are a field of its account",
}  # fmt: skip
"""Lists without parameters, and why they are bounded."""


def _is_list(action: Action) -> bool:
    return action.method == "GET" and bool({"cursor", "page"} & {*_parameters(action)})


def _parameters(action: Action) -> dict[str, Any]:
    return {row["name"]: row for row in operation(action)["parameters"] if row["in"] == "query"}


LISTS = names(_is_list)
CURSOR_LISTS = names(lambda action: _is_list(action) and "cursor" in _parameters(action))
PAGE_LISTS = names(lambda action: _is_list(action) and "page" in _parameters(action))


def test_every_list_has_a_kind_or_a_reason() -> None:
    """An answer with a list of rows, under whichever name, is a list that takes parameters, or is bounded otherwise."""
    named = {
        name
        for name, action in REGISTRY.items()
        if action.method == "GET" and name.startswith(("list", "get")) and name.endswith("Rates")
    }
    assert named <= {*WITHOUT}
    assert not {*WITHOUT} & {*LISTS}
    for name in LISTS:
        assert issubclass(REGISTRY[name].data_type or object, PageQuery | CursorQuery), name


@pytest.mark.parametrize("action", LISTS)
def test_lists_of_one_kind_take_the_same_parameters(action: str) -> None:
    parameters, contract = _parameters(REGISTRY[action]), REGISTRY[action].data_type
    assert contract is not None
    assert {*parameters} >= CURSOR
    if issubclass(contract, PageQuery):
        assert {*parameters} >= PAGE
    elif "page" in parameters:
        # Assignments by time: the cursor list is the first choice, a page list with totals the other.
        assert {*parameters} >= {"page", "pageSize", "search", "sortOrder"}
    default = parameters["limit"]["schema"].get("default")
    bounds = (parameters["limit"]["schema"]["minimum"], parameters["limit"]["schema"]["maximum"])
    if issubclass(contract, ChildrenQuery):
        assert (default, bounds) == (500, (1, 500))
    else:
        assert bounds == (1, 100)
        assert default in ({None, 20} if action not in LIMITS else {100})


@pytest.mark.parametrize("action", CURSOR_LISTS)
def test_a_limit_is_honoured_and_bounded_everywhere(home: Organization, action: str) -> None:
    arranged = arrange(action, home)
    maximum = _parameters(REGISTRY[action])["limit"]["schema"]["maximum"]
    for limit in (1, maximum):
        arranged.call.query["limit"] = limit
        answer = arranged.send()
        assert answer.status == 200, answer.text
        rows = next(value for value in answer.data.values() if isinstance(value, list))
        assert len(rows) <= limit
        assert "nextCursor" in answer.data
    for limit in (0, maximum + 1):
        arranged.call.query["limit"] = limit
        answer = arranged.send()
        assert (answer.status, [*answer.error["details"]["fieldErrors"]]) == (400, ["limit"]), answer.text


@pytest.mark.parametrize("action", PAGE_LISTS)
def test_a_page_has_twenty_rows_by_default(home: Organization, action: str) -> None:
    arranged = arrange(action, home)
    arranged.call.query["page"] = 1
    answer = arranged.send()
    assert answer.status == 200, answer.text
    assert answer.data["pagination"]["pageSize"] == 20
    arranged.call.query["limit"] = 20
    mixed = arranged.send()
    assert (mixed.status, mixed.code) == (400, "VALIDATION_ERROR")
