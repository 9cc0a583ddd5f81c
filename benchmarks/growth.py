"""The growth of each read: its cost in an organization with 1, 10 and 100 times as many entities of every kind.

All items that the requests of all actions need are copied. Every second copy has new ids, so that lists grow; the
others keep the ids that requests name, so that what is inside of one entity grows. Metrics read rollups, which
`benchmarks/metrics` loads for a million. Runs in its own process, on an engine that has nothing else.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchmarks.tables import show
from infra.local import engine, stack
from infra.local.engine import Store
from tests.support import streams

if TYPE_CHECKING:
    from tests.support.arrange import Arranged
    from tests.support.factories import Organization

_TABLE = "workledger-growth"
_COPIES = (2, 20, 200)
"""Copies at 1, 10 and 100 times. Of each kind there are several before: pages of 20 are full at 10 times."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_NOT_COPIED = re.compile(r"#(?:IDEMPOTENCY|LIMIT|SESSION|CACHE|PART|MAIL|[A-Z]+#UNIQUE)\b")
"""Partitions of which copies would be no other ones, or nothing that a list reads."""
_CHILDREN = {
    "createWorkLocation": ("getClientWithLocations", "clientId"),
    "createPosition": ("getWorkLocationWithPositions", "workLocationId"),
    "createAssignment": ("getWorkerWithAssignments", "workerId"),
    "createTask": ("listTasks", "id"),
    "addProjectMember": ("listProjectMembers", "id"),
    "createKpi": ("listKpis", "id"),
}
"""Actions that create something inside of the entity that another action lists, with the field that names it."""
_FLAT = 1.5
"""Growth of read units from 10 to 100 times, beyond that of the answer, up to which a cost follows the answer."""

_SLIM = "the slim rows of all, which give exact totals, searches and sorting; the cursor list is flat"
_MONTHS = "a row for each worker with hours"
_NAMES = "the names of everything that rows may name"
REASONS: Mapping[str, str] = {
    **dict.fromkeys(
        ("getClients", "getMetrics", "getMetricsByCategory", "getPositions", "getUsers", "getWorkers"), _SLIM
    ),
    "getWorkLocations": _SLIM,
    **dict.fromkeys(
        ("getPayoff", "getRepaymentSchedule", "listRepayments"),
        "all repayments of the loan, from which balances follow; their number has a limit",
    ),
    **dict.fromkeys(
        ("getDashboardWidgets", "getWidgetsByType"),
        "all widgets of a dashboard, of which there are at most 200, in their order",
    ),
    "getUnreadCount": "activities since the last reading, up to a bound: then it says that there are more",
    "listTags": "the spellings of all tags, of which it answers 1,000",
    **dict.fromkeys(("exportReportToCsv", "generateHoursReport", "getHoursReport"), f"{_MONTHS}, and {_NAMES}"),
}
"""Reads whose cost grows with the data and not with their answer, and why."""

Cost = tuple[int, int, float, int]
"""Status, round trips, read units and bytes of an answer."""


def main() -> int:
    with engine.running(Store.DYNOXIDE) as running:
        built = stack.build(running, _TABLE)
        streams.turn_off(built)
        os.environ.update(built.environment() | {"LOG_LEVEL": "ERROR"})
        logging.disable(logging.INFO)
        unexplained = measure(running.table_endpoint, running.client("dynamodb"))
    if unexplained:
        print(f"\ngrows without a line that says why: {', '.join(unexplained)}", file=sys.stderr)
    return 1 if unexplained else 0


