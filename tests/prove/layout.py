"""The layout of the table, as far as the checks know it independently of the product's own readers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.collection import Collection
from chalicelib.models.activities.activities import ACTIVITIES
from chalicelib.models.dashboards.metrics import METRICS
from chalicelib.models.dashboards.quick_actions import QUICK_ACTIONS
from chalicelib.models.dashboards.widgets import WIDGETS
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.staffing.assignments import ASSIGNMENTS
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.models.users import USERS
from tests.support.store import Snapshot, StoredItem, plain

COLLECTIONS: Mapping[str, Collection[Any]] = {
    collection.entity: collection
    for collection in (
        ACTIVITIES,
        ASSIGNMENTS,
        CLIENTS,
        METRICS,
        ORGANIZATIONS,
        POSITIONS,
        QUICK_ACTIONS,
        USERS,
        WIDGETS,
        WORK_LOCATIONS,
        WORKERS,
    )
}
"""Name in the audit log to collection, of all kinds of entities except sessions."""

_BY_KIND = {collection.kind: entity for entity, collection in COLLECTIONS.items()}

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_KINDS: Mapping[str, str] = {
    # pk and sk, separated by a space.
    "read state": r"ORG#<id>#MARK#<id> (<id>|READ_UP_TO)",
    "limit": r"(EMAIL#\S+|SOURCE#\S+|ORG#<id>#LIMIT) LIMIT#\S+",
    "audit entry": r"ORG#<id>#AUDIT <id>",
    "cached answer": r"ORG#<id>#CACHE#\w+ ANSWER",
    "buckets": r"ORG#<id>#ROLLUP#.+ [A-Z]#\S+",
    "credential": r"EMAIL#\S+ CREDENTIAL",
    "decoy": r"EMAIL#\S+ DECOY#\d",
    "entity": rf"ORG#<id>#({'|'.join(_BY_KIND)}) <id>",
    "mail": r"ORG#<id>#MAIL <id>",
    "metric history": r"ORG#<id>#METRICHISTORY#(<id>|SYSTEM) \S+",
    "metric state": r"ORG#<id>#METRICSTATE (<id>|SYSTEM)",
    "packed month": r"ORG#<id>#MONTHS \d{4}-\d\d#<id>",
    "chunk of a request": r"ORG#<id>#PART#\S+ \d{4}",
    "public request": r"EMAIL#\S+ IDEMPOTENCY#\S+",
    "request": r"ORG#<id>#IDEMPOTENCY#\S+ RECORD",
    "applied contribution": r"ORG#<id>#APPLIED#[A-Z]+ <id>",
    "session": r"ORG#<id>#SESSION#<id> <id>",
    "tag": r"ORG#<id>#TAG \S+",
    "unique value": r"ORG#<id>#[A-Z]+#UNIQUE#[A-Z]+ [0-9a-f]{64}",
    "workload day": r"ORG#<id>#WORKLOAD#(POSITION|WORKER) <id>#\d{4}-\d\d-\d\d",
}
"""Kind to key pattern, of all items that may be stored after a run."""
_PATTERNS = {kind: re.compile(pattern.replace("<id>", _ID)) for kind, pattern in _KINDS.items()}


class EntityKey(NamedTuple):
    organization: str
    entity: str
    id: str


def kind_of(key: tuple[str, str]) -> str | None:
    """Return the kind of an item; None for an unknown one."""
    text = " ".join(key)
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.fullmatch(text)), None)


def kinds(snapshot: Snapshot) -> Counter[str]:
    return Counter(kind_of(key) or "unknown" for key in snapshot)


def of_kind(snapshot: Snapshot, kind: str) -> Snapshot:
    return {key: item for key, item in snapshot.items() if kind_of(key) == kind}


def organizations(snapshot: Snapshot) -> list[OrganizationId]:
    identifiers = {key.id for key in entities(snapshot) if key.entity == ORGANIZATIONS.entity}
    return [OrganizationId(UUID(identifier)) for identifier in sorted(identifiers)]


def entities(snapshot: Snapshot) -> dict[EntityKey, StoredItem]:
    """Return all entities, deleted ones included."""
    items: dict[EntityKey, StoredItem] = {}
    for key, item in of_kind(snapshot, "entity").items():
        name = keys.entity_of(keys.Key(*key))
        assert name is not None
        items[EntityKey(str(name.organization), _BY_KIND[name.kind], str(name.id))] = item
    return items


def version_of(item: StoredItem) -> int:
    return int(item["version"]["N"])


def record_of(entity: str, item: StoredItem) -> Any:
    """Return the entity as the product reads it."""
    collection = COLLECTIONS[entity]
    return collection.record.of(table.item_from_raw(item), collection.entity)


def counters_of(item: StoredItem) -> dict[str, int]:
    """Return counters of live children and the like, without zeros."""
    counters = plain(item).get("children") or {}
    return {name: int(count) for name, count in counters.items() if count}


def guards(organization: OrganizationId, entity: str, record: Any) -> set[tuple[str, str]]:
    """Return the keys of the guards of a live entity's unique values."""
    collection = COLLECTIONS[entity]
    return {tuple(collection.guard(organization, unique, record)) for unique in collection.unique}


def owner_of(key: tuple[str, str]) -> str:
    """Return the organization of an item."""
    return key[0].split("#")[1]
