"""Lists whose cost depends on the page and not on the size of the table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.staffing import plan
from benchmarks.staffing.measured import Measured, measured
from benchmarks.tables import show
from tests.support.factories import Organization

_STATUSES = ("scheduled", "active", "completed", "cancelled")
_NOON = datetime.combine(plan.month(), datetime.min.time(), UTC) + timedelta(days=7, hours=12)

Organizations = Mapping[str, tuple[Organization, dict[str, Any]]]


def run(organizations: Organizations) -> None:
    measure_pages(organizations)
    measure_workers(organizations)
    measure_assignments(organizations)


def measure_pages(organizations: Organizations) -> None:
    organization, contents = organizations["10,000"]
    pages: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
        **{action: (action, {}, {}) for action in ("getWorkers", "getPositions", "getWorkLocations", "getClients")},
        "getWorkers, far apart": ("getWorkers", {"search": "8"}, {}),
        "getPositions, searched": ("getPositions", {"search": "1"}, {}),
        "getWorkerWithAssignments": ("getWorkerWithAssignments", {}, {"id": contents["workerId"]}),
    }
    rows = []
    for name, (action, query, path) in pages.items():
        cost = measured(
            lambda action=action, query=query, path=path: organization.owner.call(action, query=query, path=path)
        )
        rows.append((name, cost.round_trips, cost.capacity, cost.milliseconds))
    show(
        f"A page of 20, of {contents['workers']} workers, {plan.POSITIONS} positions, {plan.LOCATIONS} work locations, "
        f"{plan.CLIENTS} clients",
        ("", "round trips", "RCU", "CPU ms"),
        rows,
    )


def measure_workers(organizations: Organizations) -> None:
    rows = []
    for name in ("100 each", "1,000 each"):
        organization, contents = organizations[name]
        cost = measured(lambda member=organization.owner: member.call("getWorkers"))
        shown = cost.data["data"]
        assert len(shown) == contents["workers"]
        hours = sum(row["totalHours"] for row in shown)
        active = sum(row["activeAssignments"] for row in shown)
        rows.append((name, contents["assignments"], hours, active, cost.round_trips, cost.capacity, cost.milliseconds))
    show(
        "getWorkers, a page of 20 with hours and active assignments, by assignments per worker",
        ("", "assignments", "hours shown", "active shown", "round trips", "RCU", "CPU ms"),
        rows,
    )


def measure_assignments(organizations: Organizations) -> None:
    rows = []
    sides = [organizations[name] for name in ("10,000", "110,000")]
    for name, query in queries().items():
        costs = [first_page(*side, query) for side in sides]
        cells = [cell for cost in costs for cell in (cost.round_trips, cost.capacity, cost.milliseconds)]
        rows.append((name, *(len(cost.data["items"]) for cost in costs), *cells))
    counts = " and ".join(f"{contents['assignments']:,}" for _, contents in sides)
    show(
        f"getAssignments, the first page of 20, in organizations with {counts} of them (s and l)",
        ("", "rows s", "l", "round trips s", "RCU", "CPU ms", "round trips l", "RCU", "CPU ms"),
        rows,
    )


def queries() -> dict[str, dict[str, Any]]:
    """Return the queries by name; `...` is replaced by an id of the organization."""
    return {
        "all": {},
        "all, earliest first": {"sortOrder": "asc"},
        "of a worker": {"workerId": ...},
        "of a client": {"clientId": ...},
        **{f"{status}": {"status": status} for status in _STATUSES},
        "active, of a client": {"status": "active", "clientId": ...},
        "completed, of a worker": {"status": "completed", "workerId": ...},
        "at a noon": {"from": _NOON.isoformat(), "to": (_NOON + timedelta(minutes=1)).isoformat()},
        "of a week": {"from": _NOON.isoformat(), "to": (_NOON + timedelta(days=7)).isoformat()},
    }


def first_page(organization: Organization, contents: dict[str, Any], query: dict[str, Any]) -> Measured:
    completed = {name: contents[name] if value is ... else value for name, value in query.items()}
    return measured(lambda: organization.owner.call("getAssignments", query=completed))
