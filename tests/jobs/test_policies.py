"""Each function has exactly the table permissions that it uses: missing ones fail only in AWS, others never."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import app as product
from chalicelib.core import clock
from chalicelib.models.users import Role
from infra.local import functions
from infra.local.lambda_events import Handler, invoke, scheduled_event
from infra.local.pump import Pump
from infra.local.stack import Stack
from tests.support import streams
from tests.support.api import Api
from tests.support.assignment_helpers import NOW, at
from tests.support.client_hooks import Call, recorded
from tests.support.factories import Organization, new_organization
from tests.support.frozen_time import later, standing_still
from tests.support.loan_helpers import become, offered, party
from tests.support.mail_delivery import invite
from tests.support.staffing import created, new_location, new_worker

ROOT = Path(__file__).parents[2]
FUNCTIONS = [
    "consume_stream", "deliver_mail", "dispatch_stream", "recalculate_metrics", "reconcile_rollups",
    "record_activities", "redrive_stream", "remind_timers", "report_weekly", "schedule_metrics",
    "sweep_outbox",
    "watch_loans",
]  # fmt: skip
Permissions = set[tuple[str, str]]
"""Operation and its target: the table or one of its indexes."""


@pytest.fixture(scope="module")
def used(local_stack: Stack, api: Api) -> dict[str, Permissions]:
    """Return the permissions that each function uses, in a scenario with work for all of them."""
    used: dict[str, Permissions] = defaultdict(set)

    def watched(name: str) -> Handler:
        def run(event: dict[str, Any], context: Any) -> Any:
            with recorded() as recording:
                answer = getattr(product, name)(event, context)
            for call in recording.calls:
                used[name] |= set(_needed(call))
            return answer

        return run

    streams.turn_on(local_stack)
    schedules = (
        "reconcile_rollups",
        "remind_timers",
        "report_weekly",
        "schedule_metrics",
        "sweep_outbox",
        "watch_loans",
    )
    pump = functions.pump(
        SimpleNamespace(**{name: watched(name) for name in FUNCTIONS}),
        local_stack,
        schedules={name: watched(name) for name in schedules},
        from_now=True,
    )
    with standing_still(NOW):
        organization = new_organization(api)
        _use_product(organization, pump)
        for scope in ({}, {"organizationId": str(organization.id)}):
            invoke(watched("redrive_stream"), "redrive_stream", {"since": clock.to_text(NOW), **scope})
        with later(hours=1):
            pump.run_schedules()
            for queue in pump.queues:
                # Before the stream, which would send the waiting mail.
                queue.drain()
            pump.pump_once()
        with later(days=7):
            invoke(watched("report_weekly"), "report_weekly", scheduled_event("report_weekly"))
            pump.pump_once()
    return used


def _use_product(organization: Organization, pump: Pump) -> None:
    owner = organization.owner
    location = new_location(owner)
    position = created(owner, "createPosition", workLocationId=location["id"], name="Picker")
    worker = new_worker(owner)
    start = at(-30)
    assignment = {"workerId": worker["id"], "positionId": position["id"], "startAt": start}
    created(owner, "createAssignment", **assignment)
    for condition in ({"field": "name", "op": "eq", "value": "Picker"}, {"field": "isOpen", "op": "eq", "value": True}):
        query = {"type": "snapshot", "source": "positions", "aggregate": "count", "where": [condition]}
        limits = {"warningThreshold": 0, "criticalThreshold": 5}
        created(owner, "createDashboardMetric", name=condition["field"], category="SALES", query=query, **limits)
    pump.pump_once()
    for action, entity in (("setPositionRate", position), ("setWorkerRate", worker)):
        path = {"id": entity["id"], "effectiveFrom": "2026-06-01"}
        assert owner.call(action, path=path, body={"amount": 4000, "currency": "EUR"}).status == 200
    pump.pump_once()
    assert owner.call("updateOrganization", body={"timezone": "Asia/Tokyo"}).status == 200
    pump.pump_once()
    _track_time(organization, pump)
    assert owner.call("updatePreferences", body={"notifications": {"weeklyReport": True}}).status == 200
    invite(organization)
    former = organization.enrol(Role.VIEWER).user.id
    assert owner.call("deleteUser", path={"userId": former}).status == 200


def _track_time(organization: Organization, pump: Pump) -> None:
    """Reach a budget, run a timer for long, and submit a timesheet, whose mail is left to the queue."""
    owner = organization.owner
    project = created(owner, "createProject", name="Move", estimatedMinutes=1, budgetPeriod="MONTHLY")
    created(owner, "createTimeSession", projectId=project["id"], startAt=at(-1), endAt=at(0))
    pump.pump_once()
    member = organization.member(Role.MEMBER)
    assert member.post("startTimer", startAt=at(-14)).status == 201
    _use_loans(organization)
    week = {"userId": str(member.user.id), "weekStart": "2026-06-08"}
    assert member.call("submitTimesheet", path=week).status == 200


def _use_loans(organization: Organization) -> None:
    """Leave a loan past due with a KPI that was not reported on, and delete another one with a KPI."""
    lender, borrower = become(organization, "LENDER"), party(organization.api, "BORROWER")
    kpi = {"name": "DSCR", "target": 1, "direction": "UP", "frequency": "ONCE", "firstTestDate": "2026-03-01"}
    deleted, _ = offered(lender, borrower), offered(lender, borrower).accept().lend("createKpi", 201, **kpi)
    deleted.lend("createKpi", 201, **kpi)
    deleted.lend("cancelLoan")
    assert lender.owner.call("deleteLoan", path=deleted.path).status == 200


def _needed(call: Call) -> Iterator[tuple[str, str]]:
    parameters = call.parameters
    target = parameters.get("IndexName", "table")
    if call.operation != "TransactWriteItems":
        yield call.operation, target
        return
    for write in parameters["TransactItems"]:
        (kind,) = write
        yield {"ConditionCheck": "ConditionCheckItem"}.get(kind, f"{kind}Item"), target


def _allowed(function: str) -> Permissions:
    policy = json.loads((ROOT / f".chalice/policy-{function}.json").read_text())
    return {
        (action.removeprefix("dynamodb:"), _target(resource))
        for statement in policy["Statement"]
        for action in statement["Action"]
        if action.startswith("dynamodb:") and "Stream" not in action and not action.endswith(("Records", "Iterator"))
        for resource in (statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]])
    }


def _target(resource: dict[str, Any]) -> str:
    if resource == {"Fn::GetAtt": ["Table", "Arn"]}:
        return "table"
    text: str = resource["Fn::Sub"]
    return text.removeprefix("${Table.Arn}/index/")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_exactly_the_permissions_that_it_uses(used: dict[str, Permissions], function: str) -> None:
    assert _allowed(function) == used[function]
