"""`getClients` of an organization with 10,000 clients."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.seed import clients, put_clients, row_bytes
from benchmarks.tables import show
from infra.local.stack import Stack
from tests.support.api import Api
from tests.support.factories import new_organization

_ROWS = 10_000
_PAGE_BYTES = 1024 * 1024
_REPEATS = 5

_QUERIES: dict[str, dict[str, Any]] = {
    "first page": {},
    "last page": {"page": 500},
    "search": {"search": "köln mess"},
    "by createdAt, descending": {"sortBy": "createdAt", "sortOrder": "desc"},
    "pages of 100": {"pageSize": 100},
    "with deleted": {"includeDeleted": "true"},
    "cursor list": {"limit": 20},
}


def run(api: Api, stack: Stack) -> None:
    organization = new_organization(api)
    items = put_clients(stack.engine.table_endpoint, stack.table, organization.id, list(clients(_ROWS)))
    small = measure(organization, "getUsers", {})
    rows = [result_row("20 users, of 1", small, small)]
    rows += [result_row(name, measure(organization, "getClients", query), small) for name, query in _QUERIES.items()]
    organization.owner.call("createClient", body={"name": "One too many"})
    rows.append(result_row("10,001: refused", measure(organization, "getClients", {}, repeats=1), small))
    rows.append(result_row("... once more", measure(organization, "getClients", {}), small))
    columns = ("getClients", "status", "total", "round trips", "RCU", "CPU ms", "ratio")
    show(f"Page lists of {_ROWS:,} clients (ratio: to a page of one user)", columns, rows)
    sizes = [row_bytes(item) for item in items]
    texts = [len(item["search"]["S"].encode()) for item in items]
    budget = 3 * _PAGE_BYTES // _ROWS
    show(
        "Slim rows in gsi1, in bytes",
        ("", "bytes"),
        [
            ("average row", sum(sizes) // len(sizes)),
            ("longest row", max(sizes)),
            ("average searched text", sum(texts) // len(texts)),
            ("rows in a page of 1 MB", _PAGE_BYTES // (sum(sizes) // len(sizes))),
            ("average that fits 3 pages", budget),
            ("average that fits 4 pages", 4 * _PAGE_BYTES // _ROWS),
        ],
    )


def measure(organization: Any, action: str, query: dict[str, Any], repeats: int = _REPEATS) -> tuple[Any, float]:
    if repeats > 1:
        organization.owner.call(action, query=query)
    started = time.process_time()
    for _ in range(repeats):
        answer = organization.owner.call(action, query=query)
    return answer, (time.process_time() - started) * 1000 / repeats


def result_row(name: str, measured: tuple[Any, float], small: tuple[Any, float]) -> tuple[object, ...]:
    answer, milliseconds = measured
    data = answer.data if answer.status == 200 else {}
    total = data.get("pagination", {}).get("totalItems", "-")
    capacity = float(sum(call.capacity for call in answer.recording.calls))
    return name, int(answer.status), total, answer.round_trips, capacity, milliseconds, milliseconds / small[1]
