"""Read and archived are a user's own state, also under concurrency."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import clock, ids
from chalicelib.dal import keys, table
from chalicelib.dal.keys import Key
from chalicelib.models.activities import activities, read_state
from chalicelib.models.activities.activities import ActivityType, StoredActivity
from chalicelib.models.activities.audience import EVERYONE
from chalicelib.models.audit import Actor
from chalicelib.models.users import Role
from tests.support.activity_helpers import listed, mark, read_all, record, unread, unread_titles, walked
from tests.support.client_hooks import overtaken
from tests.support.factories import Member, Organization


def _state(member: Member, identifier: str) -> tuple[bool, bool]:
    """Return whether an activity is read and archived, from the lists."""
    everything = [*walked(member), *walked(member, query={"archived": "true"})]
    (activity,) = [value for value in everything if value["id"] == identifier]
    return activity["isRead"], activity["isArchived"]


def _mark_item(member: Member, organization: Organization, identifier: str) -> dict[str, Any]:
    item = table.get(Key(keys.activity_marks(organization.id, member.user.id), identifier))
    assert item is not None
    return item.to_simple_dict()


def test_what_one_has_read_is_unread_to_others(organization: Organization) -> None:
    first, second = record(organization.owner, "first")["id"], record(organization.owner, "second")["id"]
    others = [organization.enrol(role) for role in (Role.VIEWER, Role.OWNER)]
    reader = others.pop()
    third = record(organization.owner, "third")["id"]

    assert mark(reader, "markActivityAsRead", third).data == {"id": third, "isRead": True}

    assert unread_titles(organization.owner) == ["third", "second", "first"]
    assert unread_titles(others[0]) == ["third"]
    assert unread_titles(reader) == []
    assert [_state(reader, value) for value in (first, second)] == [(True, False)] * 2


def test_what_was_before_somebody_came_is_no_news_to_them(organization: Organization) -> None:
    record(organization.owner, "before")
    newcomer = organization.enrol(Role.MEMBER)
    assert (unread(newcomer), unread_titles(newcomer)) == (0, [])
    record(organization.owner, "after")
    assert (unread(newcomer), unread_titles(newcomer)) == (1, ["after"])


def test_marks_are_of_two_kinds_and_leave_each_other_alone(organization: Organization) -> None:
    owner, activity = organization.owner, record(organization.owner)["id"]
    steps = [
        ("archiveActivity", {"isArchived": True}, (False, True), 0),
        ("unarchiveActivity", {"isArchived": False}, (False, False), 1),
        ("archiveActivity", {"isArchived": True}, (False, True), 0),
        ("markActivityAsRead", {"isRead": True}, (True, True), 0),
        ("unarchiveActivity", {"isArchived": False}, (True, False), 0),
    ]
    for action, answer, state, count in steps:
        assert mark(owner, action, activity).data == {"id": activity, **answer}
        assert (_state(owner, activity), unread(owner)) == (state, count)


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("markActivityAsRead", (True, False)),
        ("archiveActivity", (False, True)),
        ("unarchiveActivity", (False, False)),
    ],
)
def test_a_mark_made_again_changes_nothing(organization: Organization, action: str, state: tuple[bool, bool]) -> None:
    owner, activity = organization.owner, record(organization.owner)["id"]
    mark(owner, action, activity)
    before = _mark_item(owner, organization, activity)
    with clock.shifted(timedelta(minutes=1)):
        mark(owner, action, activity)
    assert _mark_item(owner, organization, activity) == before
    assert _state(owner, activity) == state
    assert unread(owner) == (state == (False, False))


# -- all at once -----------------------------------------------------------------------------------------------------


def test_all_are_read_until_there_are_more(organization: Organization) -> None:
    owner, other = organization.owner, organization.enrol(Role.MEMBER)
    archived = record(owner, "archived")["id"]
    mark(owner, "archiveActivity", archived)
    for number in range(3):
        record(owner, str(number))

    read_all(owner)

    assert (unread(owner), unread_titles(owner)) == (0, [])
    assert _state(owner, archived) == (True, True)
    assert unread(other) == 4
    # And later ones are news again
    record(owner, "later")
    assert (unread(owner), unread_titles(owner)) == (1, ["later"])
    mark(owner, "unarchiveActivity", archived)
    assert unread(owner) == 1


def test_where_nothing_has_happened_all_is_read(organization: Organization) -> None:
    read_all(organization.owner)
    assert unread(organization.owner) == 0
    record(organization.owner)
    assert unread(organization.owner) == 1


def _happened(organization: Organization, title: str, at: UUID) -> None:
    activity = StoredActivity.happened(
        at,
        title=title,
        type=ActivityType.DATA_CHANGE,
        entity_type="client",
        entity_id="1",
        action="CLIENT_CREATED",
        actor=Actor(name="Anna Berg"),
        readers=EVERYONE,
    )
    assert activities.record_once(organization.id, activity)


def test_what_the_feed_brings_later_is_news(organization: Organization) -> None:
    """The stream brings changes to the feed a moment after their commit."""
    owner = organization.owner
    record(owner, "there")
    done = ids.new_id()
    read_all(owner)
    _happened(organization, "on its way", done)
    assert (unread(owner), unread_titles(owner)) == (1, ["on its way"])


def _reads_all(organization: Organization) -> None:
    read_all(organization.owner)


def _reads_more(organization: Organization) -> None:
    record(organization.owner, "meanwhile")
    read_all(organization.owner)


@pytest.mark.parametrize("meanwhile", [_reads_all, _reads_more])
def test_all_read_twice_at_once_is_all_that_either_saw(
    organization: Organization, meanwhile: Callable[[Organization], None]
) -> None:
    record(organization.owner, "first")
    with overtaken(lambda: meanwhile(organization)):
        read_all(organization.owner)
    assert unread(organization.owner) == 0


def test_reading_all_costs_a_look_at_the_newest(organization: Organization) -> None:
    for _ in range(3):
        record(organization.owner)
    answer = organization.owner.call("markAllActivitiesAsRead")
    assert answer.recording.operations == ["BatchGetItem", "Query", "TransactWriteItems"]


# -- counting --------------------------------------------------------------------------------------------------------


def _count(member: Member) -> dict[str, Any]:
    data: dict[str, Any] = member.call("getUnreadCount").data
    return data


def test_many_are_counted_up_to_a_bound(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_state, "EXACT_COUNT", 2)
    owner = organization.owner
    recorded = [record(owner, str(number))["id"] for number in range(2)]
    assert _count(owner) == {"count": 2, "isExact": True}
    recorded += [record(owner, str(number))["id"] for number in range(2, 5)]
    assert _count(owner) == {"count": 2, "isExact": False}
    # And those that are read or archived take nothing from the bound
    for identifier, action in zip(recorded, ("markActivityAsRead", "archiveActivity"), strict=False):
        mark(owner, action, identifier)
    assert _count(owner) == {"count": 2, "isExact": False}
    mark(owner, "markActivityAsRead", recorded[2])
    assert _count(owner) == {"count": 2, "isExact": True}
    mark(owner, "markActivityAsRead", recorded[3])
    assert _count(owner) == {"count": 1, "isExact": True}


def test_what_an_index_does_not_know_yet_makes_no_count_negative(organization: Organization) -> None:
    owner, activity = organization.owner, record(organization.owner)["id"]
    mark(owner, "markActivityAsRead", activity)
    table.update(activity_key(organization, activity), [table.entry(keys.activity_feed(organization)).remove()])
    assert unread(owner) == 0


def activity_key(organization: Organization, identifier: str) -> Key:
    return activities.ACTIVITIES.key(organization.id, UUID(identifier))


def test_marks_on_what_was_read_before_cost_and_count_nothing(organization: Organization) -> None:
    owner = organization.owner
    old = [record(owner)["id"] for _ in range(3)]
    read_all(owner)
    for identifier in old:
        mark(owner, "markActivityAsRead", identifier)
    mark(owner, "archiveActivity", old[0])
    record(owner)
    assert unread(owner) == 1
    assert len(listed(owner)) == 3
