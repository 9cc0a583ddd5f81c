"""The keys of the table, and the access patterns they serve. Those of time are in `models.time.keys`.

| query                                           | answered by                                            |
| ----------------------------------------------- | ------------------------------------------------------ |
| session, user and organization of a token       | one BatchGetItem of three keys, strongly consistent    |
| when an organization was last used              | `ORG#<org>#USE` / `LAST`                               |
| who owns an e-mail address; its credential      | `EMAIL#<address>` / `CREDENTIAL`                       |
| uses of a limit by an address, a source         | `EMAIL#…` or `SOURCE#…` / `LIMIT#<name>`               |
| … by an organization                            | `ORG#<org>#LIMIT` / `LIMIT#<name>`                     |
| an entity by id                                 | `ORG#<org>#<ENTITY>` / `<id>`                          |
| live (or deleted) entities, searched and sorted | gsi1 `ORG#<org>#<ENTITY>#LIVE` (`#DELETED`)            |
| all entities in order of creation               | `ORG#<org>#<ENTITY>`, by id                            |
| is a unique value taken                         | `ORG#<org>#<ENTITY>#UNIQUE#<FIELD>` / SHA-256 of value |
| the sessions of a user                          | `ORG#<org>#SESSION#<user>`                             |
| the active administrators                       | gsi2 `ORG#<org>#USER#ADMINISTRATORS`                   |
| the audit log, newest first, in a range         | `ORG#<org>#AUDIT`, by id (time-ordered)                |
| … of one entity                                 | gsi3 `ORG#<org>#AUDIT#<ENTITY>#<id>`                   |
| … of one actor                                  | gsi2 `ORG#<org>#AUDIT#ACTOR#<user>`                    |
| the answer to a repeated request                | `ORG#<org>#IDEMPOTENCY#<hash>` or `EMAIL#…` / `…`      |
| answers of the chunks of a large request        | `ORG#<org>#PART#<hash>` / number                       |
| mails that are not sent yet                     | gsi2 `MAIL#UNSENT`                                     |
| the live children of a client or work location  | gsi2 `ORG#<org>#<ENTITY>#OF#<parent>`                  |
| names, parents and rates of everything          | gsi4 `ORG#<org>#DIRECTORY`                             |
| assignments of a worker, by time                | gsi5 `ORG#<org>#ASSIGNMENT#WORKER#<id>` / `at`         |
| … of a position, location, client; all          | gsi6, gsi7, gsi8 likewise; gsi9 `ORG#<org>#ASSIGNMENT` |
| all hours of some months                        | `ORG#<org>#MONTHS` / `<yyyy-mm>#<worker>`              |
| levels and integrals of a source, or one value  | `ORG#<org>#ROLLUP#<SOURCE>[#<FIELD>#<value>]` / cell   |
| the applied contribution of an entity           | `ORG#<org>#APPLIED#<SOURCE>` / `<id>`                  |
| the last results of metrics                     | `ORG#<org>#METRICSTATE` / `<metric>`                   |
| … and before, in a range                        | `ORG#<org>#METRICHISTORY#<metric>` / instant           |
| who goes through all of them at the moment      | `ORG#<org>#METRICWALK` / `LEASE`                       |
| metrics that are due, in any organization       | gsi9 `DUE#<shard>` / `<due>#<org>#<metric>`            |
| timers that run long, in any organization       | gsi9 `TIMERDUE#<shard>` / `<due>#<org>#<user>`         |
| weekly reports that are due, likewise           | gsi9 `REPORTDUE#<shard>` / `<due>#<org>#<user>`        |
| … of one user                                   | `ORG#<org>#REPORT` / `<user>`                          |
| the activities, newest first                    | `ORG#<org>#ACTIVITY`, by id (time-ordered)             |
| … of one type                                   | gsi2 `ORG#<org>#ACTIVITY#TYPE#<type>`                  |
| … of one entity                                 | gsi3 `ORG#<org>#ACTIVITY#OF#<entity>#<id>`             |
| how many activities there are behind one        | gsi1 `ORG#<org>#ACTIVITY#FEED`                         |
| a user's read state of them                     | `ORG#<org>#MARK#<user>` / `<activity>`                 |
| … only the archived ones                        | gsi2 `ORG#<org>#MARK#<user>#ARCHIVED`                  |
| costly answers, and the tags they depend on     | `ORG#<org>#CACHE#<hash>`, `ORG#<org>#TAG` / `<tag>`    |

Ids are UUIDv7, so ordering by id is ordering by creation.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple
from uuid import UUID

from chalicelib.core import text
from chalicelib.core.ids import OrganizationId

GSI1 = "gsi1"
GSI2 = "gsi2"
GSI3 = "gsi3"
GSI4 = "gsi4"
GSI5 = "gsi5"
GSI6 = "gsi6"
GSI7 = "gsi7"
GSI8 = "gsi8"
GSI9 = "gsi9"

_LIMIT = "LIMIT"
_DECOY = "DECOY#"
_IDEMPOTENCY_OF_ADDRESS = "IDEMPOTENCY#"


_TIMELINES = {
    "": GSI9,
    "WORKER": GSI5,
    "USER": GSI5,
    "POSITION": GSI6,
    "PROJECT": GSI6,
    "WORKLOCATION": GSI7,
    "CLIENT": GSI8,
}
"""The index of each scope in which entities are listed by time, or in another order of their own."""
_BY_TIME = frozenset(_TIMELINES.values())


class Key(NamedTuple):
    pk: str
    sk: str


class IndexPartition(NamedTuple):
    """A partition of a secondary index: the items that answer one question."""

    index_name: str
    pk: str

    @property
    def attribute(self) -> str:
        """Name of the item attribute that lists an item here."""
        return f"{self.index_name}pk"

    @property
    def sort_key(self) -> str:
        return "at" if self.index_name in _BY_TIME else "sk"


# -- inside an organization ------------------------------------------------------------------------------------------


def tenant(organization: OrganizationId) -> str:
    """Return the prefix of every key of an organization."""
    return f"ORG#{organization}#"


def organization_of(pk: str) -> OrganizationId:
    """The organization a stored key belongs to; ValueError for the keys of identity."""
    scope, identifier, _ = pk.split("#", 2)
    if scope != "ORG":
        raise ValueError("not a key of an organization")
    return OrganizationId(UUID(identifier))


def partition(organization: OrganizationId, entity: str) -> str:
    return f"{tenant(organization)}{entity}"


def entity(organization: OrganizationId, name: str, identifier: UUID) -> Key:
    return Key(partition(organization, name), str(identifier))


class EntityName(NamedTuple):
    """The parts of an entity's key."""

    organization: OrganizationId
    kind: str
    id: UUID


