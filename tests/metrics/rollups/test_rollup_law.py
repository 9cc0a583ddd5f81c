"""Rollups equal a row scan, for every source and any order of actions and stream deliveries."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple, rule, run_state_machine_as_test

from chalicelib.core import clock
from chalicelib.metrics.engine.evaluate import evaluate, rounded
from chalicelib.metrics.language import periods
from chalicelib.metrics.language.query import Within, parse
from chalicelib.metrics.rollups.sources.fields import Unit
from chalicelib.models.organizations import StoredOrganization
from chalicelib.models.staffing.assignments import ASSIGNMENTS, Assignment
from chalicelib.models.staffing.positions import POSITIONS
from infra.local.stack import Stack
from tests.support.assignment_helpers import NOW, Desk, at
from tests.support.frozen_time import standing_still
from tests.support.hypothesis_profile import law
from tests.support.project_helpers import new_project, new_task
from tests.support.rollup_machine import RollupMachine, with_conditions

HOURS = (-5000.0, -400.0, -30.0, -8.0, -0.01, 0.0, 1.0, 8.0, 400.0, 5000.0)
LENGTHS = (0.5, 8.0, 25.0, 337.0, 4417.0, None)
DAYS = ("2026-01-01", "2026-06-01", "2026-06-14", "2026-06-16")

STATUSES = ("ACTIVE", "ARCHIVED")
ACTIVE = [{"field": "status", "op": "in", "value": ["active", "completed"]}]


def _queries(ids: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Return queries for every aggregate that buckets suffice for, over the source and values of its dimensions."""
    result: list[dict[str, Any]] = []
    for dimension, values in (("workerId", ids["worker"]), ("positionId", ids["position"])):
        result += [
            {"source": "assignments", "aggregate": "count", "where": [{"field": dimension, "op": op, "value": value}]}
            for op, value in (("eq", values[0]), ("ne", values[0]), ("in", values))
        ]
    for status in ("scheduled", "active", "completed", "cancelled"):
        where = [{"field": "status", "op": "eq", "value": status}]
        result.append({"source": "assignments", "aggregate": "count", "where": where})
        result.append({"source": "assignments", "aggregate": "count", "where": where, "type": "snapshot"})
    for instant in ("startAt", "endAt", "cancelledAt"):
        result.append({"source": "assignments", "aggregate": "count", "field": instant})
    for measure in ("hours", "billed", "paid", "margin", "marginBase", "unbilledHours", "unpaidHours"):
        result.append({"source": "assignments", "aggregate": "sum", "field": measure, "where": ACTIVE})
        result.append({"source": "assignments", "aggregate": "avg", "field": measure})
    for measure in ("headcount", "filled"):
        result.append({"source": "positions", "aggregate": "sum", "field": measure, "type": "snapshot"})
    for is_open in (True, False):
        where = [{"field": "isOpen", "op": "eq", "value": is_open}]
        result.append({"source": "positions", "aggregate": "count", "where": where, "type": "snapshot"})
    result.append({"source": "positions", "aggregate": "count", "field": "filledAt"})
    for role in ("OWNER", "MEMBER"):
        where = [{"field": "role", "op": "eq", "value": role}]
        result.append({"source": "users", "aggregate": "count", "where": where, "type": "snapshot"})
    result.append({"source": "users", "aggregate": "count", "field": "acceptedAt"})
    result += _queries_of_flags_and_projects()
    where = [{"field": "severity", "op": "ne", "value": "INFO"}]
    result.append({"source": "activities", "aggregate": "count", "where": where})
    for source in ("activities", "assignments", "clients", "positions", "projects", "tasks", "users", "workers"):
        result.append({"source": source, "aggregate": "count"})
        result.append({"source": source, "aggregate": "count", "type": "snapshot"})
    return result


def _queries_of_flags_and_projects() -> list[dict[str, Any]]:
    counts = [
        *({"source": "clients", "where": [("hasWorkLocations", "eq", has)]} for has in (True, False)),
        *({"source": "workers", "where": [("isPlaced", "eq", has)]} for has in (True, False)),
        *({"source": "projects", "type": "snapshot", "where": [("status", "eq", status)]} for status in STATUSES),
        *({"source": "projects", "where": [("clientId", op, None)]} for op in ("isSet", "isNotSet")),
        *({"source": "tasks", "where": [("status", "ne", status)]} for status in ("TODO", "DONE")),
        {"source": "tasks", "field": "doneAt"},
    ]
    return with_conditions(counts)


def _covers(row: Assignment, instant: datetime) -> bool:
    return row.start_at <= instant and (row.end_at is None or instant < row.end_at)


