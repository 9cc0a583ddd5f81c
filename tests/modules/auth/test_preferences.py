"""getPreferences, updatePreferences: fields set, left, and cleared."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.factories import Organization

DEFAULTS = {
    "timezone": None,
    "weekStart": None,
    "locale": "en",
    "theme": "SYSTEM",
    "defaultProjectId": None,
    "notifications": {"email": True, "weeklyReport": False},
}
PROJECT = "0198c5f0-0000-7000-8000-000000000000"


def _get(organization: Organization) -> dict[str, Any]:
    data = organization.owner.call("getPreferences").data
    return {name: data[name] for name in DEFAULTS}


def _update(organization: Organization, **changes: Any) -> Any:
    return organization.owner.call("updatePreferences", body=changes)


def test_a_new_user_has_defaults(organization: Organization) -> None:
    assert _get(organization) == DEFAULTS


@pytest.mark.parametrize(
    "change",
    [
        {"timezone": "America/Argentina/Buenos_Aires"},
        {"weekStart": "SUNDAY"},
        {"locale": "zh-Hant-TW"},
        {"theme": "DARK"},
        {"timezone": "Europe/Berlin", "theme": "LIGHT", "locale": "de-DE"},
    ],
)
def test_what_is_named_changes_and_the_rest_stays(organization: Organization, change: dict[str, Any]) -> None:
    answer = _update(organization, **change)
    assert answer.status == 200
    assert _get(organization) == {**DEFAULTS, **change}
    assert answer.data == organization.owner.call("getPreferences").data


def test_notifications_change_one_by_one(organization: Organization) -> None:
    _update(organization, notifications={"email": False})
    _update(organization, notifications={"weeklyReport": True})
    assert _get(organization)["notifications"] == {"email": False, "weeklyReport": True}


def test_what_is_no_project_is_no_default_project(organization: Organization) -> None:
    answer = _update(organization, defaultProjectId=PROJECT, theme="DARK")
    assert answer.code == "VALIDATION_ERROR"
    assert answer.error["details"]["fieldErrors"] == {"defaultProjectId": ["is not a project of the organization"]}
    assert _get(organization) == DEFAULTS
    assert _update(organization, defaultProjectId=None).status == 200


def test_null_clears_what_may_be_empty(organization: Organization) -> None:
    _update(organization, timezone="Europe/Berlin", weekStart="MONDAY", theme="DARK")
    assert _update(organization, timezone=None, weekStart=None, defaultProjectId=None).status == 200
    assert _get(organization) == {**DEFAULTS, "theme": "DARK"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"locale": None}, "locale"),
        ({"locale": "English"}, "locale"),
        ({"theme": None}, "theme"),
        ({"theme": "dark"}, "theme"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "+02:00"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"timezone": "Europe"}, "timezone"),
        ({"weekStart": "FUNDAY"}, "weekStart"),
        ({"defaultProjectId": "1"}, "defaultProjectId"),
        ({"notifications": None}, "notifications"),
        ({"notifications": {}}, "notifications"),
        ({"notifications": {"email": None}}, "notifications.email"),
        ({"notifications": {"email": "yes"}}, "notifications.email"),
        ({"notifications": {"fax": True}}, "notifications.fax"),
        ({"version": 1}, "version"),
    ],
)
def test_what_is_no_change(settled: Organization, body: dict[str, Any], field: str) -> None:
    answer = settled.owner.call("updatePreferences", body=body)
    assert (answer.status, list(answer.error["details"]["fieldErrors"])) == (400, [field])
    assert _get(settled) == DEFAULTS


def test_preferences_carry_the_users_version_for_if_match(organization: Organization) -> None:
    first = organization.owner.call("getPreferences")
    headers = {"If-Match": first.headers["ETag"]}
    assert organization.owner.call("updatePreferences", body={"theme": "DARK"}, headers=headers).status == 200
    stale = organization.owner.call("updatePreferences", body={"theme": "LIGHT"}, headers=headers)
    assert (stale.status, stale.code) == (412, "PRECONDITION_FAILED")
    assert _get(organization)["theme"] == "DARK"