def entity_of(key: Key) -> EntityName | None:
    """Return the entity that is stored at a key; None for other keys."""
    scope, _, rest = key.pk.partition("#")
    organization, _, kind = rest.partition("#")
    if scope != "ORG" or "#" in kind:
        return None
    try:
        return EntityName(OrganizationId(UUID(organization)), kind, UUID(key.sk))
    except ValueError:
        return None


def listing(organization: OrganizationId, name: str, *, deleted: bool) -> IndexPartition:
    """The slim rows of a page list."""
    return IndexPartition(GSI1, f"{partition(organization, name)}#{'DELETED' if deleted else 'LIVE'}")


def children(organization: OrganizationId, name: str, parent: UUID) -> IndexPartition:
    """The live children of one parent."""
    return IndexPartition(GSI2, f"{partition(organization, name)}#OF#{parent}")


def administrators(organization: OrganizationId) -> IndexPartition:
    """The active users who are asked for decisions."""
    return IndexPartition(GSI2, f"{partition(organization, 'USER')}#ADMINISTRATORS")


def directory(organization: OrganizationId) -> IndexPartition:
    """The names, parents and rates of all entities that others refer to."""
    return IndexPartition(GSI4, partition(organization, "DIRECTORY"))


def timeline(
    organization: OrganizationId, name: str, scope: str = "", identifier: UUID | None = None
) -> IndexPartition:
    """Entities of a kind in the order of `at`: all of them, or those of one worker, position, project …"""
    everything = partition(organization, name)
    return IndexPartition(_TIMELINES[scope], everything if identifier is None else f"{everything}#{scope}#{identifier}")


