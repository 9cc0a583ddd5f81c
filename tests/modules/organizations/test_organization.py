"""getOrganization, updateOrganization: the settings of a tenant."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.models.users import Role
from tests.support.factories import Organization


def _update(organization: Organization, role: Role = Role.OWNER, **changes: Any) -> Any:
    return organization.member(role).call("updateOrganization", body=changes)


def test_a_new_organization_has_defaults_and_counts(organization: Organization) -> None:
    data = organization.owner.call("getOrganization").data
    assert set(data) == {
        "id",
        "createdAt",
        "updatedAt",
        "version",
        "name",
        "timezone",
        "currency",
        "weekStart",
        "region",
        "loanRole",
        "subscriptionTier",
        "userCount",
        "activeUserCount",
    }
    assert (data["timezone"], data["currency"], data["weekStart"], data["region"]) == ("UTC", "EUR", "MONDAY", None)
    assert (data["userCount"], data["activeUserCount"], data["subscriptionTier"]) == (1, 1, "FREE")


@pytest.mark.parametrize("role", list(Role))
def test_everybody_reads_it(organization: Organization, role: Role) -> None:
    assert organization.member(role).call("getOrganization").data["id"] == str(organization.id)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Hafen & Söhne"),
        ("name", "x" * 255),
        ("timezone", "Europe/Berlin"),
        ("timezone", "Asia/Kathmandu"),
        ("timezone", "Etc/GMT+5"),
        ("currency", "JPY"),
        ("weekStart", "SATURDAY"),
        ("region", "DE"),
        ("region", None),
        ("loanRole", "BOTH"),
    ],
)
def test_one_setting_changes_and_the_others_stay(organization: Organization, field: str, value: Any) -> None:
    before = organization.owner.call("getOrganization").data
    answer = _update(organization, **{field: value})
    assert answer.status == 200
    changed = {field: value, "version": 2, "updatedAt": answer.data["updatedAt"]}
    assert answer.data == {**before, **changed}
    assert organization.owner.call("getOrganization").data == answer.data


def test_null_clears_the_region(organization: Organization) -> None:
    _update(organization, region="DE")
    assert _update(organization, region=None).data["region"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"timezone": None}, "timezone"),
        ({"timezone": "Europe/Atlantis"}, "timezone"),
        ({"timezone": "CET "}, None),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"currency": None}, "currency"),
        ({"region": "EU"}, "region"),
        ({"region": "de"}, "region"),
        ({"region": "DEU"}, "region"),
        ({"weekStart": 1}, "weekStart"),
        ({"loanRole": "BANK"}, "loanRole"),
        ({"subscriptionTier": "PRO"}, "subscriptionTier"),
        ({"userCount": 5}, "userCount"),
        ({"id": "x"}, "id"),
    ],
)
def test_settings_are_checked(organization: Organization, body: dict[str, Any], field: str | None) -> None:
    answer = organization.owner.call("updateOrganization", body=body)
    if field is None:  # trimmed, and then fine
        assert answer.status == 200
    else:
        assert (answer.status, list(answer.error["details"]["fieldErrors"])) == (400, [field])
        assert organization.owner.call("getOrganization").data["version"] == 1


def test_an_admin_changes_all_but_the_loan_role(organization: Organization) -> None:
    assert _update(organization, Role.ADMIN, name="Renamed", currency="CHF").status == 200
    answer = _update(organization, Role.ADMIN, loanRole="LENDER")
    assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert _update(organization, Role.ADMIN, name="Both", loanRole="LENDER").code == "FORBIDDEN"
    assert organization.owner.call("getOrganization").data["name"] == "Renamed"


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.MEMBER, Role.VIEWER])
def test_others_change_nothing(organization: Organization, role: Role) -> None:
    assert _update(organization, role, name="Mine").code == "FORBIDDEN"


def test_a_demoted_admin_is_refused_on_the_next_request(organization: Organization) -> None:
    admin = organization.member(Role.ADMIN)
    assert _update(organization, Role.ADMIN, name="First").status == 200
    organization.owner.call("changeUserRole", path={"userId": admin.user.id}, body={"role": "VIEWER"})
    assert _update(organization, Role.ADMIN, name="Second").code == "FORBIDDEN"
    assert organization.owner.call("getOrganization").data["name"] == "First"