class Rolling(RollupMachine):
    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk.of(self.organization)
        self.workers = [self.desk.worker() for _ in range(2)]
        self.positions = [self.desk.position(headcount=2) for _ in range(2)]
        self.filled: dict[str, datetime] = {}
        self.project: tuple[str, str] | None = None

    def queries(self) -> list[dict[str, Any]]:
        return _queries({"worker": self.workers, "position": self.positions})

    def check(self, organization: StoredOrganization, period: Any, at: datetime) -> None:
        """The conversion of positions is that of the instants at which a recount of assignments saw them filled."""
        week_start = organization.week_start
        for within in Within:
            query = {"source": "positions", "from": "opened", "to": "filled", "within": within.value, "period": period}
            parsed = parse({"type": "conversion", "version": 1, "compare": "none", **query})
            over = periods.resolve(parsed.period, zone=organization.timezone, week_start=week_start, at=at)
            rows = POSITIONS.all_of(organization.tenant, 100) or []
            opened = {str(row.id): row.created_at for row in rows if over.start <= row.created_at < over.end}
            soon = [
                identifier
                for identifier, created_at in opened.items()
                if identifier in self.filled and self.filled[identifier] - created_at <= timedelta(days=within.days)
            ]
            expected = rounded(Fraction(100 * len(soon), len(opened)), Unit.PERCENT, "EUR") if opened else None
            assert evaluate(organization, {"": parsed}, at)[""].value == expected, (period, within)

    def note_filled(self) -> None:
        """Note the positions that are booked for as many workers as their headcount, today or later, or for one."""
        today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        booked = [row for row in ASSIGNMENTS.all_of(self.organization.id, 1000) or [] if row.cancelled_at is None]
        for position in POSITIONS.all_of(self.organization.id, 100) or []:
            own = [row for row in booked if row.position_id == position.id]
            instants = {today, *(row.start_at for row in own if row.start_at > today)}
            most = max(sum(_covers(row, instant) for row in own) for instant in instants)
            if most >= position.headcount or (own and position.headcount == 1):
                self.filled.setdefault(str(position.id), clock.now())

    @rule(headcount=st.sampled_from((1, 2, 3)))
    def open(self, headcount: int) -> None:
        if len(self.positions) < 4:
            self.positions.append(self.desk.position(headcount=headcount))

    @rule(
        target=made,
        worker=st.sampled_from((0, 1)),
        position=st.sampled_from((0, 1, -1)),
        start=st.sampled_from(HOURS),
        length=st.sampled_from(LENGTHS),
    )
    def create(self, worker: int, position: int, start: float, length: float | None) -> Any:
        end = None if length is None else start + length
        answer = self.desk.try_to_assign(self.workers[worker], self.positions[position], start, end)
        self.note_filled()
        return answer.data["id"] if answer.status == 201 else multiple()

    @rule(
        identifier=made,
        start=st.sampled_from(HOURS),
        length=st.sampled_from(LENGTHS),
        position=st.sampled_from((0, 1, -1)),
    )
    def update(self, identifier: str, start: float, length: float | None, position: int) -> None:
        body = {"startAt": at(start), "endAt": None if length is None else at(start + length)}
        self.desk.on("updateAssignment", identifier, body={**body, "positionId": self.positions[position]})
        self.note_filled()

    @rule(identifier=made, action=st.sampled_from(("endAssignment", "cancelAssignment", "deleteAssignment")))
    def stop(self, identifier: str, action: str) -> None:
        self.desk.on(action, identifier)

    @rule(
        of=st.sampled_from(("Position", "Worker")),
        day=st.sampled_from(DAYS),
        amount=st.sampled_from((None, 0, 1735, 4201)),
    )
    def price(self, of: str, day: str, amount: int | None) -> None:
        identifier = (self.positions if of == "Position" else self.workers)[0]
        path = {"id": identifier, "effectiveFrom": day}
        if amount is None:
            self.desk.member.call(f"delete{of}Rate", path=path)
            return
        body = {"amount": amount, "currency": "EUR"}
        answer = self.desk.member.call(f"set{of}Rate", path=path, body=body)
        assert answer.status in {200, 404}, answer.text

    @rule(position=st.sampled_from((0, 1)), headcount=st.sampled_from((1, 3)), is_active=st.booleans())
    def resize(self, position: int, headcount: int, *, is_active: bool) -> None:
        body = {"headcount": headcount, "isActive": is_active}
        self.desk.on("updatePosition", self.positions[position], body=body)
        self.note_filled()

    @rule(of=st.sampled_from(("worker", "position")), number=st.sampled_from((0, 1)))
    def delete(self, of: str, number: int) -> None:
        self.desk.on(f"delete{of.title()}", (self.workers if of == "worker" else self.positions)[number])

    @rule(status=st.sampled_from(STATUSES), task=st.sampled_from(("TODO", "DONE")), gone=st.booleans())
    def plan(self, status: str, task: str, *, gone: bool) -> None:
        """A project begins with a task; the one before is archived or deleted, and its task moved on or deleted."""
        member = self.desk.member
        if self.project is not None:
            project, before = self.project
            if gone:
                member.call_on("deleteTask", before)
                member.call_on("deleteProject", project)
            else:
                member.call_on("updateTask", before, body={"status": task})
                member.call_on("updateProject", project, body={"status": status})
        created = new_project(member, status=status)["id"]
        self.project = created, new_task(member, created, status=task)["id"]


@pytest.fixture(autouse=True)
def _noon() -> object:
    with standing_still(NOW):
        yield


def test_rollup_equals_scan(local_stack: Stack) -> None:
    Rolling.stack = local_stack
    run_state_machine_as_test(Rolling, settings=settings(law(8), stateful_step_count=14, phases=[Phase.generate]))
