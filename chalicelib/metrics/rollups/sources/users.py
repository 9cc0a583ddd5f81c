"""Users, from their invitation on, and how many accept it within a window of days."""

from __future__ import annotations

from chalicelib.auth.permissions import Permission
from chalicelib.core.clock import milliseconds
from chalicelib.metrics.rollups.formulas import within
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.base import (
    CREATED,
    ENDED,
    STARTED,
    Inputs,
    Row,
    Source,
    conversion,
    converted,
    created_row,
)
from chalicelib.metrics.rollups.sources.fields import TimeBinding, enum_field, fields, flag_field, instant_field
from chalicelib.models.rollups.buckets import Contribution, LevelChange
from chalicelib.models.users import USERS, Role, StoredUser, UserStatus

INVITED, ACCEPTED = "i", "a"


def contribution_of(user: StoredUser, _: Inputs) -> Contribution:
    dimensions = (
        ("role", user.role.value),
        ("isActive", "true" if user.is_active else "false"),
        ("status", user.status.value),
    )
    deltas = {STARTED: 1}
    if user.accepted_at is None or user.accepted_at > user.created_at:  # the founder of an organization is not invited
        deltas |= {INVITED: 1, **converted(INVITED, user.created_at, {ACCEPTED: user.accepted_at})}
    changes = [LevelChange(milliseconds(user.created_at), tuple(deltas.items()), dimensions=dimensions)]
    if user.accepted_at is not None:
        changes.append(LevelChange(milliseconds(user.accepted_at), ((ACCEPTED, 1),), dimensions=dimensions))
    if user.deleted_at is not None:
        changes.append(LevelChange(milliseconds(user.deleted_at), ((ENDED, 1),), is_end=True, dimensions=dimensions))
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
    conversions={("invited", "accepted"): conversion(INVITED, ACCEPTED)},
)