def packed_months(organization: OrganizationId) -> str:
    return partition(organization, "MONTHS")


def packed_month(organization: OrganizationId, month: str, worker: UUID) -> Key:
    """Return the key, month first, so that a report over all workers is one range."""
    return Key(packed_months(organization), f"{month}#{worker}")


def workload(organization: OrganizationId, kind: str) -> str:
    """Partition of the workload days of all workers, or of all positions."""
    return f"{partition(organization, 'WORKLOAD')}#{kind}"


def workload_day(organization: OrganizationId, kind: str, identifier: UUID, day: str) -> Key:
    return Key(workload(organization, kind), f"{identifier}#{day}")


def rollup(organization: OrganizationId, source: str, dimension: str | None = None, value: str = "") -> str:
    """Partition of the cells of a source: of all of it, or of one value of a dimension."""
    everything = f"{partition(organization, 'ROLLUP')}#{source.upper()}"
    return everything if dimension is None else f"{everything}#{dimension.upper()}#{value}"


def is_rollup_of_value(partition: str) -> bool:
    """Return True for the partition of one value of a dimension, False for that of a whole source."""
    return partition.count("#") > partition.partition("#ROLLUP#")[0].count("#") + 2


def all_applied(organization: OrganizationId, source: str) -> str:
    return f"{partition(organization, 'APPLIED')}#{source.upper()}"


def applied(organization: OrganizationId, source: str, identifier: UUID) -> Key:
    return Key(all_applied(organization, source), str(identifier))


def metric_states(organization: OrganizationId) -> str:
    return partition(organization, "METRICSTATE")


def metric_state(organization: OrganizationId, metric: str) -> Key:
    return Key(metric_states(organization), metric)


def weekly_report(organization: OrganizationId, user: UUID) -> Key:
    return Key(partition(organization, "REPORT"), str(user))


def use(organization: OrganizationId) -> Key:
    """When the organization was last used: not on its own item, which transactions change."""
    return Key(partition(organization, "USE"), "LAST")


def metric_walk(organization: OrganizationId) -> Key:
    """Key of the lease on going through all of an organization's metric states."""
    return Key(partition(organization, "METRICWALK"), "LEASE")


def metric_history(organization: OrganizationId, row: str) -> str:
    return f"{partition(organization, 'METRICHISTORY')}#{row}"


def activities(organization: OrganizationId) -> str:
    return partition(organization, "ACTIVITY")


def activities_of_type(organization: OrganizationId, kind: str) -> IndexPartition:
    return IndexPartition(GSI2, f"{activities(organization)}#TYPE#{kind}")


def activities_of_entity(organization: OrganizationId, entity_type: str, identifier: str) -> IndexPartition:
    return IndexPartition(GSI3, f"{activities(organization)}#OF#{entity_type}#{identifier}")


def activity_feed(organization: OrganizationId) -> IndexPartition:
    """One row per activity, without its data: cheap to count."""
    return IndexPartition(GSI1, f"{activities(organization)}#FEED")


def activity_marks(organization: OrganizationId, user: UUID) -> str:
    return f"{partition(organization, 'MARK')}#{user}"


def archived_activities(organization: OrganizationId, user: UUID) -> IndexPartition:
    return IndexPartition(GSI2, f"{activity_marks(organization, user)}#ARCHIVED")


def tag(organization: OrganizationId, name: str) -> Key:
    return Key(partition(organization, "TAG"), name)


