"""Users, from their invitation on, and how many accept it within a window of days."""

from __future__ import annotations

from chalicelib.auth.permissions import Permission
from chalicelib.core.clock import milliseconds
from chalicelib.metrics.rollups.formulas import Formula, within
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.base import CREATED, STARTED, Inputs, Row, Source, created_row
from chalicelib.metrics.rollups.sources.fields import TimeBinding, enum_field, fields, flag_field, instant_field
from chalicelib.models.rollups.buckets import Contribution, LevelChange
from chalicelib.models.users import USERS, Role, StoredUser, UserStatus

INVITED, ACCEPTED = "i", "a"
WITHIN_DAYS = (1, 7, 14, 30, 90)
"""Windows of the conversion. `c7` counts users who accepted within 7 days, at the instant of their invitation."""

_DAY = 86_400_000


def contribution_of(user: StoredUser, _: Inputs) -> Contribution:
    dimensions = (
        ("role", user.role.value),
        ("isActive", "true" if user.is_active else "false"),
        ("status", user.status.value),
    )
    created = milliseconds(user.created_at)
    accepted = None if user.accepted_at is None else milliseconds(user.accepted_at)
    deltas = [(STARTED, 1)]
    if accepted is None or accepted > created:  # the founder of an organization is not invited
        deltas.append((INVITED, 1))
        soon = [days for days in WITHIN_DAYS if accepted is not None and accepted - created <= days * _DAY]
        deltas += [(converted(days), 1) for days in soon]
    changes = [LevelChange(created, tuple(deltas), dimensions=dimensions)]
    if accepted is not None:
        changes.append(LevelChange(accepted, ((ACCEPTED, 1),), dimensions=dimensions))
    return tuple(changes)


def row_of(user: StoredUser, _: Inputs, over: Range) -> Row:
    values = {
        "role": user.role.value,
        "isActive": user.is_active,
        "status": user.status.value,
        "acceptedAt": user.accepted_at,
    }
    accepted = user.accepted_at is not None and over.start <= user.accepted_at < over.end
    return created_row(user, values, over, instants=frozenset({"acceptedAt"} if accepted else ()))


def converted(days: int) -> str:
    return f"c{days}"


def conversion_of(days: int) -> tuple[Formula, Formula]:
    return (within(converted(days)),), (within(INVITED),)


USER_SOURCE = Source(
    name="users",
    label="Users",
    permission=Permission.USERS_MANAGE,
    time=TimeBinding.INSTANT,
    time_field="createdAt",
    fields=fields(
        enum_field("role", "Role", tuple(Role)),
        enum_field("status", "Status", tuple(UserStatus)),
        flag_field("isActive", "Active"),
        instant_field("createdAt", "Created"),
        instant_field("acceptedAt", "Invitation accepted", nullable=True),
    ),
    collection=USERS,
    contribution=contribution_of,
    row=row_of,
    counts={"": CREATED, "createdAt": CREATED, "acceptedAt": (within(ACCEPTED),)},
    conversions={("invited", "accepted"): conversion_of},
)
