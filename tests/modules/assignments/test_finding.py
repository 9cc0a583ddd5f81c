"""getAssignments and getWorkerWithAssignments: filters, time, pages and cursors."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core import ids
from chalicelib.models.staffing import assignment_search
from tests.support.api import Api
from tests.support.assignment_helpers import MILLISECOND, Desk, at, refusal
from tests.support.factories import new_organization
from tests.support.frozen_time import later
from tests.support.staffing import new_client, new_location, new_worker

SHIFTS: dict[str, tuple[str, str, float, float | None]] = {
    "ended long ago": ("ada", "press", -900, -890),
    "ended now": ("ada", "press", -8, 0),
    "runs": ("ada", "press", -4, 4),
    "runs since always": ("ada", "store", -9000, None),
    "runs long": ("bob", "store", -200, 2000),
    "begins now": ("bob", "dock", 0, 8),
    "comes": ("bob", "dock", MILLISECOND, 9),
    "comes late": ("ada", "dock", 500, None),
    "cancelled": ("bob", "press", 2, 10),
}
"""Worker, position, and from when to when in hours from now."""
PLACES = {"press": "north", "store": "north", "dock": "south"}
NEWEST_FIRST = sorted(SHIFTS, key=lambda name: -SHIFTS[name][2])

STATUSES = {
    "completed": {"ended long ago", "ended now"},
    "active": {"runs", "runs since always", "runs long", "begins now"},
    "scheduled": {"comes", "comes late"},
    "cancelled": {"cancelled"},
}


NAMES: dict[str, set[str]] = {
    "ADA": {name for name, (worker, *_) in SHIFTS.items() if worker == "ada"},
    "pręss": {name for name, (_, position, *_) in SHIFTS.items() if position == "press"},
    "north": {name for name, (_, position, *_) in SHIFTS.items() if PLACES[position] == "north"},
    "hanse kontor": {name for name, (_, position, *_) in SHIFTS.items() if PLACES[position] == "north"},
    "mustermann": set(SHIFTS),
    "nobody": set(),
}
"""Assignments by what a search finds them with: a worker, a position, a work location, a client."""


class Plan:
    """Those shifts, and ids by name."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        client = new_client(desk.member, name="Hanse Kontor")["id"]
        north, south = new_location(desk.member, client, name="North"), new_location(desk.member, name="South")
        self.locations = {"north": north["id"], "south": south["id"]}
        self.client = client
        self.positions = {
            name: desk.position(self.locations[where], headcount=9, name=name) for name, where in PLACES.items()
        }
        self.workers = {
            name: new_worker(desk.member, firstName=name, lastName="Mustermann")["id"] for name in ("ada", "bob")
        }
        self.ids = {
            name: desk.assign(self.workers[who], self.positions[position_name], start, end)["id"]
            for name, (who, position_name, start, end) in SHIFTS.items()
        }
        desk.done("cancelAssignment", self.ids["cancelled"])

    def names(self, **query: Any) -> list[str]:
        names = {identifier: name for name, identifier in self.ids.items()}
        return [names[value] for value in self.desk.listed(**query)]

    def counted(self, **query: Any) -> int:
        """The exact total, which nobody has looked at once more as at the rows."""
        data = self.desk.member.call("getAssignments", query={**query, "pageSize": 1}).data
        return int(data["pagination"]["totalItems"])


@pytest.fixture(scope="module")
def plan(api: Api, _still: None) -> Plan:
    return Plan(Desk.of(new_organization(api)))


def newest_first(names: set[str]) -> list[str]:
    return [name for name in NEWEST_FIRST if name in names]


# -- filters ---------------------------------------------------------------------------------------------------------


def test_all_of_them_latest_start_first_or_last(plan: Plan) -> None:
    assert plan.names() == NEWEST_FIRST
    assert plan.names(sortOrder="desc") == NEWEST_FIRST
    assert plan.names(sortOrder="asc") == NEWEST_FIRST[::-1]


@pytest.mark.parametrize("search", NAMES)
def test_by_the_names_that_they_refer_to(plan: Plan, search: str) -> None:
    assert plan.names(search=search) == newest_first(NAMES[search])
    assert plan.counted(search=search) == len(NAMES[search])
    both = {"search": search, "workerId": plan.workers["bob"], "status": "active"}
    assert plan.names(**both) == newest_first(NAMES[search] & {"runs long", "begins now"})


def test_a_search_goes_on_by_cursor(plan: Plan) -> None:
    names, query = [], {"search": "north", "limit": 2}
    for _ in range(4):
        page = plan.desk.member.call("getAssignments", query=query).data
        names += [next(name for name, id_ in plan.ids.items() if id_ == row["id"]) for row in page["items"]]
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]
    assert names == newest_first(NAMES["north"])


@pytest.mark.parametrize("status", STATUSES)
def test_by_status(plan: Plan, status: str) -> None:
    assert plan.names(status=status) == newest_first(STATUSES[status])
    assert plan.names(status=status, pageSize=100) == newest_first(STATUSES[status])
    assert plan.counted(status=status) == len(STATUSES[status])