def cached(organization: OrganizationId, digest: str) -> Key:
    """A partition an answer: contribution by key."""
    return Key(f"{partition(organization, 'CACHE')}#{digest}", "ANSWER")


def unique_value(organization: OrganizationId, name: str, field: str, value: str) -> Key:
    """Hashed, because a sort key holds 1,024 bytes and a name may need more."""
    return Key(f"{partition(organization, name)}#UNIQUE#{field.upper()}", digest(text.unique_form(value)))


def session(organization: OrganizationId, user: UUID, identifier: UUID) -> Key:
    return Key(sessions(organization, user), str(identifier))


def sessions(organization: OrganizationId, user: UUID) -> str:
    """One partition a user, because every request reads its session."""
    return f"{partition(organization, 'SESSION')}#{user}"


def audit(organization: OrganizationId) -> str:
    return partition(organization, "AUDIT")


def audit_of_entity(organization: OrganizationId, entity_type: str, identifier: str) -> IndexPartition:
    return IndexPartition(GSI3, f"{audit(organization)}#{entity_type.upper()}#{identifier}")


def audit_of_actor(organization: OrganizationId, actor: UUID) -> IndexPartition:
    return IndexPartition(GSI2, f"{audit(organization)}#ACTOR#{actor}")


def mail_partition(organization: OrganizationId) -> str:
    return partition(organization, "MAIL")


def mail(organization: OrganizationId, identifier: UUID) -> Key:
    return Key(mail_partition(organization), str(identifier))


def idempotency(organization: OrganizationId, digest: str) -> Key:
    """A partition a record: contribution by key."""
    return Key(f"{partition(organization, 'IDEMPOTENCY')}#{digest}", "RECORD")


def parts(organization: OrganizationId, digest: str) -> str:
    """A partition a request: see `action.chunked_write`."""
    return f"{partition(organization, 'PART')}#{digest}"


def part(organization: OrganizationId, digest: str, number: int) -> Key:
    """Return the key, its number padded, so that chunks sort in order."""
    return Key(parts(organization, digest), f"{number:04}")


# -- before an organization is known: identity -----------------------------------------------------------------------


def credential(address: str) -> Key:
    return Key(_address(address), "CREDENTIAL")


def idempotency_of_address(address: str, digest: str) -> Key:
    return Key(_address(address), f"{_IDEMPOTENCY_OF_ADDRESS}{digest}")


def is_idempotency_of_address(key: Key) -> bool:
    return key.sk.startswith(_IDEMPOTENCY_OF_ADDRESS)


def limit_of_address(address: str, name: str) -> Key:
    return Key(_address(address), f"{_LIMIT}#{name}")


def limit_of_source(source: str, name: str) -> Key:
    return Key(f"SOURCE#{source}", f"{_LIMIT}#{name}")


def limit_of_organization(organization: OrganizationId, name: str) -> Key:
    return Key(partition(organization, _LIMIT), f"{_LIMIT}#{name}")


def decoy(address: str, number: int) -> Key:
    return Key(_address(address), f"{_DECOY}{number}")


def is_decoy(key: Key) -> bool:
    return key.sk.startswith(_DECOY)


def indexes_of_decoys(address: str) -> tuple[IndexPartition, IndexPartition]:
    """The indexes that also list a mail and its audit entry."""
    return IndexPartition(GSI2, _address(address)), IndexPartition(GSI3, _address(address))


def _address(address: str) -> str:
    return f"EMAIL#{text.unique_form(address)}"


# -- across organizations: queries of the system itself ---------------------------------------------------------------

UNSENT_MAIL = IndexPartition(GSI2, "MAIL#UNSENT")


def due(index: str, shard: int) -> IndexPartition:
    """A shard of a due index: the items by the time when they are due; see `dal.due_index`."""
    return IndexPartition(GSI9, f"{index}#{shard:02}")


HEALTH = Key("HEALTH", "PROBE")


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
