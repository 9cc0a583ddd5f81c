"""Weekly reports: one mail a user and week, on Monday morning where the user is, of what the user may see."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from chalicelib.core import clock
from chalicelib.dal import keys, table
from chalicelib.jobs import mail, weekly_reports
from chalicelib.models.outbox import Mail, Template
from chalicelib.models.users import Role
from infra.local.lambda_events import invoke
from infra.local.stack import Stack
from tests.support import store as stores
from tests.support.api import Api
from tests.support.client_hooks import KINDS, Fault, ProcessDied, broken, overtaken, recorded, without_waiting
from tests.support.factories import Member, Organization, new_organization
from tests.support.frozen_time import standing_still
from tests.support.hypothesis_profile import law
from tests.support.mail_delivery import Post
from tests.support.store import Store

FRIDAY = datetime(2026, 6, 12, 12, tzinfo=UTC)
SES = mail._ses().meta.events  # type: ignore[attr-defined]  # the client's hooks


@pytest.fixture(autouse=True)
def _friday() -> Iterator[None]:
    with standing_still(FRIDAY):
        yield


@pytest.fixture
def store(local_stack: Stack) -> Store:
    return stores.of(local_stack)


@pytest.fixture
def home(organization: Organization, store: Store) -> Iterator[Organization]:
    """Leaves no due reports to the next test."""
    organization.owner.call("updateOrganization", body={"timezone": "Europe/Berlin"})
    yield organization
    store.remove(key for key in store.items() if key[0].endswith("#REPORT"))


@contextlib.contextmanager
def _at(instant: str) -> Iterator[None]:
    with clock.shifted(datetime.fromisoformat(instant) - clock.now()):
        yield


def _tick() -> int:
    count: int = invoke(lambda _, context: weekly_reports.tick(context), "report_weekly", {})
    return count


def _prefer(member: Member, *, weekly: bool | None = None, **preferences: Any) -> None:
    wish = {} if weekly is None else {"notifications": {"weeklyReport": weekly}}
    assert member.call("updatePreferences", body={**wish, **preferences}).status == 200


def _weeks(organization: Organization) -> list[date]:
    """Return the weeks of the reports that were decided on, in order."""
    rows = table.query_all(keys.mail_partition(organization.id))
    mails = [Mail.model_validate(table.plain(row, "data"), extra="ignore") for row in rows]
    return [mail.week for mail in mails if mail.template is Template.WEEKLY_REPORT and mail.week is not None]


# -- when ------------------------------------------------------------------------------------------------------------


def test_it_comes_on_monday_morning_once(home: Organization) -> None:
    _prefer(home.owner, weekly=True)
    for instant, decided in [
        ("2026-06-12T12:01Z", 0),
        ("2026-06-15T04:59:59Z", 0),
        ("2026-06-15T05:00Z", 1),
        ("2026-06-15T05:01Z", 0),
        ("2026-06-21T23:00Z", 0),
        ("2026-06-22T05:00Z", 1),
        ("2026-06-22T07:00Z", 0),
    ]:
        with _at(instant):
            assert _tick() == decided, instant
    assert _weeks(home) == [date(2026, 6, 8), date(2026, 6, 15)]


@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        ("Pacific/Kiritimati", "2026-06-14T17:00Z"),
        ("Asia/Kathmandu", "2026-06-15T01:15Z"),
        ("America/Los_Angeles", "2026-06-15T14:00Z"),
    ],
)
def test_it_goes_by_the_users_own_zone(home: Organization, zone: str, instant: str) -> None:
    _prefer(home.owner, weekly=True, timezone=zone)
    _tick()
    with _at(instant), clock.shifted(timedelta(milliseconds=-1)):
        assert _tick() == 0
    with _at(instant):
        assert _tick() == 1


def test_a_change_of_zone_moves_it(home: Organization) -> None:
    _prefer(home.owner, weekly=True, timezone="America/Los_Angeles")
    _tick()
    _prefer(home.owner, timezone="Asia/Tokyo")
    _tick()
    with _at("2026-06-14T22:00Z"):
        assert _tick() == 1
        # It is Sunday there, but this week's report was sent.
        _prefer(home.owner, timezone="America/Los_Angeles")
    for instant in ("2026-06-14T22:01Z", "2026-06-15T14:00Z"):
        with _at(instant):
            assert _tick() == 0
    with _at("2026-06-22T14:00Z"):
        assert _tick() == 1


def test_a_change_of_the_organizations_zone_is_followed(home: Organization) -> None:
    _prefer(home.owner, weekly=True)
    _tick()
    with _at("2026-06-15T05:00Z"):
        assert _tick() == 1
        home.owner.call("updateOrganization", body={"timezone": "Pacific/Auckland"})
    with _at("2026-06-21T17:00Z"):
        assert _tick() == 0
    with _at("2026-06-21T19:00Z"):
        assert _tick() == 1


def test_the_week_is_the_last_one_that_is_over(home: Organization) -> None:
    _prefer(home.owner, weekly=True, weekStart="SUNDAY")
    _tick()
    with _at("2026-06-15T05:00Z"):
        assert _tick() == 1
    assert _weeks(home) == [date(2026, 6, 7)]


def test_who_wants_it_on_monday_noon_has_the_next(home: Organization) -> None:
    with _at("2026-06-15T10:00Z"):
        _prefer(home.owner, weekly=True)
        assert _tick() == 0
    with _at("2026-06-22T05:00Z"):
        assert _tick() == 1


def test_who_does_not_want_it_costs_nothing(home: Organization, store: Store) -> None:
    _prefer(home.owner, weekly=True)
    _tick()
    _prefer(home.owner, weekly=False)

    assert not [key for key in store.items() if key[0].endswith("#REPORT")]
    with _at("2026-06-15T05:00Z"), recorded() as recording:
        assert _tick() == 0
    assert {call.operation for call in recording.calls} == {"Query"}


def test_a_deactivated_user_has_none_and_a_reactivated_one_has(home: Organization) -> None:
    member = home.member(Role.VIEWER)
    _prefer(member, weekly=True)
    _tick()
    home.owner.call("deactivateUser", path={"userId": member.user.id})
    with _at("2026-06-15T05:00Z"):
        assert _tick() == 0
    with _at("2026-06-16T08:00Z"):
        home.owner.call("reactivateUser", path={"userId": member.user.id})
    with _at("2026-06-22T04:00Z"):
        assert _tick() == 0
    with _at("2026-06-22T05:00Z"):
        assert _tick() == 1


def test_a_deleted_user_leaves_no_row(home: Organization, store: Store) -> None:
    member = home.enrol(Role.MEMBER)
    _prefer(member, weekly=True)
    _tick()
    assert home.owner.call("deleteUser", path={"userId": member.user.id}).status == 200
    assert not [key for key in store.items() if key[0].endswith("#REPORT")]


# -- once, whatever happens ------------------------------------------------------------------------------------------


def test_a_run_that_is_cut_off_decides_once(home: Organization, store: Store) -> None:
    _prefer(home.owner, weekly=True)
    _tick()
    before = store.items()
    with _at("2026-06-15T05:00Z"):
        with recorded() as recording:
            assert _tick() == 1
        for number in range(1, len(recording.operations) + 1):
            for kind in KINDS:
                store.restore(before)
                with without_waiting(), broken(Fault(number, kind)), contextlib.suppress(ProcessDied, Exception):
                    _tick()
                _tick()
                assert _weeks(home) == [date(2026, 6, 8)], (number, kind)


def test_runs_that_overlap_decide_once(home: Organization) -> None:
    _prefer(home.owner, weekly=True)
    _tick()
    with _at("2026-06-15T05:00Z"), overtaken(_tick) as first:
        assert _tick() == 0
    assert first == [1]
    assert _weeks(home) == [date(2026, 6, 8)]


def test_a_preference_that_changes_meanwhile_wins(home: Organization) -> None:
    _prefer(home.owner, weekly=True)
    _tick()
    with _at("2026-06-15T05:00Z"), overtaken(lambda: _prefer(home.owner, weekly=False)):
        assert _tick() == 0
    assert _weeks(home) == []


ZONES = ("Pacific/Kiritimati", "Asia/Kolkata", "Europe/Berlin", "America/Los_Angeles", None)


class Wishing(RuleBasedStateMachine):
    """A user whose wish and zone change as time passes, in steps of an hour, with a run of the schedule at each."""

    def __init__(self) -> None:
        super().__init__()
        self.organization = new_organization(Api(), timezone="Europe/Berlin")
        self.user = self.organization.owner
        self.zone: str | None = None
        self.since: datetime | None = None
        self.passed = 0
        self.expected: set[date] = set()

    @rule(on=st.booleans(), zone=st.sampled_from(ZONES))
    def prefer(self, zone: str | None, *, on: bool) -> None:
        _prefer(self.user, weekly=on, timezone=zone)
        if not on:
            self.since = None
        elif self.since is None:
            self.since = clock.now()
        self.zone = zone
        self.run()

    @rule(hours=st.integers(1, 60))
    def wait(self, hours: int) -> None:
        if self.passed + hours > 600:
            return
        for _ in range(hours):
            self.passed += 1
            clock._Shift.by += timedelta(hours=1)
            if self.is_near():
                self.run()

    def is_near(self) -> bool:
        """Runs at other hours find nothing due."""
        return clock.now().weekday() in {6, 0}

    def run(self) -> None:
        _tick()
        _tick()
        now, zone = clock.now(), ZoneInfo(self.zone or "Europe/Berlin")
        if self.since is None:
            return
        today = now.astimezone(zone).date()
        monday = today - timedelta(days=today.weekday())
        morning = datetime(monday.year, monday.month, monday.day, 7, tzinfo=zone)
        if self.since < morning <= now:
            self.expected.add(monday)

    @invariant()
    def each_monday_has_one(self) -> None:
        weeks = _weeks(self.organization)
        assert len(weeks) == len(set(weeks))
        assert {week + timedelta(days=7) for week in weeks} == self.expected

    def teardown(self) -> None:
        _prefer(self.user, weekly=False)
        clock._Shift.by -= timedelta(hours=self.passed)


def test_each_monday_has_one_whatever_changes() -> None:
    few = settings(law(12), stateful_step_count=12, phases=[Phase.generate])
    run_state_machine_as_test(Wishing, settings=few)


# -- the mail --------------------------------------------------------------------------------------------------------


@pytest.fixture
def sent(home: Organization) -> Iterator[list[dict[str, Any]]]:
    """The contents of the mails that were handed to SES."""
    contents: list[dict[str, Any]] = []

    def keep(params: dict[str, Any], **_: Any) -> None:
        contents.append(params["Content"]["Simple"])

    SES.register("provide-client-params.sesv2.SendEmail", keep)
    yield contents
    SES.unregister("provide-client-params.sesv2.SendEmail", keep)


def _delivered(member: Member, post: Post) -> list[dict[str, Any]]:
    _prefer(member, weekly=True)
    _tick()
    with _at("2026-06-15T05:00Z"):
        assert _tick() == 1
        post.carry()
        return post.mailbox.mails(member.user.email)


def test_it_has_last_weeks_figures(home: Organization, post: Post) -> None:
    [mail] = _delivered(home.owner, post)

    assert mail["subject"].startswith("Your week from 2026-06-08 in ")
    for line in ("New clients: 0 (+0)", "Revenue: 0.00 EUR (+0.00 EUR)", "Fill rate: –"):
        assert line in mail["body"]
    assert "/dashboard" in mail["body"]


def test_it_has_only_what_the_user_may_see(home: Organization, post: Post) -> None:
    viewer = home.member(Role.VIEWER)
    query = {"version": 1, "type": "snapshot", "source": "workers", "aggregate": "count", "period": "today"}
    shown = {"name": "Staff at evil.example", "category": "OPERATIONAL", "query": query, "permissions": ["VIEWER"]}
    home.owner.call("createDashboardMetric", body=shown)

    [mail] = _delivered(viewer, post)

    assert "Staff at evil. example: 0" in mail["body"]
    assert "Revenue" not in mail["body"]
    assert "evil.example" not in mail["body"]


def test_who_may_see_nothing_gets_none(home: Organization, post: Post) -> None:
    assert _delivered(home.member(Role.VIEWER), post) == []


def test_who_ends_it_meanwhile_gets_none(home: Organization, post: Post) -> None:
    _prefer(home.owner, weekly=True)
    _tick()
    with _at("2026-06-15T05:00Z"):
        assert _tick() == 1
        _prefer(home.owner, weekly=False)
        post.carry()
    assert post.mailbox.mails(home.owner.user.email) == []


def test_one_click_ends_it(home: Organization, post: Post, sent: list[dict[str, Any]], api: Api) -> None:
    _delivered(home.owner, post)
    headers = {header["Name"]: header["Value"] for header in sent[-1]["Headers"]}
    link = urlsplit(headers["List-Unsubscribe"].removeprefix("<").removesuffix(">"))
    query = {name: values[0] for name, values in parse_qs(link.query).items()}

    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (link.scheme, link.path) == ("https", "/api/v1/mail/unsubscribe")
    assert not {"\r", "\n"} & {*headers["List-Unsubscribe"]}
    assert api.call("getMailSubscription", query=query).data == {"mail": "weeklyReport", "isSubscribed": True}
    assert api.call("unsubscribe", body=query).status == 200
    assert api.call("getMailSubscription", query=query).data["isSubscribed"] is False
    assert home.owner.call("getPreferences").data["notifications"] == {"email": True, "weeklyReport": False}
    with _at("2026-06-22T05:00Z"):
        assert _tick() == 0


def test_other_mails_have_no_such_headers(home: Organization, post: Post, sent: list[dict[str, Any]]) -> None:
    body = {"email": "ida.holm@example.com", "firstName": "Ida", "lastName": "Holm"}
    assert home.owner.call("inviteUser", body=body).status == 201
    post.carry()
    assert ["Headers" in content for content in sent] == [False]
