"""Read state: the activities that a user has read and archived, seen by this user alone.

A mark is a row for an activity: `read_at` says when it was read, an index lists it while it is archived. Each is an
attribute of its own, so that concurrent marks never undo one another. `data` is of the activity, which never changes:
its audience, by which marks are counted and listed, and the users that it names. One more row holds the id of the
activity up to which everything is read; until it is first set, that is everything from before the user was created.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from chalicelib.core import clock, ids
from chalicelib.core.errors import not_found
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.expressions import Action, Path
from chalicelib.dal.item import Item, Text, attribute
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.activities import activities
from chalicelib.models.activities.activities import ACTIVITIES, VERSION, Activity, StoredActivity
from chalicelib.models.activities.audience import Reader
from chalicelib.models.users import USERS, StoredUser

EXACT_COUNT = 1_000
"""Unread activities are counted up to here, and no more rows are looked at: some 25 RCU, in one query."""

_READ_AT = attribute("read_at", Text())

_UP_TO = "READ_UP_TO"


class MarkedActivity(Activity):
    """An activity as one user sees it."""

    is_read: bool
    is_archived: bool

    @classmethod
    def new_to_all(cls, activity: StoredActivity, author: StoredUser) -> MarkedActivity:
        """Return an activity that its author has just recorded."""
        return cls.naming(activity, {author.id: author}, is_read=False, is_archived=False)


@dataclass(frozen=True)
class Unread:
    count: int
    is_exact: bool
    """False: there may be more."""


# -- write -----------------------------------------------------------------------------------------------------------


def read(unit: UnitOfWork, reader: Reader, activity: UUID) -> None:
    """Mark an activity as read. NOT_FOUND for one that the reader may not read."""
    read_at = Path(_READ_AT.attr_name)
    _mark(unit, reader, activity, read_at.set(read_at | clock.to_text(clock.now())))


def read_all(unit: UnitOfWork, user: StoredUser) -> None:
    """Mark all present activities as read. Later ones are new, unless they happened before the newest of these."""
    unit.require_version(user.version, user.updated_at)
    unit.audit_target(USERS.entity, user.id, {}, {})
    up_to = activities.newest(unit.organization) or _beginning(user)
    item = Item(*_up_to_key(unit.organization, user), data={"activityId": str(up_to)})
    # Read by another request at the same time, there may be newer ones that are read already.
    unit.put(item, Item.pk.does_not_exist() | (Item.data["activityId"] <= str(up_to)), stale)


def archive(unit: UnitOfWork, reader: Reader, activity: UUID) -> None:
    """Archive an activity. NOT_FOUND for one that the reader may not read."""
    archived = keys.archived_activities(unit.organization, reader.user.id)
    _mark(unit, reader, activity, table.entry(archived).set(archived.pk))


def unarchive(unit: UnitOfWork, reader: Reader, activity: UUID) -> None:
    """Take an activity out of the archive. NOT_FOUND for one that the reader may not read."""
    archived = keys.archived_activities(unit.organization, reader.user.id)
    _mark(unit, reader, activity, table.entry(archived).remove())


def _mark(unit: UnitOfWork, reader: Reader, identifier: UUID, action: Action) -> None:
    """Mark an activity, which is the target of the request, though nothing of it changes."""
    activity = ACTIVITIES.get(unit.organization, identifier)
    if not reader.may_read(activity.readers):
        raise not_found(ACTIVITIES.entity)
    unit.require_version(VERSION)
    about = {"readers": list(activity.readers), "users": [str(user) for user in activity.user_ids]}
    unit.upsert(_key(unit.organization, reader.user, identifier), [action, Item.data.set(Item.data | about)])
    unit.audit_target(ACTIVITIES.entity, identifier, {}, {})


# -- read ------------------------------------------------------------------------------------------------------------


def marked(organization: OrganizationId, reader: Reader, shown: Sequence[StoredActivity]) -> list[MarkedActivity]:
    """Activities as the reader sees them, one for one: one read, of up to 100 marks and users."""
    items = _read(
        organization,
        reader,
        [_key(organization, reader.user, activity.id) for activity in shown],
        (user for activity in shown for user in activity.user_ids),
    )
    marks = [items.get(_key(organization, reader.user, activity.id)) for activity in shown]
    return [_marked(organization, reader, *pair, items) for pair in zip(shown, marks, strict=True)]


def archived(organization: OrganizationId, reader: Reader, marks: Sequence[Item]) -> list[MarkedActivity]:
    """Return the activities of rows of the index of archived ones, one for one: one read.

    The index says that they are archived, and which users they name; the mark itself, whether they are read.
    """
    activity_keys = {mark.key: ACTIVITIES.key(organization, UUID(mark.sk)) for mark in marks}
    users = (UUID(user) for mark in marks for user in (mark.data or {})["users"])
    items = _read(organization, reader, [*activity_keys, *activity_keys.values()], users)
    return [
        _marked(organization, reader, StoredActivity.of(items[activity]), items.get(mark), items, is_archived=True)
        for mark, activity in activity_keys.items()
    ]


def _read(
    organization: OrganizationId, reader: Reader, others: Iterable[Key], users: Iterable[UUID]
) -> dict[Key, Item]:
    named = [USERS.key(organization, user) for user in users if user != reader.user.id]
    return table.batch_get([*others, _up_to_key(organization, reader.user), *named])


def _marked(
    organization: OrganizationId,
    reader: Reader,
    activity: StoredActivity,
    mark: Item | None,
    items: Mapping[Key, Item],
    *,
    is_archived: bool | None = None,
) -> MarkedActivity:
    user_keys = {user: USERS.key(organization, user) for user in activity.user_ids}
    users = {user: USERS.record.of(items[key]) for user, key in user_keys.items() if key in items}
    up_to = _up_to(items.get(_up_to_key(organization, reader.user)), reader.user)
    if is_archived is None:
        is_archived = mark is not None and mark.is_in(keys.archived_activities(organization, reader.user.id))
    return MarkedActivity.naming(
        activity,
        {**users, reader.user.id: reader.user},
        is_read=activity.id <= up_to or (mark is not None and mark.value(_READ_AT) is not None),
        is_archived=is_archived,
    )


def count_unread(organization: OrganizationId, reader: Reader) -> Unread:
    """Count the activities that the reader may read and has neither read nor archived, up to a bound.

    Costs by those since `read_all`. The engine counts and no row is carried: 1 RCU for some 40 activities, whoever may
    read them, and for some 15 of them that are marked.
    """
    user = reader.user
    up_to = str(_up_to(table.get(_up_to_key(organization, user)), user))
    archived_in = table.entry(keys.archived_activities(organization, user.id))
    is_settled = Path(_READ_AT.attr_name).exists() | archived_in.exists()
    # Of those that the reader may read now: their role may have been another one.
    settled = table.count(
        keys.activity_marks(organization, user.id),
        behind=up_to,
        condition=is_settled & reader.among(Item.data["readers"]),
    )
    happened = table.count(
        keys.activity_feed(organization),
        behind=up_to,
        maximum=settled.rows + EXACT_COUNT + 1,
        condition=reader.among(Item.facets["readers"]),
    )
    # The index trails the table: an activity that was just marked may not be counted yet.
    unread = max(0, happened.rows - settled.rows)
    return Unread(min(unread, EXACT_COUNT), happened.is_complete and unread <= EXACT_COUNT)


def _key(organization: OrganizationId, user: StoredUser, activity: UUID) -> Key:
    return Key(keys.activity_marks(organization, user.id), str(activity))


def _up_to_key(organization: OrganizationId, user: StoredUser) -> Key:
    return Key(keys.activity_marks(organization, user.id), _UP_TO)


def _up_to(item: Item | None, user: StoredUser) -> UUID:
    return _beginning(user) if item is None or item.data is None else UUID(item.data["activityId"])


def _beginning(user: StoredUser) -> UUID:
    return ids.first_id_at(user.created_at)
