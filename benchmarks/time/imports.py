"""Imports of time sessions: files of 100 and of 1,000 rows of one user, and the same file once more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from benchmarks.staffing.measured import Measured, measured
from benchmarks.tables import show
from infra.local.stack import Stack
from tests.support import streams
from tests.support.api import Api
from tests.support.factories import Member, new_organization
from tests.support.project_helpers import new_project

_FIRST = datetime(2025, 1, 6, 8, tzinfo=UTC)
_PROJECTS, _A_DAY = 10, 8


def run(api: Api, stack: Stack) -> None:
    streams.turn_off(stack)
    rows = []
    for size in (100, 1_000):
        organization = new_organization(api)
        names = [new_project(organization.owner)["name"] for _ in range(_PROJECTS)]
        file = _file(names, size)
        for name, expected in ((f"{size:,} new rows", "created"), ("... once more, all duplicates", "duplicates")):
            cost = measured(lambda f=file, o=organization: _import(o.owner, f), repeats=1)
            assert cost.result.status == 200, cost.result.text
            assert cost.data[expected] == size
            rows.append((name, *_figures(cost, size)))
    show(
        "importTimeSessions, with an Idempotency-Key, of one user on ten projects",
        ("", "round trips", "transactions", "RCU", "WCU", "WCU a row", "CPU ms"),
        rows,
    )


def _file(projects: list[str], size: int) -> bytes:
    """Return a file as this product exports it: eight sessions a day, in turn on all projects."""
    lines = ["date,start,end,project,description,tags"]
    for number in range(size):
        start = _FIRST + timedelta(days=number // _A_DAY, hours=number % _A_DAY)
        end = start + timedelta(minutes=45)
        lines.append(
            f"{start:%Y-%m-%d},{start:%H:%M},{end:%H:%M},{projects[number % len(projects)]},Schicht {number},Umzug"
        )
    return "\r\n".join(lines).encode()


def _import(member: Member, file: bytes) -> object:
    # A key of its own: the same one would repeat the answer.
    key = f"import-{datetime.now(UTC).timestamp()}"
    return member.call(
        "importTimeSessions",
        key=key,
        query={"createMissing": "true"},
        headers={"Content-Type": "text/csv"},
        body=file,
    )


def _figures(cost: Measured, size: int) -> tuple[object, ...]:
    writes = [call for call in cost.calls if call.operation == "TransactWriteItems"]
    written = float(sum(call.capacity for call in writes))
    return cost.round_trips, len(writes), cost.capacity - written, written, written / size, cost.milliseconds
