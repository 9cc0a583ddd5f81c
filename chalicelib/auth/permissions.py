"""The permission table: which role holds which permission. The one place that says so."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.models.users import Role


class Permission(StrEnum):
    ACTIVITIES_RECORD = "activities:record"
    ASSIGNMENTS_DELETE = "assignments:delete"
    ASSIGNMENTS_WRITE = "assignments:write"
    AUDIT_READ = "audit:read"
    CLIENTS_WRITE = "clients:write"
    LOANS_MANAGE = "loans:manage"
    METRICS_VALUES_READ = "metrics-values:read"
    METRICS_WRITE = "metrics:write"
    ORGANIZATION_GOVERN = "organization:govern"
    """Settings that bind money or access, and who is an OWNER."""
    ORGANIZATION_UPDATE = "organization:update"
    POSITIONS_WRITE = "positions:write"
    PROJECTS_WRITE = "projects:write"
    QUICK_ACTIONS_RUN = "quick-actions:run"
    QUICK_ACTIONS_WRITE = "quick-actions:write"
    RATES_MANAGE = "rates:manage"
    REPORTS_READ = "reports:read"
    SELF = "self"
    """Own profile, preferences, password, sessions; own read marks."""
    TIME_OF_OTHERS = "time-of-others:manage"
    TIME_TRACK = "time:track"
    USERS_MANAGE = "users:manage"
    WIDGETS_CUSTOMIZE = "widgets:customize"
    WIDGETS_SHARE = "widgets:share"
    WORKERS_WRITE = "workers:write"
    WORKSPACE_READ = "workspace:read"
    """The organization, staffing, projects, dashboards, activities."""
    WORK_LOCATIONS_WRITE = "work-locations:write"


class Public(StrEnum):
    """The permission of an action that anyone may call."""

    PUBLIC = "public"


PUBLIC = Public.PUBLIC

_VIEWER = frozenset({Permission.WORKSPACE_READ, Permission.SELF})
_MEMBER = _VIEWER | {
    Permission.ACTIVITIES_RECORD,
    Permission.TIME_TRACK,
    Permission.PROJECTS_WRITE,
    Permission.WIDGETS_CUSTOMIZE,
    Permission.QUICK_ACTIONS_RUN,
}
_COORDINATOR = _MEMBER | {
    Permission.POSITIONS_WRITE,
    Permission.WORKERS_WRITE,
    Permission.ASSIGNMENTS_WRITE,
    Permission.REPORTS_READ,
}
_ADMIN = _COORDINATOR | {
    Permission.CLIENTS_WRITE,
    Permission.WORK_LOCATIONS_WRITE,
    Permission.RATES_MANAGE,
    Permission.ORGANIZATION_UPDATE,
    Permission.USERS_MANAGE,
    Permission.METRICS_WRITE,
    Permission.METRICS_VALUES_READ,
    Permission.WIDGETS_SHARE,
    Permission.QUICK_ACTIONS_WRITE,
    Permission.AUDIT_READ,
    Permission.TIME_OF_OTHERS,
    Permission.ASSIGNMENTS_DELETE,
    Permission.LOANS_MANAGE,
}

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: _ADMIN | {Permission.ORGANIZATION_GOVERN},
    Role.ADMIN: _ADMIN,
    Role.COORDINATOR: _COORDINATOR,
    Role.MEMBER: _MEMBER,
    Role.VIEWER: _VIEWER,
}
