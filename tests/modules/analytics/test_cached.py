"""Cached time and summaries: the same figures as without them, after any write; and what they save."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.engine import Store as Engines
from infra.local.engine import configured_store
from infra.local.stack import Stack
from tests.support import store as stores
from tests.support.api import Api
from tests.support.client_hooks import Refusal, broken, lagging
from tests.support.factories import Member
from tests.support.frozen_time import later, standing_still
from tests.support.hypothesis_profile import law
from tests.support.project_helpers import new_project
from tests.support.store import Store
from tests.support.tracking_office import NOW, WAYS, Office, new_office

YEAR = {"from": "2025-07-01", "to": "2026-06-30"}
NEEDS_CAPACITY = pytest.mark.skipif(configured_store() is Engines.MOTO, reason="moto does not count units as billed")
SETTLED_MINUTES = 3
"""Long enough after the last change for summaries to be cached."""


@pytest.fixture
def store(local_stack: Stack) -> Store:
    return stores.of(local_stack)


@contextmanager
def settled() -> Iterator[None]:
    with standing_still(NOW), later(minutes=SETTLED_MINUTES):
        yield


def cached_keys(store: Store, office: Office) -> list[tuple[str, str]]:
    return [key for key in store.items() if key[0].startswith(f"ORG#{office.organization.id}#CACHE#")]


def ask(member: Member, action: str = "getAnalyticsSummary", **query: Any) -> Any:
    answer = member.call(action, query=query)
    assert answer.status == 200, answer.text
    return answer.data


def figures(office: Office) -> dict[str, Any]:
    """Return what everybody's, another's and one's own analyses say, by all that they can group by."""
    owner, member = office.owner, office.member
    with settled():
        return {
            "all": ask(owner, **YEAR, groupBy="user,client"),
            "all by week": ask(owner, **YEAR, groupBy="week,project"),
            "all tags": ask(owner, **YEAR, groupBy="tag,task", billable="true"),
            "another": ask(owner, **YEAR, groupBy="project,client", **office.user),
            "own": ask(member, **YEAR, groupBy="day,task"),
            "rounded": ask(owner, **YEAR, groupBy="tag", round="UP:15", **office.user),
            "heatmap": ask(member, "getActivityHeatmap", **YEAR),
            "streak": ask(member, "getTrackingStreak"),
        }


# -- cached equals fresh ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_no_cached_figure_outlives_a_change(api: Api, store: Store, way: str) -> None:
    """Given cached figures, when something changes, then they change at once, and as if none had been cached."""
    with standing_still(NOW):
        office = new_office(api)
        WAYS["rate of the organization"](office)
    before = figures(office)
    with standing_still(NOW):
        WAYS[way](office)

    after = [figures(office), figures(office)]

    store.remove(cached_keys(store, office))
    assert after == [figures(office)] * 2
    assert way == "a discarded timer" or after[0] != before


@law(24, default=8)
@given(st.lists(st.sampled_from(sorted(WAYS)), min_size=4, max_size=7))
def test_cached_figures_equal_fresh_ones(api: Api, local_stack: Stack, ways: list[str]) -> None:
    """Given any changes in any order, then cached figures are after each of them as if none had been cached."""
    store = stores.of(local_stack)
    with standing_still(NOW):
        office = new_office(api)
    figures(office)
    for number, way in enumerate(ways):
        with standing_still(NOW):
            WAYS[way](office)
        cached = figures(office)
        # Only now and then, so that what was cached lives through several changes.
        if number % 3 == 2 or number + 1 == len(ways):
            store.remove(cached_keys(store, office))
            assert cached == figures(office), ways[: number + 1]


@pytest.mark.parametrize(
    "way", ["month of a session", "changed sessions", "deleted sessions", "sessions deleted at once"]
)
def test_copies_that_lag_behind_are_read_again(api: Api, store: Store, way: str) -> None:
    """Given eventually consistent reads that show nothing of the last change, then figures show it all the same."""
    with standing_still(NOW):
        office = new_office(api)
    with lagging():
        for _ in range(2):
            figures(office)
            with standing_still(NOW):
                WAYS[way](office)
        lagged = [figures(office) for _ in range(3)]
    # Nothing that lagged was cached, either
    assert lagged == [figures(office)] * 3
    store.remove(cached_keys(store, office))
    assert lagged == [figures(office)] * 3


