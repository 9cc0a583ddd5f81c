"""Reminders of timers that run long: once, for what it costs to find those, and never a stop."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from chalicelib.jobs import reminders
from chalicelib.models.users import Role
from infra.local.lambda_events import invoke
from infra.local.stack import Stack
from tests.support import store as stores
from tests.support.client_hooks import KINDS, Fault, ProcessDied, broken, overtaken, recorded, without_waiting
from tests.support.factories import Member, Organization
from tests.support.mail_delivery import Post
from tests.support.store import Store
from tests.support.threads import at_once
from tests.support.time_helpers import at, at_noon, minutes_later

HALF_A_DAY = 12 * 60


@pytest.fixture(autouse=True)
def _noon(local_stack: Stack) -> Iterator[None]:
    """Freeze time, and leave no due timers to the next test."""
    with at_noon():
        yield
    table = stores.of(local_stack)
    table.remove(key for key in table.items() if key[0].endswith("#TIMER"))


@pytest.fixture
def me(_noon: None, organization: Organization) -> Member:
    return organization.member(Role.MEMBER)


def _start(member: Member, **fields: Any) -> None:
    assert member.post("startTimer", **fields).status == 201


def _tick() -> int:
    count: int = invoke(lambda _, context: reminders.tick(context), "remind_timers", {})
    return count


def _reminders(member: Member) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = member.call("getRecentActivities", query={"limit": 100}).data["items"]
    return [item for item in items if item["action"] == "TIMER_LONG_RUNNING"]


# -- once ------------------------------------------------------------------------------------------------------------


def test_a_timer_of_twelve_hours_has_one_activity_and_one_mail(me: Member, post: Post) -> None:
    """Given a timer of more than 12 hours, when the schedule runs again and again, then its user hears of it once."""
    _start(me, description="Secret")
    with minutes_later(HALF_A_DAY):
        assert _tick() == 0
    with minutes_later(HALF_A_DAY + 1):
        assert [_tick(), _tick()] == [1, 0]
        [activity] = _reminders(me)
        timer = me.call("getCurrentTimer").data["timer"]
        post.carry()
    with minutes_later(3 * HALF_A_DAY):
        assert _tick() == 0
    [mail] = post.mailbox.mails(me.user.email)

    assert (activity["title"], activity["severity"]) == (
        "The timer of Test Member has run for more than 12 hours",
        "WARNING",
    )
    assert (activity["entityType"], activity["entityId"]) == ("timer", timer["id"])
    assert activity["actor"]["name"] == "Workledger"
    assert (timer["isPaused"], [warning["code"] for warning in timer["warnings"]]) == (False, ["LONG_RUNNING"])
    assert mail["subject"] == "Your timer is still running"
    assert "/timer" in mail["body"]
    assert "Secret" not in mail["body"] + activity["title"]


def test_who_switched_mails_off_has_the_activity_alone(me: Member, post: Post) -> None:
    assert me.call("updatePreferences", body={"notifications": {"email": False}}).status == 200
    _start(me, startAt=at(-13 * 60))
    assert _tick() == 1
    assert (len(_reminders(me)), post.count(me.user.email)) == (1, 0)


def test_who_switches_mails_off_meanwhile_gets_none(me: Member, post: Post) -> None:
    _start(me, startAt=at(-13 * 60))
    assert _tick() == 1
    me.call("updatePreferences", body={"notifications": {"email": False}})
    assert post.count(me.user.email) == 0


@pytest.fixture
def store(local_stack: Stack) -> Store:
    return stores.of(local_stack)


def test_a_run_that_is_cut_off_reminds_once(me: Member, store: Store) -> None:
    """Given any fault at the commit of a run, when the next runs are whole, then there is one reminder and mail."""
    _start(me, startAt=at(-13 * 60))
    before = store.items()
    with recorded() as recording:
        assert _tick() == 1
    commit = recording.operations.index("TransactWriteItems") + 1
    for kind in KINDS:
        store.restore(before)
        with without_waiting(), broken(Fault(commit, kind)), contextlib.suppress(ProcessDied, Exception):
            _tick()
        assert _tick() + _tick() <= 1

        new = [pk.rpartition("#")[2] for pk, _ in store.changes(before)]
        assert sorted(new) == ["ACTIVITY", "MAIL", "TIMER"], kind


@pytest.mark.usefixtures("on_a_safe_engine")
def test_runs_at_once_remind_once(me: Member, organization: Organization) -> None:
    others = [organization.enrol(Role.MEMBER) for _ in range(4)]
    for member in (me, *others):
        _start(member, startAt=at(-13 * 60))
    assert sum(at_once([_tick] * 4)) == 5
    assert len(_reminders(organization.owner)) == 5
    (own,) = _reminders(me)
    assert own["title"] == f"The timer of {me.user.full_name} has run for more than 12 hours"


@pytest.mark.parametrize("action", ["stopTimer", "discardTimer", "pauseTimer"])
def test_a_timer_that_ends_or_pauses_meanwhile_is_not_due(me: Member, action: str) -> None:
    _start(me, startAt=at(-13 * 60))
    call = partial(me.call, action) if action == "discardTimer" else partial(me.post, action)
    with overtaken(call):
        assert _tick() == 0
    assert _reminders(me) == []
    assert _tick() == 0


def test_a_change_that_the_reminder_overtakes_does_not_lose_the_mark(me: Member) -> None:
    """Given a change of a timer whose user is reminded between its read and its commit, then both are there."""
    _start(me, startAt=at(-13 * 60))
    with overtaken(_tick):
        changed = me.call("updateTimer", body={"description": "late"})
    assert changed.data["timer"]["description"] == "late"
    assert (_tick(), len(_reminders(me))) == (0, 1)


def test_a_reminder_is_no_change_of_the_users(me: Member) -> None:
    """Given a device that holds the timer's version, when its user is reminded, then the device may still stop it."""
    _start(me, startAt=at(-13 * 60))
    version = me.call("getCurrentTimer").data["timer"]["version"]
    assert _tick() == 1
    timer = me.call("getCurrentTimer").data["timer"]
    assert (timer["version"], "remindedAt" in timer) == (version, False)
    assert me.post("stopTimer").data["durationSeconds"] == 13 * 3600


