"""Activities: the events of an organization. None ever changes; read state is in `models.activities.read_state`.

No name of a user is stored in one: names are those that users have when the activity is read. So a deleted user's is
nowhere in the feed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BeforeValidator, Field

from chalicelib.core import former_users, ids, text
from chalicelib.core.entity_names import EntityId, EntityType
from chalicelib.core.field_types import STORED, Line, Lines, Name
from chalicelib.core.ids import OrganizationId
from chalicelib.core.json_objects import JsonObject, bounded
from chalicelib.dal import keys, table
from chalicelib.dal.collection import Collection
from chalicelib.dal.item import Item
from chalicelib.dal.records import INTERNAL, Record, versions
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork, stale
from chalicelib.models.activities.audience import Audience
from chalicelib.models.audit import Actor
from chalicelib.models.users import StoredUser

MAX_METADATA_BYTES = 10 * 1024
MAX_TITLE = 255
VERSION = 1
"""Version of every activity, for good."""


class ActivityType(StrEnum):
    USER_ACTION = "USER_ACTION"
    SYSTEM_EVENT = "SYSTEM_EVENT"
    WORKFLOW_UPDATE = "WORKFLOW_UPDATE"
    DATA_CHANGE = "DATA_CHANGE"
    INTEGRATION_EVENT = "INTEGRATION_EVENT"


class Severity(StrEnum):
    INFO = "INFO"
    SUCCESS = "SUCCESS"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


Metadata = Annotated[JsonObject, bounded(MAX_METADATA_BYTES), Field(examples=[{"batch": 17}])]
"""Any JSON object of up to 10 KB."""

Description = Annotated[Lines, Field(max_length=2000)]
ActionName = Annotated[Line, Field(max_length=100, examples=["PAYROLL_EXPORTED"])]


def _stored(metadata: Any) -> Any:
    return json.loads(metadata) if isinstance(metadata, str) else metadata


ACTOR, USER = "\x01", "\x02"
"""Places in a stored title: the names of its actor and of the user that it is about. No text has these characters."""


class _Content(Record):
    description: Annotated[Description | None, Field(examples=[None])] = None
    type: ActivityType
    entity_type: EntityType
    entity_id: Annotated[EntityId, Field(examples=["019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091"])]
    action: ActionName
    metadata: Annotated[Metadata, BeforeValidator(_stored), Field(default_factory=dict)]
    severity: Severity = Severity.INFO


class StoredActivity(_Content):
    title: str
    """A title of any length, with the places ACTOR and USER."""
    actor_id: Annotated[UUID | None, INTERNAL] = None
    actor_name: Annotated[str | None, INTERNAL] = None
    """The name of an actor who is no user: the product, or the other side of a loan."""
    user_id: Annotated[UUID | None, INTERNAL] = None
    """The user that the title names in the place USER."""
    readers: Annotated[tuple[str, ...], INTERNAL]
    """The audience; see `models.activities.audience`."""

    @classmethod
    def happened(cls, identifier: UUID, *, actor: Actor, readers: Audience, **fields: Any) -> Self:
        """Return the activity of the instant in its id."""
        at = ids.created_at(identifier)
        base = {
            "id": identifier,
            "created_at": at,
            "updated_at": at,
            "version": VERSION,
            "actor_id": actor.id,
            "actor_name": actor.name if actor.id is None else None,
            "readers": tuple(sorted(map(str, readers))),
        }
        return cls.model_validate({**base, **fields}, context=STORED)

    @property
    def user_ids(self) -> list[UUID]:
        """The users that it names."""
        return [user for user in (self.actor_id, self.user_id) if user is not None]

    @classmethod
    def of(cls, item: Item | None, called: str = "activity") -> Self:
        """Read an activity, from an index too, where the version is missing."""
        if item is not None:
            item.version = VERSION
        return super().of(item, called)

    def data(self) -> dict[str, Any]:
        # One text: the values may be anything, and nothing ever looks inside them here.
        return {**super().data(), "metadata": json.dumps(self.metadata, ensure_ascii=False)}


class Activity(_Content):
    """An activity as it is shown."""

    title: Annotated[Name, Field(examples=["Anna Berg created the client Hansekontor Logistik"])]
    actor: Actor

    @classmethod
    def naming(cls, stored: StoredActivity, users: Mapping[UUID, StoredUser], **more: Any) -> Self:
        """Return an activity with the names of its users. `users`: those of them that there are."""
        people = {user: _author(user, users.get(user)) for user in stored.user_ids}
        actor = Actor(name=stored.actor_name or "") if stored.actor_id is None else people[stored.actor_id]
        title = stored.title.replace(ACTOR, actor.name)
        if stored.user_id is not None:
            title = title.replace(USER, people[stored.user_id].name)
        return cls.extending(stored, title=text.shortened(title, MAX_TITLE), actor=actor, **more)


def _author(identifier: UUID, user: StoredUser | None) -> Actor:
    return Actor(id=identifier, name=former_users.NAME) if user is None else Actor.of(user)


@dataclass(frozen=True, kw_only=True)
class _Activities(Collection[StoredActivity]):
    def index(self, organization: OrganizationId, record: StoredActivity) -> dict[str, Any]:
        partitions = (
            keys.activity_feed(organization),
            keys.activities_of_type(organization, record.type),
            keys.activities_of_entity(organization, record.entity_type, record.entity_id),
        )
        attributes: dict[str, Any] = {partition.attribute: partition.pk for partition in partitions}
        # The index of the feed has no data: unread ones are counted by these.
        return {**attributes, "facets": {"readers": list(record.readers)}}


ACTIVITIES = _Activities(entity="activity", record=StoredActivity)


def record(unit: UnitOfWork, activity: StoredActivity) -> None:
    """Add an activity to the unit, apart from its target. Its id is the caller's to choose, and new."""
    unit.put_new(ACTIVITIES.item(unit.organization, activity), stale)


def record_once(organization: OrganizationId, activity: StoredActivity) -> bool:
    """Writes an activity by itself; False when there is one with its id."""
    return table.put_new(ACTIVITIES.item(organization, activity))


def record_all(organization: OrganizationId, activities: Iterable[StoredActivity]) -> None:
    """Write those that are not there yet, up to 100 in one transaction."""
    missing = list({activity.id: activity for activity in activities}.values())
    while len(missing) > 1:
        unit = UnitOfWork(organization)
        for activity in missing:
            record(unit, activity)
        try:
            unit.commit()
            return
        except StaleRead:
            there = versions(ACTIVITIES.key(organization, activity.id) for activity in missing)
            left = [activity for activity in missing if ACTIVITIES.key(organization, activity.id) not in there]
            if len(left) == len(missing):
                raise
            missing = left
    for activity in missing:
        record_once(organization, activity)


def newest(organization: OrganizationId) -> UUID | None:
    rows = table.query(keys.activities(organization), forward=False, limit=1).items
    return UUID(rows[0]["sk"]["S"]) if rows else None


def names_between(organization: OrganizationId, first: str, last: str) -> frozenset[str]:
    """The ids of the activities from one id to another, both inclusive; eventually consistent."""
    rows = table.query_all(keys.activity_feed(organization), between=(first, last))
    return frozenset(row["sk"]["S"] for row in rows)