def test_what_another_release_cached_is_made_anew(api: Api, store: Store) -> None:
    with standing_still(NOW):
        office = new_office(api)
    expected = figures(office)
    cached = {key: item for key, item in store.items().items() if key in cached_keys(store, office)}
    for item in cached.values():
        if "answer" in item:
            item["answer"] = {"B": zlib.compress(b'{"totals": 1}')}
        else:
            item["data"] = {"M": {"2026-01": {"S": "new"}}}
    store.put(cached.values())
    assert figures(office) == expected


# -- what they cost --------------------------------------------------------------------------------------------------


def cost(member: Member, **query: Any) -> tuple[list[str], float]:
    """Return the requests of a year's summary by day and project, and their capacity units."""
    with settled():
        answer = member.call("getAnalyticsSummary", query={**YEAR, "groupBy": "day,project", **query})
    assert answer.status == 200, answer.text
    calls = answer.recording.calls
    return [call.operation for call in calls], sum(call.capacity for call in calls)


@pytest.fixture(scope="module")
def busy(api: Api) -> Office:
    """An office whose member has two years of some sessions a month, on four projects with rates of three levels."""
    with standing_still(NOW):
        office = new_office(api)
        WAYS["rate of the organization"](office)
        projects = [office.project, *(new_project(office.owner)["id"] for _ in range(3))]
        for month in range(24):
            for number, project in enumerate(projects):
                start = NOW - timedelta(days=30 * month + number, hours=2)
                office.track(start, projectId=project, billable=True)
    return office


@NEEDS_CAPACITY
def test_a_year_of_one_user_is_two_requests(busy: Office) -> None:
    """Given a year that was analysed once, then another analysis is two requests, also after a new session."""
    cost(busy.member)
    requests, units = cost(busy.member)
    assert (requests, units <= 10.5) == (["BatchGetItem"] * 2, True), units

    with standing_still(NOW):
        busy.track(projectId=busy.project)

    requests, units = cost(busy.member, billable="true")
    assert (requests, units <= 12) == (["BatchGetItem"] * 2, True), units
    of_another, units = cost(busy.owner, **busy.user)
    assert (of_another, units <= 13) == (["BatchGetItem"] * 2, True), units


@NEEDS_CAPACITY
@pytest.mark.parametrize(
    ("way", "further"),
    [("rate of the project", ["Query", "PutItem"]), ("name of the project", ["BatchGetItem", "PutItem"])],
)
def test_new_rates_and_names_are_one_request_more(busy: Office, way: str, further: list[str]) -> None:
    """Given a new rate or name, then the next analysis reads those, once, and caches them."""
    cost(busy.member)
    with standing_still(NOW):
        WAYS[way](busy)

    requests, units = cost(busy.member)

    assert requests == ["BatchGetItem", "BatchGetItem", *further]
    assert units <= 17, "15 read, and what is cached"
    assert cost(busy.member)[0] == ["BatchGetItem"] * 2


def test_a_cached_answer_for_everybody_is_two_requests(busy: Office) -> None:
    cost(busy.owner)
    assert cost(busy.owner)[0] == ["BatchGetItem", "Query"]


@pytest.mark.parametrize("minutes", [0, SETTLED_MINUTES])
def test_nothing_is_cached_while_somebody_works(busy: Office, minutes: float) -> None:
    """Given a change of a moment ago, or a timer, then an answer for everybody is not cached: it is old in no time."""
    with standing_still(NOW):
        busy.track()
        if minutes:
            WAYS["a timer"](busy)
    with standing_still(NOW), later(minutes=minutes):
        query = {**YEAR, "groupBy": "week", "tag": "x"}
        answers = [busy.owner.call("getAnalyticsSummary", query=query) for _ in range(2)]
    with standing_still(NOW):
        WAYS["a discarded timer"](busy)
    assert all("PutItem" not in answer.recording.operations for answer in answers)


def test_the_time_of_a_user_is_found_where_it_cannot_be_cached(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Given a store that takes no copies, then that is logged, and answered all the same."""
    with standing_still(NOW):
        office = new_office(api)
    with settled(), broken(Refusal("PutItem", "ProvisionedThroughputExceededException")):
        seconds = ask(office.member, **YEAR)["totals"]["seconds"]
    assert seconds == 6 * 90 * 60
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "the time of a user was not cached"
    ]
