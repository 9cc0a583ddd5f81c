"""Workers, clients and users, from creation to deletion."""

from __future__ import annotations

from chalicelib.core.clock import milliseconds
from chalicelib.metrics.language.periods import Range
from chalicelib.metrics.rollups.formulas import Formula, within
from chalicelib.metrics.rollups.sources.base import CREATED, STARTED, Inputs, Row, SourceRollup, created_row, lifetime
from chalicelib.models.rollups.buckets import Contribution, LevelChange
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.models.users import USERS, StoredUser

INVITED, ACCEPTED = "i", "a"
WITHIN_DAYS = (1, 7, 14, 30, 90)
"""Windows of the conversion. `c7` counts users who accepted within 7 days, at the instant of their invitation."""

_DAY = 86_400_000


def user_contribution(user: StoredUser, _: Inputs) -> Contribution:
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


def user_row(user: StoredUser, _: Inputs, over: Range) -> Row:
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


CLIENT_SOURCE = SourceRollup(
    collection=CLIENTS,
    contribution=lambda client, _: tuple(lifetime(client)),
    row=lambda client, _, over: created_row(client, {"name": client.name}, over),
)
WORKER_SOURCE = SourceRollup(
    collection=WORKERS,
    contribution=lambda worker, _: tuple(lifetime(worker)),
    row=lambda worker, _, over: created_row(worker, {"name": worker.full_name}, over),
)
USER_SOURCE = SourceRollup(
    collection=USERS,
    contribution=user_contribution,
    row=user_row,
    dimensions=frozenset({"role", "isActive", "status"}),
    counts={"": CREATED, "createdAt": CREATED, "acceptedAt": (within(ACCEPTED),)},
    conversions={("invited", "accepted"): conversion_of},
)
