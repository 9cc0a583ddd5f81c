"""Counters of live children, users, rates and limited entities match; guards match the unique values."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.models.identity import credentials
from tests.prove import layout
from tests.prove.world import World
from tests.support.store import Snapshot

_PARENTS = {"workLocation": "client_id", "position": "work_location_id"}
_COUNTED_ON_ORGANIZATION = {"metric", "quickAction"}


def check(world: World, snapshot: Snapshot) -> None:
    items = layout.entities(snapshot)
    records = {key: layout.record_of(key.entity, item) for key, item in items.items()}
    live = {key: record for key, record in records.items() if getattr(record, "deleted_at", None) is None}
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    guards: set[tuple[str, str]] = set()
    for key, record in live.items():
        for holder, counter in _counted_on(key, record):
            expected[holder][counter] += 1
        guards |= layout.guards(OrganizationId(UUID(key.organization)), key.entity, record)
    for key, record in records.items():
        # Those of deleted positions and workers, too: they price time that is past.
        if rates := len(getattr(record, "rates", ())):
            expected[key.organization]["rate"] += rates
    for key, item in items.items():
        if (counters := layout.counters_of(item)) != dict(expected[key.id]):
            message = f"{key.entity} {key.id} counts {counters}, but there are {dict(expected[key.id])}"
            world.report("counter", message, entity=key.id, organization=key.organization)
    stored = set(layout.of_kind(snapshot, "unique value"))
    for key in stored ^ guards:
        error = "belongs to no live entity" if key in stored else "is missing"
        world.report("guard", f"the guard {key} {error}: {snapshot.get(key)}", organization=layout.owner_of(key))
    _check_credentials(world, snapshot, [record for key, record in records.items() if key.entity == "user"])


def _counted_on(key: layout.EntityKey, record: Any) -> list[tuple[str, str]]:
    """Return the ids of the counting entities and the names of their counters."""
    if key.entity in _PARENTS:
        return [(str(getattr(record, _PARENTS[key.entity])), key.entity)]
    if key.entity in _COUNTED_ON_ORGANIZATION:
        return [(key.organization, key.entity)]
    if key.entity == "widget":
        return [(str(record.created_by_id) if record.is_personal else key.organization, key.entity)]
    if key.entity == "user":
        is_owner = record.status == "ACTIVE" and record.role == "OWNER"
        counted = ["user", *["activeUser"] * record.is_active, *["activeOwner"] * is_owner]
        return [(key.organization, counter) for counter in counted]
    return []


def _check_credentials(world: World, snapshot: Snapshot, users: list[Any]) -> None:
    """Report users without exactly one credential of their own."""
    addresses = Counter(user.email for user in users)
    for user in users:
        credential = credentials.get(user.email)
        if credential is None or credential.user_id != user.id or addresses[user.email] != 1:
            world.report("credential", f"{user.email} belongs to {credential}, not to {user.id}", entity=str(user.id))
    stored = len(layout.of_kind(snapshot, "credential"))
    if stored != len(users):
        world.report("credential", f"there are {stored} credentials of {len(users)} users")
