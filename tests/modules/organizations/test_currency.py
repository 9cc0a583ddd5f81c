"""The organization's currency and its rates: either binds the other."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.models.users import Role
from tests.support.api import Answer, Api
from tests.support.factories import Organization, new_organization
from tests.support.project_helpers import new_project
from tests.support.staffing import new_position, new_worker
from tests.support.threads import at_once

EUR, USD = ({"amount": 9_500, "currency": currency} for currency in ("EUR", "USD"))


def _paths(organization: Organization) -> dict[str, dict[str, Any]]:
    owner, user = organization.owner, str(organization.member(Role.MEMBER).user.id)
    project = new_project(owner)["id"]
    owner.call("addProjectMember", path={"id": project, "userId": user})
    return {
        "PositionRate": {"id": new_position(owner)["id"]},
        "WorkerRate": {"id": new_worker(owner)["id"]},
        "OrganizationRate": {},
        "MemberRate": {"userId": user},
        "ProjectRate": {"id": project},
        "ProjectMemberRate": {"id": project, "userId": user},
    }


def _set(organization: Organization, kind: str, path: dict[str, Any], day: str, money: Any) -> Answer:
    return organization.owner.call(f"set{kind}", path={**path, "effectiveFrom": day}, body=money)


def _currency(organization: Organization, currency: str) -> Answer:
    return organization.owner.call("updateOrganization", body={"currency": currency})


def test_rates_of_any_kind_bind_the_currency_until_they_are_deleted(organization: Organization) -> None:
    # Given a rate of each kind on two days, one of them set twice
    paths = _paths(organization)
    days = ["2026-01-01", "2026-01-01", "2026-02-01"]
    answers = [_set(organization, kind, path, day, EUR) for kind, path in paths.items() for day in days]
    assert {answer.status for answer in answers} == {200}
    # When the currency is to change, then it is refused as long as there is a rate, with their number
    for remaining, (kind, path) in zip(range(12, 0, -2), paths.items(), strict=True):
        for left, day in ((remaining, "2026-01-01"), (remaining - 1, "2026-02-01")):
            answer = _currency(organization, "USD")
            assert (answer.status, answer.code) == (409, "HAS_DEPENDENCIES")
            assert answer.error["details"] == {"dependencies": {"rate": left}}
            assert answer.error["message"] == f"this organization still has {left} rate{'s' if left > 1 else ''}"
            organization.owner.call(f"delete{kind}", path={**path, "effectiveFrom": day})
    assert _currency(organization, "USD").data["currency"] == "USD"
    assert _set(organization, "OrganizationRate", {}, "2026-01-01", USD).status == 200


def test_the_same_currency_and_other_settings_are_not_bound(organization: Organization) -> None:
    _set(organization, "OrganizationRate", {}, "2026-01-01", EUR)
    assert _currency(organization, "EUR").status == 200
    assert organization.owner.call("updateOrganization", body={"name": "Renamed"}).status == 200


def test_rates_of_a_deleted_entity_bind_it_too(organization: Organization) -> None:
    owner, position = organization.owner, new_position(organization.owner)["id"]
    _set(organization, "PositionRate", {"id": position}, "2026-01-01", EUR)
    owner.call("deletePosition", path={"id": position})
    assert _currency(organization, "USD").code == "HAS_DEPENDENCIES"


@pytest.mark.parametrize("_run", range(3))
@pytest.mark.parametrize("kind", ["PositionRate", "WorkerRate", "OrganizationRate", "MemberRate", "ProjectRate"])
def test_of_a_rate_and_another_currency_at_once_one_is_refused(api: Api, kind: str, _run: int) -> None:
    # Given
    organization = new_organization(api)
    path = _paths(organization)[kind]
    # When
    rate, currency = at_once(
        [
            lambda: _set(organization, kind, path, "2026-01-01", EUR),
            lambda: _currency(organization, "USD"),
        ]
    )
    # Then
    if rate.status == 200:
        assert currency.code == "HAS_DEPENDENCIES"
    else:
        assert currency.status == 200
        assert rate.error["details"]["fieldErrors"] == {"currency": ["must be the organization's, USD"]}
