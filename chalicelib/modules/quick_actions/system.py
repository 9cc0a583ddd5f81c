"""The quick actions that come with the product: the same in every organization."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chalicelib.auth.permissions import PERMISSIONS, Permission
from chalicelib.core.errors import forbidden
from chalicelib.models.dashboards.quick_actions import ActionType, QuickAction

_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def _going_to(url: str, number: int, permission: Permission, **shown: Any) -> QuickAction:
    """Return a built-in quick action for the roles with the permission; `number` makes its id and its place."""
    return QuickAction(
        id=UUID(f"00000000-0000-7000-8000-{number:012}"),
        created_at=_SINCE,
        updated_at=_SINCE,
        version=1,
        action_type=ActionType.NAVIGATION,
        target_url=url,
        sort_order=1000 + 10 * number,
        required_role=tuple(role for role, held in PERMISSIONS.items() if permission in held),
        is_system=True,
        **shown,
    )


_DEFINITIONS = (
    _going_to(
        "/clients/new",
        1,
        Permission.CLIENTS_WRITE,
        name="Create a client",
        description="Add a company that workers are lent to",
        icon="building",
    ),
    _going_to(
        "/assignments/new",
        2,
        Permission.ASSIGNMENTS_WRITE,
        name="Assign a worker",
        description="Put a worker on a position",
        icon="calendar-plus",
    ),
    _going_to(
        "/users/invite",
        3,
        Permission.USERS_MANAGE,
        name="Invite a colleague",
        description="Send somebody an invitation to this organization",
        icon="user-plus",
    ),
    _going_to(
        "/activities/new",
        4,
        Permission.ACTIVITIES_RECORD,
        name="Record an activity",
        description="Record an activity for everyone",
        icon="pencil",
    ),
    _going_to(
        "/reports/hours",
        5,
        Permission.REPORTS_READ,
        name="Hours report",
        description="Hours by worker and work location",
        icon="clock",
    ),
)

SYSTEM_QUICK_ACTIONS: Mapping[UUID, QuickAction] = {definition.id: definition for definition in _DEFINITIONS}


def refuse_change(identifier: UUID) -> None:
    """Refuse to change one of the product's own: FORBIDDEN."""
    if identifier in SYSTEM_QUICK_ACTIONS:
        raise forbidden("this quick action comes with the product: it can't be changed or deleted")
