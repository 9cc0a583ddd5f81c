"""Rates of tracked time at four levels: set, listed and deleted like the rates of positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.models.staffing.rates import MAX_RATES
from chalicelib.models.users import Role
from tests.support.api import Answer
from tests.support.client_hooks import overtaken
from tests.support.factories import Organization
from tests.support.project_helpers import new_project

EUR = {"amount": 9_500, "currency": "EUR"}


def _paths(organization: Organization) -> dict[str, dict[str, str]]:
    project, user = new_project(organization.owner)["id"], str(organization.member(Role.MEMBER).user.id)
    organization.owner.call("addProjectMember", path={"id": project, "userId": user})
    return {
        "Organization": {},
        "Member": {"userId": user},
        "Project": {"id": project},
        "ProjectMember": {"id": project, "userId": user},
    }


@pytest.fixture(params=["Organization", "Member", "Project", "ProjectMember"])
def level(request: pytest.FixtureRequest, organization: Organization) -> Callable[..., Answer]:
    """Return a function that calls an action of one level: `set`, `get` or `delete`, with its further path."""
    name, path = request.param, _paths(organization)[request.param]

    def call(verb: str, day: str | None = None, body: Any = None) -> Answer:
        action = f"get{name}Rates" if verb == "get" else f"{verb}{name}Rate"
        return organization.owner.call(action, path={**path, **({"effectiveFrom": day} if day else {})}, body=body)

    return call


def test_rates_are_set_listed_and_deleted(level: Callable[..., Answer]) -> None:
    assert level("get").data == {"rates": []}
    later = level("set", "2026-04-01", {**EUR, "amount": 11_000})
    level("set", "2026-01-01", {**EUR, "amount": 1})
    earlier = level("set", "2026-01-01", EUR)
    assert earlier.data == {**EUR, "effectiveFrom": "2026-01-01"}
    assert level("get").data == {"rates": [earlier.data, later.data]}
    assert level("delete", "2026-01-01").data == earlier.data
    assert level("delete", "2026-01-01").error["message"] == "no such rate"
    assert level("get").data == {"rates": [later.data]}


@pytest.mark.parametrize(
    ("body", "field"),
    [({**EUR, "currency": "USD"}, "currency"), ({**EUR, "amount": -1}, "amount"), ({"amount": 1}, "currency")],
)
def test_a_faulty_rate_is_refused(level: Callable[..., Answer], body: dict[str, Any], field: str) -> None:
    answer = level("set", "2026-01-01", body)
    assert (answer.status, [*answer.error["details"]["fieldErrors"]]) == (400, [field])
    assert level("get").data == {"rates": []}


def test_two_rates_set_at_once_both_stay(level: Callable[..., Answer]) -> None:
    with overtaken(lambda: level("set", "2026-01-01", EUR)):
        assert level("set", "2026-02-01", EUR).status == 200
    assert [rate["effectiveFrom"] for rate in level("get").data["rates"]] == ["2026-01-01", "2026-02-01"]


def test_only_those_who_manage_rates_see_them(organization: Organization) -> None:
    for name, path in _paths(organization).items():
        for role in (Role.COORDINATOR, Role.MEMBER, Role.VIEWER):
            assert organization.member(role).call(f"get{name}Rates", path=path).code == "FORBIDDEN"


def test_a_user_who_is_no_member_has_no_rates_in_a_project(organization: Organization) -> None:
    """Given a member's rate, when the membership ends and begins anew, then the rate is there again."""
    path = _paths(organization)["ProjectMember"]
    owner, dated = organization.owner, {**path, "effectiveFrom": "2026-01-01"}
    owner.call("setProjectMemberRate", path=dated, body=EUR)
    owner.call("removeProjectMember", path=path)
    for action, where in [("getProjectMemberRates", path), ("setProjectMemberRate", dated)]:
        answer = owner.call(action, path=where, body=EUR if action.startswith("set") else None)
        assert (answer.status, answer.error["message"]) == (404, "no such member")

    owner.call("addProjectMember", path=path)

    assert len(owner.call("getProjectMemberRates", path=path).data["rates"]) == 1


def test_a_level_has_a_limited_number_of_rates(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.models.staffing.rates.MAX_RATES", 2)
    assert MAX_RATES == 366
    for day, status in [("2026-01-01", 200), ("2026-01-02", 200), ("2026-01-03", 400), ("2026-01-02", 200)]:
        path = {"effectiveFrom": day}
        assert organization.owner.call("setOrganizationRate", path=path, body=EUR).status == status
