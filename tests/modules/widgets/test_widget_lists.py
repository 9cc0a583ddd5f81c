"""Lists of widgets: in the order of the dashboard, each once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.factories import Member, Organization, new_organization
from tests.support.hypothesis_profile import law
from tests.support.widget_helpers import names, new_widget


def at(x: int, y: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": 1, "h": 1}


def walked(member: Member, limit: int, action: str = "getDashboardWidgets", **parts: object) -> list[str]:
    names: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = member.call(action, query={"limit": limit, **cursor}, **parts)
        names += [row["name"] for row in answer.data["items"]]
        if answer.data["nextCursor"] is None:
            return names
        assert len(answer.data["items"]) == limit
        cursor = {"cursor": answer.data["nextCursor"]}


@pytest.fixture(scope="module")
def arranged(api: Api) -> Organization:
    """Two shared widgets between two of a member's own, and one more at the place of another."""
    organization = new_organization(api)
    member = organization.member(Role.MEMBER)
    new_widget(member, "TABLE", name="last", position=at(0, 10))
    new_widget(organization.owner, "TABLE", name="right", position=at(9, 2))
    new_widget(organization.owner, name="left", position=at(0, 2))
    new_widget(member, name="first", position=at(5, 0))
    new_widget(member, name="beneath it", position=at(5, 0))
    return organization


def test_by_row_then_from_the_left_then_by_age(arranged: Organization) -> None:
    member = arranged.member(Role.MEMBER)

    assert names(member) == ["first", "beneath it", "left", "right", "last"]
    assert names(arranged.owner) == ["left", "right"]


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 100])
def test_a_walk_yields_each_once(arranged: Organization, limit: int) -> None:
    expected = ["first", "beneath it", "left", "right", "last"]

    assert walked(arranged.member(Role.MEMBER), limit) == expected


def test_of_one_type_or_scope(arranged: Organization) -> None:
    member = arranged.member(Role.MEMBER)

    assert names(member, "getWidgetsByType", path={"type": "TABLE"}) == ["right", "last"]
    assert walked(member, 1, "getWidgetsByType", path={"type": "TABLE"}) == ["right", "last"]
    assert names(member, "getWidgetsByType", path={"type": "METRIC"}) == []
    assert names(member, query={"scope": "PERSONAL"}) == ["first", "beneath it", "last"]
    assert names(member, query={"scope": "ORGANIZATION"}) == ["left", "right"]


def test_each_row_names_its_own_creator(arranged: Organization) -> None:
    member = arranged.member(Role.MEMBER)

    rows = member.call("getDashboardWidgets").data["items"]

    assert {row["creator"]["email"] for row in rows if row["scope"] == "PERSONAL"} == {member.user.email}
    assert {row["creator"]["email"] for row in rows if row["scope"] == "ORGANIZATION"} == {arranged.owner.user.email}


def test_a_list_costs_a_query_for_each_dashboard_and_one_read(arranged: Organization) -> None:
    answer = arranged.member(Role.MEMBER).call("getDashboardWidgets")

    assert answer.recording.operations == ["BatchGetItem", "Query", "Query", "BatchGetItem"]


def test_a_cursor_serves_its_own_list(arranged: Organization) -> None:
    member = arranged.member(Role.MEMBER)
    cursor = member.call("getDashboardWidgets", query={"limit": 1}).data["nextCursor"]

    other = member.call("getWidgetsByType", path={"type": "TABLE"}, query={"cursor": cursor})

    assert (other.status, other.code) == (400, "VALIDATION_ERROR")


def test_an_unknown_type_is_refused(arranged: Organization) -> None:
    assert arranged.owner.call("getWidgetsByType", path={"type": "NONSENSE"}).code == "VALIDATION_ERROR"


@law(5)
@given(places=st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 9999)), min_size=1, max_size=4))
def test_whatever_the_places(api: Api, places: list[tuple[int, int]]) -> None:
    owner = new_organization(api).owner
    for number, (x, y) in enumerate(places):
        new_widget(owner, name=str(number), position=at(x, y))

    expected = sorted(range(len(places)), key=lambda number: (places[number][1], places[number][0], number))
    assert walked(owner, 2) == [str(number) for number in expected]
