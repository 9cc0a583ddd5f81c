"""Each function may do at the table what it does, and nothing else: too little fails only in AWS, too much never."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import app as roof
from chalicelib.core import clock
from infra.local import functions
from infra.local.lambda_events import Handler, invoke
from infra.local.pump import Pump
from infra.local.stack import Stack
from tests.support import streams
from tests.support.api import Api
from tests.support.desk import NOW, at
from tests.support.post import invite
from tests.support.staffing import created, new_location, new_worker
from tests.support.still import later, standing_still
from tests.support.wire import Call, recorded
from tests.support.world import Organization, new_organization

ROOT = Path(__file__).parents[2]
FUNCTIONS = [
    "consume_stream", "deliver_mail", "recalculate_metrics", "reconcile_rollups", "redrive_stream", "schedule_metrics",
    "send_mail", "sweep_outbox",
]  # fmt: skip
Permissions = set[tuple[str, str]]
"""What may be done, and at what: the table, or an index of it."""


@pytest.fixture(scope="module")
def done(local_stack: Stack, api: Api) -> dict[str, Permissions]:
    """By each function, in a story that has work for all of them."""
    done: dict[str, Permissions] = defaultdict(set)

    def watched(name: str) -> Handler:
        def run(event: dict[str, Any], context: Any) -> Any:
            with recorded() as recording:
                answer = getattr(roof, name)(event, context)
            for call in recording.calls:
                done[name] |= set(_needed(call))
            return answer

        return run

    streams.turn_on(local_stack)
    schedules = ("reconcile_rollups", "schedule_metrics", "sweep_outbox")
    pump = functions.pump(
        SimpleNamespace(**{name: watched(name) for name in FUNCTIONS}),
        local_stack,
        schedules={name: watched(name) for name in schedules},
        from_now=True,
    )
    with standing_still(NOW):
        organization = new_organization(api)
        _live(organization, pump)
        for whose in ({}, {"organizationId": str(organization.id)}):
            invoke(watched("redrive_stream"), "redrive_stream", {"since": clock.to_text(NOW), **whose})
        with later(hours=1):
            pump.run_schedules()
            for queue in pump.queues:
                # Before the stream, which would send the mail that it has waiting.
                queue.drain()
            pump.pump_once()
    return done


def _live(organization: Organization, pump: Pump) -> None:
    owner = organization.owner
    location = new_location(owner)
    position = created(owner, "createPosition", workLocationId=location["id"], name="Picker")
    worker = new_worker(owner)
    start = at(-30)
    assignment = {"workerId": worker["id"], "positionId": position["id"], "startAt": start}
    created(owner, "createAssignment", **assignment)
    for where in ({"field": "name", "op": "eq", "value": "Picker"}, {"field": "isOpen", "op": "eq", "value": True}):
        query = {"type": "snapshot", "source": "positions", "aggregate": "count", "where": [where]}
        limits = {"warningThreshold": 0, "criticalThreshold": 5}
        created(owner, "createDashboardMetric", name=where["field"], category="SALES", query=query, **limits)
    pump.pump_once()
    for action, rated in (("setPositionRate", position), ("setWorkerRate", worker)):
        path = {"id": rated["id"], "effectiveFrom": "2026-06-01"}
        assert owner.call(action, path=path, body={"amount": 4000, "currency": "EUR"}).status == 200
    pump.pump_once()
    assert owner.call("updateOrganization", body={"timezone": "Asia/Tokyo"}).status == 200
    pump.pump_once()
    invite(organization)


def _needed(call: Call) -> Iterator[tuple[str, str]]:
    parameters = call.parameters
    where = parameters.get("IndexName", "table")
    if call.operation != "TransactWriteItems":
        yield call.operation, where
        return
    for write in parameters["TransactItems"]:
        (kind,) = write
        yield {"ConditionCheck": "ConditionCheckItem"}.get(kind, f"{kind}Item"), where


def _allowed(function: str) -> Permissions:
    policy = json.loads((ROOT / f".chalice/policy-{function}.json").read_text())
    return {
        (action.removeprefix("dynamodb:"), _named(resource))
        for statement in policy["Statement"]
        for action in statement["Action"]
        if action.startswith("dynamodb:") and "Stream" not in action and not action.endswith(("Records", "Iterator"))
        for resource in (statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]])
    }


def _named(resource: dict[str, Any]) -> str:
    if resource == {"Fn::GetAtt": ["Table", "Arn"]}:
        return "table"
    text: str = resource["Fn::Sub"]
    return text.removeprefix("${Table.Arn}/index/")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_what_it_does_and_nothing_else(done: dict[str, Permissions], function: str) -> None:
    assert _allowed(function) == done[function]
