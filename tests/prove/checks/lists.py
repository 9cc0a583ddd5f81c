"""Lists show exactly the live entities, and metrics count them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.prove import layout
from tests.prove.client import Client
from tests.prove.world import World
from tests.support.api import Api
from tests.support.store import Snapshot

_LISTS: Mapping[str, str] = {
    "assignment": "getAssignments",
    "client": "getClients",
    "metric": "getDashboardMetrics",
    "position": "getPositions",
    "user": "getUsers",
    "workLocation": "getWorkLocations",
    "worker": "getWorkers",
}
"""Entity type to its page list."""


def check(world: World, clients: Sequence[Client], snapshot: Snapshot) -> None:
    api = Api(source="203.0.113.202")
    readers = {
        account.organization: account.tokens[0]
        for client in clients
        for account in client.accounts
        if account.tokens and account.role == "OWNER"
    }
    live: dict[tuple[str, str], set[str]] = {}
    for key, item in layout.entities(snapshot).items():
        if getattr(layout.record_of(key.entity, item), "deleted_at", None) is None:
            live.setdefault((key.organization, key.entity), set()).add(key.id)
    for organization, token in readers.items():
        for entity, action in _LISTS.items():
            expected = live.get((organization, entity), set())
            listed = [row["id"] for row in _rows(api, action, token) if not row.get("isSystem")]
            if sorted(listed) != sorted(expected):
                others = expected.symmetric_difference(listed) or f"{len(listed) - len(expected)} rows twice"
                world.report("list", f"{action} is wrong about {others}", organization=organization)
        for error in _metric_errors(api, token, len(live.get((organization, "worker"), ()))):
            world.report("metric", error, organization=organization)


def _rows(api: Api, action: str, token: str) -> Iterator[dict[str, Any]]:
    page = 1
    while True:
        answer = api.call(action, token, query={"page": page, "pageSize": 100}).data
        yield from answer["data"]
        if not answer["pagination"]["hasNextPage"]:
            return
        page += 1


def _metric_errors(api: Api, token: str, workers: int) -> Iterator[str]:
    """Calculate the clients' metrics that count workers; yield the wrong ones."""
    counting = {
        row["id"]
        for row in _rows(api, "getDashboardMetrics", token)
        if not row["isSystem"] and row["query"]["source"] == "workers"
    }
    if not counting:
        return
    identifiers = sorted(counting)[:100]
    answer = api.call("calculateMetrics", token, body={"metricIds": identifiers})
    if answer.status != 200:
        yield f"calculateMetrics answered {answer.text[:300]}"
        return
    for result in answer.data["metrics"]:
        if result["value"] != workers:
            yield f"metric {result['id']} counts {result['value']} workers, and there are {workers}: {result}"