@pytest.mark.parametrize("who", ["ada", "bob"])
@pytest.mark.parametrize("status", [None, *STATUSES])
def test_by_worker_and_status(plan: Plan, who: str, status: str | None) -> None:
    expected = {name for name, shift in SHIFTS.items() if shift[0] == who and name in STATUSES.get(status, SHIFTS)}
    query = {} if status is None else {"status": status}
    assert plan.names(workerId=plan.workers[who], **query) == newest_first(expected)


def test_by_position_location_and_client(plan: Plan) -> None:
    for position_name, position in plan.positions.items():
        assert plan.names(positionId=position) == newest_first(
            {name for name in SHIFTS if SHIFTS[name][1] == position_name}
        )
    for where, location in plan.locations.items():
        there = {name for name in SHIFTS if PLACES[SHIFTS[name][1]] == where}
        assert plan.names(workLocationId=location) == newest_first(there)
    assert plan.names(clientId=plan.client) == plan.names(workLocationId=plan.locations["north"])


def test_all_filters_together(plan: Plan) -> None:
    query = {
        "workerId": plan.workers["ada"],
        "positionId": plan.positions["press"],
        "workLocationId": plan.locations["north"],
        "clientId": plan.client,
        "status": "active",
        "from": at(3),
        "to": at(5),
    }
    assert (plan.names(**query), plan.counted(**query)) == (["runs"], 1)
    for contrary in (
        {"workerId": plan.workers["bob"]},
        {"positionId": plan.positions["dock"]},
        {"workLocationId": plan.locations["south"]},
        {"status": "scheduled"},
        {"from": at(4)},
        {"clientId": str(ids.new_id())},
    ):
        assert (plan.names(**{**query, **contrary}), plan.counted(**{**query, **contrary})) == ([], 0), contrary


@pytest.mark.parametrize(
    ("since", "until", "names"),
    [
        (-8, 0, {"ended now", "runs", "runs since always", "runs long"}),
        (-8, MILLISECOND, {"ended now", "runs", "runs since always", "runs long", "begins now"}),
        (0, 1, {"runs", "runs since always", "runs long", "begins now", "comes"}),
        (-890, -880, {"runs since always"}),
        (-890 - MILLISECOND, -880, {"ended long ago", "runs since always"}),
        (-900, None, set(SHIFTS)),
        (4, None, {"runs since always", "runs long", "begins now", "comes", "comes late", "cancelled"}),
        (2000, None, {"runs since always", "comes late"}),
        (None, -200, {"ended long ago", "runs since always"}),
        (None, -9000, set()),
        (None, -9000 + MILLISECOND, {"runs since always"}),
        (8, 9, {"runs since always", "runs long", "comes", "cancelled"}),
    ],
)
def test_what_overlaps_a_time_that_is_half_open(
    plan: Plan, since: float | None, until: float | None, names: set[str]
) -> None:
    query = {name: at(hours) for name, hours in (("from", since), ("to", until)) if hours is not None}
    assert plan.names(**query) == newest_first(names)
    assert plan.names(**query, page=1) == newest_first(names)
    assert plan.counted(**query) == len(names)


def test_statuses_move_with_the_clock(plan: Plan) -> None:
    with later(hours=9):
        assert plan.names(status="scheduled") == ["comes late"]
        assert plan.names(status="active") == newest_first({"runs since always", "runs long"})
    with later(hours=9, milliseconds=-1):
        assert plan.names(status="active") == newest_first({"runs since always", "runs long", "comes"})


def test_nobodys_things_have_no_assignments(api: Api, plan: Plan) -> None:
    assert plan.names(workerId=ids.new_id()) == []
    abroad = Desk.of(new_organization(api))
    assert abroad.listed() == []
    assert abroad.listed(workerId=plan.workers["ada"]) == []


@pytest.mark.parametrize(
    ("query", "code", "faulty"),
    [
        ({"from": at(1), "to": at(1)}, "INVALID_DATE_RANGE", ["to"]),
        ({"from": at(1), "to": at(0)}, "INVALID_DATE_RANGE", ["to"]),
        ({"from": "2026-06-15"}, "VALIDATION_ERROR", ["from"]),
        ({"to": "2026-06-15T08:00:00"}, "VALIDATION_ERROR", ["to"]),
        ({"status": "ACTIVE"}, "VALIDATION_ERROR", ["status"]),
        ({"workerId": "ada"}, "VALIDATION_ERROR", ["workerId"]),
        ({"page": 0}, "VALIDATION_ERROR", ["page"]),
        ({"pageSize": 101}, "VALIDATION_ERROR", ["pageSize"]),
        ({"limit": 0}, "VALIDATION_ERROR", ["limit"]),
        ({"cursor": "nonsense"}, "VALIDATION_ERROR", ["cursor"]),
        ({"page": 1, "limit": 5}, "VALIDATION_ERROR", ["query"]),
        ({"pageSize": 5, "cursor": "x"}, "VALIDATION_ERROR", ["query"]),
        ({"search": ""}, "VALIDATION_ERROR", ["search"]),
    ],
)
def test_queries_are_checked(plan: Plan, query: dict[str, Any], code: str, faulty: list[str]) -> None:
    assert refusal(plan.desk.member.call("getAssignments", query=query)) == (400, code, faulty)


