"""The permissions of each role: whole sets, as in the contract's table."""

from __future__ import annotations

import pytest

from chalicelib.auth.permissions import PERMISSIONS, Permission
from chalicelib.models.users import Role

pytestmark = pytest.mark.storeless

EVERYBODY = {"workspace:read", "self"}
WORKING = {
    "activities:record",
    "projects:write",
    "quick-actions:run",
    "time:track",
    "widgets:customize",
}
STAFFING = {"assignments:write", "positions:write", "reports:read", "workers:write"}
ADMINISTRATION = {
    "assignments:delete",
    "audit:read",
    "clients:write",
    "loans:manage",
    "metrics-values:read",
    "metrics:write",
    "organization:update",
    "quick-actions:write",
    "rates:manage",
    "time-of-others:manage",
    "users:manage",
    "widgets:share",
    "work-locations:write",
}
GOVERNMENT = {"organization:govern"}


@pytest.mark.parametrize(
    ("role", "permissions"),
    [
        (Role.VIEWER, EVERYBODY),
        (Role.MEMBER, EVERYBODY | WORKING),
        (Role.COORDINATOR, EVERYBODY | WORKING | STAFFING),
        (Role.ADMIN, EVERYBODY | WORKING | STAFFING | ADMINISTRATION),
        (Role.OWNER, EVERYBODY | WORKING | STAFFING | ADMINISTRATION | GOVERNMENT),
    ],
)
def test_a_role_holds_exactly_these(role: Role, permissions: set[str]) -> None:
    assert {str(permission) for permission in PERMISSIONS[role]} == permissions


def test_every_role_and_every_permission_is_in_the_table() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert PERMISSIONS[Role.OWNER] == set(Permission)