# -- due -------------------------------------------------------------------------------------------------------------


def test_pauses_put_the_reminder_off(me: Member) -> None:
    """Given a timer with an hour's pause, then it is due 13 hours after its start; while it is paused, never."""
    _start(me)
    with minutes_later(60):
        me.post("pauseTimer")
    with minutes_later(3 * HALF_A_DAY):
        assert _tick() == 0
    with minutes_later(120):
        me.post("resumeTimer")
    for minutes, count in ((HALF_A_DAY + 60, 0), (HALF_A_DAY + 61, 1)):
        with minutes_later(minutes):
            assert _tick() == count


def test_another_start_moves_the_reminder(me: Member) -> None:
    _start(me, startAt=at(-13 * 60))
    me.call("updateTimer", body={"startAt": at(-60)})
    assert _tick() == 0
    me.call("updateTimer", body={"startAt": at(-12 * 60 - 1)})
    assert _tick() == 1


def test_a_switch_has_a_reminder_of_its_own(me: Member) -> None:
    _start(me, startAt=at(-13 * 60))
    assert _tick() == 1
    _start(me, stopRunning=True)
    with minutes_later(HALF_A_DAY + 1):
        assert _tick() == 1
        assert len({activity["entityId"] for activity in _reminders(me)}) == 2


# -- bounds ----------------------------------------------------------------------------------------------------------


def test_a_run_goes_on_page_by_page_and_past_failures(
    organization: Organization, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given more due timers than a page, one of them unreadable, then all others have their reminders."""
    monkeypatch.setattr(reminders, "_A_PAGE", 1)
    members = [organization.enrol(Role.MEMBER) for _ in range(10)]
    for member in members:
        _start(member, startAt=at(-13 * 60))
    key = next(key for key in store.items() if key[0].endswith("#TIMER"))
    item = store.items()[key]
    del item["data"]["M"]["billable"]
    store.put([item])

    with pytest.raises(RuntimeError, match="no reminders of 1 timers"):
        _tick()

    assert len(_reminders(organization.owner)) == 9


def test_a_run_has_an_end(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reminders, "_A_PAGE", 1)
    monkeypatch.setattr(reminders, "MAX_ROWS", 2)
    for _ in range(3):
        _start(organization.enrol(Role.MEMBER), startAt=at(-13 * 60))
    assert [_tick(), _tick()] == [2, 1]