# -- by page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page", "size"), [(1, 4), (2, 4), (3, 4), (4, 4), (1, 9), (1, 100)])
def test_pages_have_exact_totals(plan: Plan, page: int, size: int) -> None:
    data = plan.desk.member.call("getAssignments", query={"page": page, "pageSize": size}).data
    shown = NEWEST_FIRST[(page - 1) * size : page * size]
    assert [row["id"] for row in data["data"]] == [plan.ids[name] for name in shown]
    assert data["pagination"]["totalItems"] == 9
    assert data["pagination"]["totalPages"] == -(-9 // size)
    assert data["pagination"]["hasNextPage"] == (page * size < 9)


def test_totals_follow_the_filters(plan: Plan) -> None:
    data = plan.desk.member.call("getAssignments", query={"status": "active", "pageSize": 1, "page": 3}).data
    assert (data["pagination"]["totalItems"], len(data["data"])) == (4, 1)


def test_beyond_what_is_exact_the_list_says_what_serves_instead(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment_search, "EXACT_LIST_ROWS", 9)
    assert len(plan.names(page=1)) == 9
    monkeypatch.setattr(assignment_search, "EXACT_LIST_ROWS", 8)
    answer = plan.desk.member.call("getAssignments", query={"page": 1})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.error["details"] == {"use": "getAssignments with `limit` and `cursor`"}
    assert len(plan.names(limit=100)) == 9


# -- by cursor -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 4, 9])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_walk_yields_each_once_in_order(plan: Plan, limit: int, order: str) -> None:
    assert walked(plan.desk, limit=limit, sortOrder=order) == plan.desk.listed(sortOrder=order, limit=100)


@pytest.mark.parametrize("status", STATUSES)
def test_a_walk_of_a_status_yields_each_once(plan: Plan, status: str) -> None:
    assert walked(plan.desk, limit=1, status=status) == [plan.ids[name] for name in newest_first(STATUSES[status])]


def walked(desk: Desk, action: str = "getAssignments", **query: Any) -> list[str]:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(100):
        data = desk.member.call(action, query={**query, **cursor}).data
        assert len(data["items"]) <= query["limit"]
        seen += [row["id"] for row in data["items"]]
        if data["nextCursor"] is None:
            return seen
        cursor = {"cursor": data["nextCursor"]}
    raise AssertionError("the walk does not end")


def test_a_cursor_serves_one_list_with_its_filters(api: Api, plan: Plan) -> None:
    cursor = plan.desk.member.call("getAssignments", query={"limit": 1}).data["nextCursor"]
    abroad = Desk.of(new_organization(api))
    for desk, query in [
        (plan.desk, {"status": "active"}),
        (plan.desk, {"workerId": plan.workers["ada"]}),
        (plan.desk, {"sortOrder": "asc"}),
        (plan.desk, {"from": at(0)}),
        (abroad, {}),
    ]:
        answer = desk.member.call("getAssignments", query={**query, "cursor": cursor})
        assert refusal(answer) == (400, "VALIDATION_ERROR", ["cursor"]), query
    ada, bob = (plan.workers[who] for who in ("ada", "bob"))
    theirs = plan.desk.on("getWorkerWithAssignments", ada, query={"limit": 1}).data["nextCursor"]
    answer = plan.desk.on("getWorkerWithAssignments", bob, query={"cursor": theirs})
    assert refusal(answer) == (400, "VALIDATION_ERROR", ["cursor"])


# -- of a worker -----------------------------------------------------------------------------------------------------


def test_a_worker_with_the_assignments(plan: Plan) -> None:
    worker = plan.workers["ada"]
    shown = plan.desk.done("getWorkerWithAssignments", worker)
    assert {**shown, "assignments": None, "nextCursor": None} == {
        **{name: value for name, value in shown.items() if name in plan.desk.done("getWorker", worker)},
        "assignments": None,
        "nextCursor": None,
    }
    assert [row["id"] for row in shown["assignments"]] == plan.desk.listed(workerId=worker)
    assert shown["assignments"][0] == plan.desk.read(shown["assignments"][0]["id"])
    assert shown["nextCursor"] is None


def test_a_worker_with_more_than_a_page(desk: Desk, worker: str, position: str) -> None:
    made = [desk.assign(worker, position, 24 * day, 24 * day + 8 * (1 + day % 5))["id"] for day in range(32)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(10):
        page = desk.done("getWorkerWithAssignments", worker, query={"limit": 7, **cursor})
        seen += [row["id"] for row in page["assignments"]]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert seen == made[::-1]
    assert len(desk.done("getWorkerWithAssignments", worker)["assignments"]) == 32
    assert walked(desk, limit=10, workerId=worker, sortOrder="asc") == made


def test_no_worker_has_no_assignments(api: Api, plan: Plan) -> None:
    foreign = Desk.of(new_organization(api)).worker()
    for identifier in (ids.new_id(), foreign):
        assert plan.desk.on("getWorkerWithAssignments", identifier).code == "NOT_FOUND"