def measure(endpoint: str, client: Any) -> list[str]:
    """Print what each read costs at each size; return those that grow without a reason."""
    # The app makes its client at import, from the environment that is set now.
    from benchmarks.seed import put_items
    from chalicelib.models.organizations import SubscriptionTier
    from tests.support.api import Api
    from tests.support.arrange import READS, arrange
    from tests.support.factories import new_organization

    organization = new_organization(Api(), subscription_tier=SubscriptionTier.ENTERPRISE)
    requests = {action: arrange(action, organization) for action in READS}
    fill(organization, requests)
    stored = [item for page in client.get_paginator("scan").paginate(TableName=_TABLE) for item in page["Items"]]
    own = {str(organization.id), organization.owner.user.id}
    unchanged = own | {identifier for request in requests.values() for identifier in _UUID.findall(repr(request.call))}
    costs: dict[str, list[Cost]] = {action: [] for action in requests}
    done = 0
    for copies in _COPIES:
        put_items(endpoint, _TABLE, list(copied(stored, own, unchanged, range(done, copies))))
        done = copies
        for action, request in requests.items():
            costs[action].append(cost(request))
    return report(costs, len(stored))


def fill(organization: Organization, requests: dict[str, Arranged]) -> None:
    """Create something in what is empty: inside of the entities that requests name, and in the feed."""
    from tests.support.arrange import arrange

    for action, (name, field) in _CHILDREN.items():
        request = arrange(action, organization)
        path = requests[name].call.path
        parent = path.get(field) or next(iter(path.values()))
        in_path = {key: parent for key in request.call.path if key == field}
        body = request.call.body if in_path else {**request.call.body, field: parent}
        call = replace(request.call, path={**request.call.path, **in_path}, body=body)
        answer = replace(request, call=call).send()
        assert answer.status < 300, answer.text
    activity = arrange("recordActivity", organization)
    assert activity.send().status == 201
    for action in ("getActivitiesByEntity", "getActivitiesByType"):
        path = {name: activity.call.body[name] for name in requests[action].call.path}
        requests[action] = replace(requests[action], call=replace(requests[action].call, path=path))


def copied(
    stored: Iterable[dict[str, Any]], own: set[str], unchanged: set[str], numbers: Iterable[int]
) -> Iterator[dict[str, Any]]:
    """Yield copies of items with other ids in the same order of creation: all but `own`, or all but `unchanged`."""
    texts = [
        (key, json.dumps(item, default=lambda value: {"binary": value.hex()}))
        for item in stored
        if (key := (item["pk"]["S"], item["sk"]["S"])) and not _NOT_COPIED.search(item["pk"]["S"])
    ]
    texts = [(key, text) for key, text in texts if '"binary"' not in text and key[0].startswith("ORG#")]
    for number in numbers:
        for key, text in texts:

            def other(match: re.Match[str], number: int = number) -> str:
                identifier = match[0]
                is_same = identifier in (unchanged if number % 2 else own)
                return identifier if is_same else f"{identifier[:24]}{number:012x}"

            item = json.loads(_UUID.sub(other, text))
            if (item["pk"]["S"], item["sk"]["S"]) != key:
                yield item


def cost(request: Arranged) -> Cost:
    request.send()
    answer = request.send()
    capacity = float(sum(call.capacity for call in answer.recording.calls))
    return int(answer.status), answer.round_trips, capacity, len(answer.text)


def report(costs: Mapping[str, list[Cost]], items: int) -> list[str]:
    rows: list[tuple[object, ...]] = []
    growing: list[str] = []
    for action, measured in costs.items():
        _, (_, _, few, short), (_, _, many, long) = measured
        if many > _FLAT * few * max(1.0, long / short):
            growing.append(action)
        statuses = "/".join(sorted({str(cost[0]) for cost in measured}))
        rows.append((action, statuses, *(figure for cost in measured for figure in cost[1:])))
    names = [f"{name} {times}x" for times in (1, 10, 100) for name in ("trips", "RCU", "bytes")]
    sizes = " / ".join(f"{items * (1 + copies):,}" for copies in _COPIES)
    show(f"Each read, in an organization of {sizes} items", ("action", "status", *names), rows)
    show(
        "Reads whose cost grows faster than their answer",
        ("action", "why"),
        [(action, REASONS.get(action, "?")) for action in growing],
    )
    return [action for action in growing if action not in REASONS]


if __name__ == "__main__":
    sys.exit(main())
