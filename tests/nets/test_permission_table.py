"""The permission table of the product's contract, restated as whole sets."""

from __future__ import annotations

from chalicelib.auth.permissions import PERMISSIONS
from chalicelib.dal.users import Role

VIEWER = {"workspace:read", "self"}
MEMBER = VIEWER | {
    "activities:record",
    "time:track",
    "projects:write",
    "widgets:customize",
    "quick-actions:run",
}
COORDINATOR = MEMBER | {"positions:write", "workers:write", "assignments:write", "reports:read"}
ADMIN = COORDINATOR | {
    "assignments:delete",
    "audit:read",
    "clients:write",
    "loans:manage",
    "metrics-values:read",
    "metrics:write",
    "organization:update",
    "quick-actions:write",
    "rates:write",
    "time-of-others:manage",
    "users:manage",
    "widgets:share",
    "work-locations:write",
}
OWNER = ADMIN | {"organization:govern"}


def test_each_role_holds_exactly_its_permissions() -> None:
    expected = {"OWNER": OWNER, "ADMIN": ADMIN, "COORDINATOR": COORDINATOR, "MEMBER": MEMBER, "VIEWER": VIEWER}

    assert {role.value: set(PERMISSIONS[role]) for role in Role} == expected
