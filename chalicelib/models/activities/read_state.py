"""Read state: the activities that a user has read and archived, seen by this user alone.

A mark is a row for an activity: `data` says when it was read, an index lists it while it is archived. Each is an
attribute of its own, so that concurrent marks never undo one another. One more row holds the id of the activity up to
which everything is read; until it is first set, that is everything from before the user was created.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chalicelib.core import clock, ids
from chalicelib.core.errors import not_found
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.activities import activities
from chalicelib.models.activities.activities import ACTIVITIES, VERSION, Activity
from chalicelib.models.users import USERS, StoredUser

EXACT_COUNT = 10_000
"""Unread activities are counted up to here: some 250 RCU, in two or three queries."""

_UP_TO = "READ_UP_TO"


class MarkedActivity(Activity):
    """An activity as one user sees it."""

    is_read: bool
    is_archived: bool

    @classmethod
    def new_to_all(cls, activity: Activity) -> MarkedActivity:
        return cls.extending(activity, is_read=False, is_archived=False)


@dataclass(frozen=True)
class Unread:
    count: int
    is_exact: bool
    """False: there are more."""


# -- write -----------------------------------------------------------------------------------------------------------


def read(unit: UnitOfWork, user: StoredUser, activity: UUID) -> None:
    """Mark an activity as read. NOT_FOUND for none of the organization's."""
    _target(unit, activity)
    when = Item.data | {"readAt": clock.to_text(clock.now())}
    unit.upsert(_key(unit.organization, user, activity), [Item.data.set(when)])


def read_all(unit: UnitOfWork, user: StoredUser) -> None:
    """Mark all present activities as read. Later ones are new, unless they happened before the newest of these."""
    unit.require_version(user.version)
    unit.audit_target(USERS.entity, user.id, {}, {})
    up_to = activities.newest(unit.organization) or _beginning(user)
    item = Item(*_up_to_key(unit.organization, user), data={"activityId": str(up_to)})
    # Read by another request at the same time, there may be newer ones that are read already.
    unit.put(item, Item.pk.does_not_exist() | (Item.data["activityId"] <= str(up_to)), stale)


def archive(unit: UnitOfWork, user: StoredUser, activity: UUID) -> None:
    """Archive an activity. NOT_FOUND for none of the organization's."""
    _target(unit, activity)
    archived = keys.archived_activities(unit.organization, user.id)
    unit.upsert(_key(unit.organization, user, activity), [table.entry(archived).set(archived.pk)])


def unarchive(unit: UnitOfWork, user: StoredUser, activity: UUID) -> None:
    """Take an activity out of the archive. NOT_FOUND for none of the organization's."""
    _target(unit, activity)
    archived = keys.archived_activities(unit.organization, user.id)
    unit.upsert(_key(unit.organization, user, activity), [table.entry(archived).remove()])


def _target(unit: UnitOfWork, activity: UUID) -> None:
    """The activity is the target of the request, though nothing of it changes."""
    unit.require_version(VERSION)
    unit.check(ACTIVITIES.key(unit.organization, activity), Item.pk.exists(), lambda _: not_found(ACTIVITIES.entity))
    unit.audit_target(ACTIVITIES.entity, activity, {}, {})


# -- read ------------------------------------------------------------------------------------------------------------


def marked(organization: OrganizationId, user: StoredUser, shown: Sequence[Activity]) -> list[MarkedActivity]:
    """Activities as the user sees them, one for one: one read."""
    items = table.batch_get(
        [*(_key(organization, user, activity.id) for activity in shown), _up_to_key(organization, user)]
    )
    up_to = _up_to(items.get(_up_to_key(organization, user)), user)
    marks = [items.get(_key(organization, user, activity.id)) for activity in shown]
    return [
        MarkedActivity.extending(
            activity,
            is_read=activity.id <= up_to or (mark is not None and mark.data is not None),
            is_archived=mark is not None and mark.is_in(keys.archived_activities(organization, user.id)),
        )
        for activity, mark in zip(shown, marks, strict=True)
    ]


def archived(organization: OrganizationId, user: StoredUser, marks: Sequence[Item]) -> list[MarkedActivity]:
    """Return the activities of rows of the index of archived ones, one for one: one read."""
    activity_keys = [ACTIVITIES.key(organization, UUID(mark.sk)) for mark in marks]
    items = table.batch_get([*activity_keys, _up_to_key(organization, user)])
    up_to = _up_to(items.get(_up_to_key(organization, user)), user)
    shown = [Activity.of(items[key]) for key in activity_keys]
    return [
        MarkedActivity.extending(activity, is_read=activity.id <= up_to or mark.data is not None, is_archived=True)
        for activity, mark in zip(shown, marks, strict=True)
    ]


def count_unread(organization: OrganizationId, user: StoredUser) -> Unread:
    """Count the activities that are neither read nor archived, up to a bound. Costs by those since `read_all`.

    The engine counts and no row is carried: 1 RCU for some 45 activities, and for some 25 of them that are marked.
    """
    up_to = str(_up_to(table.get(_up_to_key(organization, user)), user))
    is_settled = Item.data["readAt"].exists() | table.entry(keys.archived_activities(organization, user.id)).exists()
    settled = table.count(keys.activity_marks(organization, user.id), behind=up_to, condition=is_settled)
    enough = settled + EXACT_COUNT + 1
    happened = table.count(keys.activity_feed(organization), behind=up_to, enough=enough)
    # The index trails the table: an activity that was just marked may not be counted yet.
    unread = max(0, happened - settled)
    return Unread(min(unread, EXACT_COUNT), unread <= EXACT_COUNT)


def _key(organization: OrganizationId, user: StoredUser, activity: UUID) -> Key:
    return Key(keys.activity_marks(organization, user.id), str(activity))


def _up_to_key(organization: OrganizationId, user: StoredUser) -> Key:
    return Key(keys.activity_marks(organization, user.id), _UP_TO)


def _up_to(item: Item | None, user: StoredUser) -> UUID:
    return _beginning(user) if item is None or item.data is None else UUID(item.data["activityId"])


def _beginning(user: StoredUser) -> UUID:
    return ids.first_id_at(user.created_at)
