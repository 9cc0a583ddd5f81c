"""Rollups of tracked time equal a row scan and the analytics, for any order of actions and stream deliveries."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple, rule, run_state_machine_as_test

from chalicelib.core import clock
from chalicelib.core.days import day_of
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.users import Role
from infra.local.stack import Stack
from tests.support.assignment_helpers import NOW
from tests.support.factories import unique
from tests.support.frozen_time import standing_still
from tests.support.hypothesis_profile import law
from tests.support.measuring import days, simple, values
from tests.support.project_helpers import new_project
from tests.support.rollup_machine import RollupMachine, with_conditions
from tests.support.staffing import created

STARTS = (-4000.0, -31.0, -14.0, -1.01, 0.0)
"""Hours from now, across midnights of both zones."""
LENGTHS = (0.01, 1.5, 8.0, 24.0)
PAUSES: tuple[tuple[tuple[float, float], ...], ...] = ((), ((0.0, 0.25),), ((0.25, 0.5), (0.75, 1.0)))
"""Shares of a session."""
DAYS = ("2025-11-01", "2026-06-13", "2026-06-15", "2026-07-01")
LEVELS = ("Organization", "Member", "Project", "ProjectMember")
MEASURES = ("hours", "billableHours", "billed", "unpricedHours")


class Tracking(RollupMachine):
    tracked = Bundle("tracked")

    def __init__(self) -> None:
        super().__init__()
        owner = self.organization.owner
        self.members = [owner, self.organization.member(Role.MEMBER)]
        self.clients = [created(owner, "createClient", name=unique("Client"))["id"] for _ in range(2)]
        self.projects = [new_project(owner, clientId=self.clients[0])["id"], new_project(owner)["id"]]
        path = {"id": self.projects[0], "userId": str(self.members[1].user.id)}
        assert owner.call("addProjectMember", path=path).status == 200

    def queries(self) -> list[dict[str, Any]]:
        user, project = str(self.members[1].user.id), self.projects[0]
        conditions: list[list[tuple[str, str, Any]]] = [
            [],
            [("billable", "eq", True)],
            [("billable", "ne", True), ("userId", "eq", user)],
            [("userId", "ne", user)],
            [("projectId", "eq", project)],
            [("projectId", "notIn", [project])],
            [("projectId", "isSet", None), ("billable", "eq", True)],
            [("projectId", "isNotSet", None)],
            [("clientId", "in", self.clients)],
            [("clientId", "isNotSet", None)],
        ]
        return with_conditions(
            {"source": "timeSessions", "where": where, **form}
            for where in conditions
            for form in (
                {},
                {"field": "startAt"},
                {"field": "endAt"},
                {"type": "snapshot"},
                {"aggregate": "avg", "field": "hours"},
                *({"aggregate": "sum", "field": measure} for measure in MEASURES),
            )
        )

    @rule(
        target=tracked,
        member=st.sampled_from((0, 1)),
        project=st.sampled_from((0, 1, None)),
        billable=st.booleans(),
        start=st.sampled_from(STARTS),
        length=st.sampled_from(LENGTHS),
        pauses=st.sampled_from(PAUSES),
    )
    def track(
        self, member: int, project: int | None, start: float, length: float, pauses: Any, *, billable: bool
    ) -> Any:
        body = {**self._on(project), "billable": billable, **_times(start, length, pauses)}
        answer = self.members[member].call("createTimeSession", body=body)
        return answer.data["id"] if answer.status == 201 else multiple()

    @rule(
        session=tracked,
        project=st.sampled_from((0, 1, None)),
        billable=st.booleans(),
        start=st.sampled_from((None, *STARTS)),
        length=st.sampled_from(LENGTHS),
        pauses=st.sampled_from(PAUSES),
    )
    def change(
        self, session: str, project: int | None, start: float | None, length: float, pauses: Any, *, billable: bool
    ) -> None:
        moved = {} if start is None else _times(start, length, pauses)
        body = {**self._on(project), "billable": billable, **moved}
        self.organization.owner.call_on("updateTimeSession", session, body=body)

    @rule(session=tracked)
    def delete(self, session: str) -> None:
        self.organization.owner.call_on("deleteTimeSession", session)

    @rule(
        member=st.sampled_from((0, 1)),
        project=st.sampled_from((0, 1, None)),
        billable=st.booleans(),
        start=st.sampled_from((-23.5, -1.01, 0.0)),
        switch=st.booleans(),
    )
    def start(self, member: int, project: int | None, start: float, *, billable: bool, switch: bool) -> None:
        body = {**self._on(project), "billable": billable, "startAt": _at(start), "stopRunning": switch}
        self.members[member].call("startTimer", body=body)

    @rule(member=st.sampled_from((0, 1)), action=st.sampled_from(("pauseTimer", "resumeTimer", "discardTimer")))
    def interrupt(self, member: int, action: str) -> None:
        self.members[member].call(action, **({} if action == "discardTimer" else {"body": {}}))

    @rule(member=st.sampled_from((0, 1)), project=st.sampled_from((0, 1, None)), billable=st.booleans())
    def change_timer(self, member: int, project: int | None, *, billable: bool) -> None:
        body = {**self._on(project), "billable": billable}
        self.members[member].call("updateTimer", body=body)

    @rule(target=tracked, member=st.sampled_from((0, 1)), ago=st.sampled_from((0.0, 0.75)))
    def stop(self, member: int, ago: float) -> Any:
        answer = self.members[member].call("stopTimer", body={"endAt": _at(-ago)} if ago else {})
        return answer.data["id"] if answer.status == 200 else multiple()

    @rule(level=st.sampled_from(LEVELS), day=st.sampled_from(DAYS), amount=st.sampled_from((None, 0, 1735, 4201)))
    def price(self, level: str, day: str, amount: int | None) -> None:
        path = {"effectiveFrom": day}
        if level in {"Project", "ProjectMember"}:
            path["id"] = self.projects[0]
        if level in {"Member", "ProjectMember"}:
            path["userId"] = str(self.members[1].user.id)
        owner = self.organization.owner
        if amount is None:
            owner.call(f"delete{level}Rate", path=path)
            return
        answer = owner.call(f"set{level}Rate", path=path, body={"amount": amount, "currency": "EUR"})
        assert answer.status == 200, answer.text

    @rule(project=st.sampled_from((0, 1)), client=st.sampled_from((0, 1, None)))
    def hand_over(self, project: int, client: int | None) -> None:
        body = {"clientId": None if client is None else self.clients[client]}
        assert self.organization.owner.call_on("updateProject", self.projects[project], body=body).status == 200

    @rule(seed=st.integers(0, 2**32), back=st.sampled_from((0, 1, 200)))
    def rollup_equals_analytics(self, seed: int, back: int) -> None:
        """Compare the days up to yesterday: today, a timer counts up to now there, and up to the minute's end here."""
        self.deliveries.deliver(random.Random(seed))
        organization = ORGANIZATIONS.get(self.organization.id, self.organization.id)
        last = day_of(clock.now(), organization.timezone) - timedelta(days=1)
        first = last - timedelta(days=back)
        answer = self.organization.owner.call("getAnalyticsSummary", query={"from": str(first), "to": str(last)})
        assert answer.status == 200, answer.text
        totals = answer.data["totals"]
        queries = [simple("timeSessions", "sum", field, period=days(first, last)) for field in MEASURES]
        hours, billable, billed, unpriced = values(organization, clock.to_text(clock.now()), queries)
        amount = totals.get("amount")
        assert (hours, billable, unpriced) == tuple(
            _hours(totals[name]) for name in ("seconds", "billableSeconds", "unpricedSeconds")
        )
        assert (billed or 0) * 100 == (0 if amount is None else amount["amount"])

    def _on(self, project: int | None) -> dict[str, Any]:
        return {"projectId": None if project is None else self.projects[project]}


def _at(hours: float) -> str:
    return clock.to_text(clock.now().replace(microsecond=0) + timedelta(hours=hours))


def _times(start: float, length: float, pauses: Any) -> dict[str, Any]:
    edges = [[_at(start + length * share) for share in pause] for pause in pauses]
    spans = [{"startAt": low, "endAt": high} for low, high in edges]
    return {"startAt": _at(start), "endAt": _at(start + length), "pauses": spans}


def _hours(seconds: int) -> Decimal:
    return (Decimal(seconds) / 3600).quantize(Decimal("0.01"), "ROUND_HALF_UP")


@pytest.fixture(autouse=True)
def _noon() -> object:
    with standing_still(NOW):
        yield


def test_rollup_of_time_equals_scan(local_stack: Stack) -> None:
    Tracking.stack = local_stack
    run_state_machine_as_test(Tracking, settings=settings(law(8), stateful_step_count=16, phases=[Phase.generate]))
