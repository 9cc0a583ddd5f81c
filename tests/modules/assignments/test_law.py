"""Changes of assignments in any order, as time passes: the counts equal a recount."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from chalicelib.core import clock
from chalicelib.dal import keys, table
from chalicelib.dal.intervals import LengthClass, length_class_of
from chalicelib.models.staffing import packed_months, workload_days
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.workers import WORKERS, StoredWorker
from chalicelib.models.staffing.workload import Workload, live
from tests.support.api import Answer, Api
from tests.support.assignment_helpers import NOW, Desk, at
from tests.support.factories import new_organization
from tests.support.hypothesis_profile import law

HOURS = (-5000.0, -400.0, -30.0, -24.0, -8.0, 0.0, 1.0, 8.0, 24.0, 30.0, 400.0, 5000.0)
"""Hours from now: around the limits of the lanes and across months."""
LENGTHS = (1.0, 8.0, 24.0, 25.0, 336.0, 337.0, 4416.0, 4417.0, None)
STATUSES = ("scheduled", "active", "completed", "cancelled")


@dataclass(frozen=True)
class Span:
    """An assignment as the model has it, in hours from the first now."""

    id: str
    worker: str
    position: str
    start: float
    end: float | None
    cancelled: bool = False
    ended: bool = False

    def status(self, now: float) -> str:
        if self.cancelled:
            return "cancelled"
        if now < self.start:
            return "scheduled"
        return "active" if self.end is None or now < self.end else "completed"

    @property
    def times(self) -> tuple[datetime, datetime | None]:
        start = NOW + timedelta(hours=self.start)
        return start, None if self.end is None else NOW + timedelta(hours=self.end)


class Assigning(RuleBasedStateMachine):
    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk.of(new_organization(Api()))
        self.workers = [self.desk.worker() for _ in range(2)]
        self.positions = [self.desk.position(headcount=99) for _ in range(2)]
        self.spans: dict[str, Span] = {}
        self.gone: set[str] = set()
        self.now = 0.0

    # -- changes -----------------------------------------------------------------------------------------------------

    @rule(
        target=made,
        worker=st.sampled_from((0, 1)),
        position=st.sampled_from((0, 1)),
        start=st.sampled_from(HOURS),
        length=st.sampled_from(LENGTHS),
    )
    def create(self, worker: int, position: int, start: float, length: float | None) -> Any:
        who, where = self.workers[worker], self.positions[position]
        end = None if length is None else start + length
        answer = self.desk.try_to_assign(who, where, start, end)
        if {who, where} & self.gone:
            assert answer.code == "NOT_FOUND"
            return multiple()
        assert answer.status == 201, answer.text
        self.spans[answer.data["id"]] = Span(answer.data["id"], who, where, start, end)
        return answer.data["id"]

    @rule(
        identifier=made,
        start=st.none() | st.sampled_from(HOURS),
        end=st.sampled_from((*HOURS, None, "as it is")),
        position=st.sampled_from((None, 0, 1)),
    )
    def update(self, identifier: str, start: float | None, end: Any, position: int | None) -> None:
        body: dict[str, Any] = {} if start is None else {"startAt": at(start)}
        body |= {} if end == "as it is" else {"endAt": None if end is None else at(end)}
        body |= {} if position is None else {"positionId": self.positions[position]}
        if not body:
            return
        span = self.spans.get(identifier)
        answer = self.desk.on("updateAssignment", identifier, body=body)
        if span is None:
            assert answer.code == "NOT_FOUND"
            return
        after = replace(
            span,
            start=span.start if start is None else start,
            end=span.end if end == "as it is" else end,
            position=span.position if position is None else self.positions[position],
        )
        if after.end is None:
            after = replace(after, ended=False)
        refused = span.status(self.now) not in {"scheduled", "active"}
        refused |= span.status(self.now) == "active" and bool({"startAt", "positionId"} & {*body})
        if refused:
            assert answer.code == "VALIDATION_ERROR"
        elif after.end is not None and after.end <= after.start:
            assert answer.code == "INVALID_DATE_RANGE"
        elif after.position in self.gone:
            assert answer.code == "NOT_FOUND"
        else:
            self.carried_out(answer, after)

    @rule(identifier=made, end=st.none() | st.sampled_from(HOURS))
    def end(self, identifier: str, end: float | None) -> None:
        span = self.spans.get(identifier)
        answer = self.desk.on("endAssignment", identifier, body={} if end is None else {"endAt": at(end)})
        if span is None:
            assert answer.code == "NOT_FOUND"
        elif span.ended or span.status(self.now) in {"completed", "cancelled"}:
            assert answer.code == "VALIDATION_ERROR"
        elif (self.now if end is None else end) <= span.start:
            assert answer.code == "INVALID_DATE_RANGE"
        else:
            self.carried_out(answer, replace(span, end=self.now if end is None else end, ended=True))

    @rule(identifier=made)
    def cancel(self, identifier: str) -> None:
        span = self.spans.get(identifier)
        answer = self.desk.on("cancelAssignment", identifier)
        if span is None:
            assert answer.code == "NOT_FOUND"
        elif span.status(self.now) != "scheduled":
            assert answer.code == "VALIDATION_ERROR"
        else:
            self.carried_out(answer, replace(span, cancelled=True))

    @rule(identifier=made)
    def delete(self, identifier: str) -> None:
        answer = self.desk.on("deleteAssignment", identifier)
        assert answer.status == (200 if self.spans.pop(identifier, None) else 404), answer.text

    def carried_out(self, answer: Answer, after: Span) -> None:
        assert answer.status == 200, answer.text
        assert answer.data["status"] == after.status(self.now)
        self.spans[after.id] = after

    @rule(hours=st.sampled_from((0.5, 1.0, 8.0, 24.0, 400.0)))
    def wait(self, hours: float) -> None:
        """At most as long as the session lasts."""
        if self.now + hours < 700:
            self.now += hours
            clock._Shift.by += timedelta(hours=hours)

    @rule(of=st.sampled_from(("worker", "position")), number=st.sampled_from((0, 1)))
    def delete_what_it_needs(self, of: str, number: int) -> None:
        identifier = (self.workers if of == "worker" else self.positions)[number]
        live = [span for span in self.of(identifier) if span.status(self.now) in {"scheduled", "active"}]
        answer = self.desk.on(f"delete{of.title()}", identifier)
        if identifier in self.gone:
            assert answer.code == "NOT_FOUND"
        elif live:
            assert answer.error["details"]["dependencies"] == {"assignment": len(live)}
        else:
            assert answer.status == 200, answer.text
            self.gone.add(identifier)

    def teardown(self) -> None:
        clock._Shift.by -= timedelta(hours=self.now)

    # -- invariants --------------------------------------------------------------------------------------------------

    def of(self, identifier: str) -> list[Span]:
        """Those of a worker or position."""
        return [span for span in self.spans.values() if identifier in {span.worker, span.position}]

    @invariant()
    def rosters_count_what_there_is(self) -> None:
        organization, now = self.desk.organization.id, clock.now()
        for collection, identifiers in ((WORKERS, self.workers), (POSITIONS, self.positions)):
            for identifier in identifiers:
                item = table.get(collection.key(organization, UUID(identifier)))
                workload: Workload = collection.record.of(item).workload  # type: ignore[attr-defined]  # both records have it
                present = [span for span in self.of(identifier) if not span.cancelled]
                scheduled_or_active = sum(value.status(self.now) != "completed" for value in present)
                assert live(organization, collection.kind, UUID(identifier), workload, now) == scheduled_or_active
                closed = [value for value in present if value.end is not None]
                hours = (value.end - value.start for value in present if value.end is not None)
                assert workload.milliseconds == sum(round(length * 3_600_000) for length in hours)
                assert workload.open == len(present) - len(closed)
                classes = Counter(length_class_of(*value.times) for value in present)
                assert {length_class: count for length_class, count in workload.classes.items() if count} == classes
                this_month = now.strftime("%Y-%m")
                ends = (value.times[1] for value in present)
                by_month = Counter(
                    (end - timedelta(milliseconds=1)).strftime("%Y-%m") for end in ends if end is not None
                )
                ahead = {month: count for month, count in workload.months.items() if month >= this_month and count}
                assert ahead == {month: count for month, count in by_month.items() if month >= this_month}

    @invariant()
    def hours_of_workers_are_a_recount(self) -> None:
        """At any instant: worked up to now, and what lies ahead."""
        answer = self.desk.member.call("getWorkers", query={"includeDeleted": "true"})
        names = ("totalHours", "scheduledHours", "activeAssignments")
        shown = {row["id"]: tuple(row[name] for name in names) for row in answer.data["data"]}
        for worker in self.workers:
            present = [span for span in self.of(worker) if not span.cancelled]
            ends = [self.now if span.end is None else max(span.end, span.start) for span in present]
            worked = sum(max(0, min(self.now, end) - span.start) for span, end in zip(present, ends, strict=True))
            ahead = sum(max(0, end - max(self.now, span.start)) for span, end in zip(present, ends, strict=True))
            active = sum(span.status(self.now) == "active" for span in present)
            assert shown[worker] == (round(worked, 2), round(ahead, 2), active)

    @invariant()
    def workload_days_count_every_start_and_end_from_today_on(self) -> None:
        organization, now = self.desk.organization.id, clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        for collection, identifiers in ((WORKERS, self.workers), (POSITIONS, self.positions)):
            for identifier in identifiers:
                instants: Counter[tuple[datetime, bool]] = Counter()
                for span in self.of(identifier):
                    start, end = span.times
                    if span.cancelled:
                        continue
                    if start >= midnight and collection is POSITIONS:
                        instants[start, False] += 1
                    if end is not None and end > midnight:
                        instants[end, True] += 1
                steps = workload_days.steps(organization, collection.kind, UUID(identifier), now.date().isoformat())
                assert {(clock.from_milliseconds(at), is_end): number for at, is_end, number in steps} == instants

    @invariant()
    def months_and_standing_hold_what_is_not_cancelled(self) -> None:
        organization = self.desk.organization.id
        stored = {
            row["sk"]["S"]: packed_months.unpack(row["spans"]["B"])
            for row in table.query(keys.packed_months(organization)).items
        }
        expected: dict[str, dict[UUID, list[tuple[int, int]]]] = {}
        for span in self.spans.values():
            start, end = span.times
            if span.cancelled or end is None or length_class_of(start, end) is LengthClass.LONGER:
                continue
            for piece in packed_months.split(start, end):
                of_month = expected.setdefault(f"{piece.month}#{span.worker}", {})
                of_month.setdefault(UUID(span.position), []).append((piece.start, piece.end))
        assert stored == {
            key: {position: sorted(spans) for position, spans in groups.items()} for key, groups in expected.items()
        }
        for worker in self.workers:
            long_running = StoredWorker.of(table.get(WORKERS.key(organization, UUID(worker)))).long_running
            present = [span for span in self.of(worker) if not span.cancelled]
            long = [value for value in present if length_class_of(*value.times) is LengthClass.LONGER]
            assert {
                str(identifier): (held.start_at, held.end_at, str(held.position_id))
                for identifier, held in long_running.items()
            } == {value.id: (*value.times, value.position) for value in long}

    @invariant()
    def lists_are_the_model(self) -> None:
        """One of the filters at a time, in turn: a list takes moto a while."""
        turn = len(self.spans) + round(self.now)
        status = STATUSES[turn % 4]
        chosen = [span for span in self.spans.values() if span.status(self.now) == status]
        assert self.desk.listed(status=status, limit=100) == newest_first(chosen)
        low, high = self.now - 24, self.now + 24
        near = [
            span
            for span in self.of(self.workers[turn % 2])
            if span.start < high and (span.end is None or span.end > low)
        ]
        query = {"workerId": self.workers[turn % 2], "from": at(low), "to": at(high)}
        assert self.desk.listed(**query, pageSize=100) == newest_first(near)


def newest_first(spans: list[Span]) -> list[str]:
    return [span.id for span in sorted(spans, key=lambda value: (value.start, value.id), reverse=True)]


def test_what_is_counted_is_what_there_is() -> None:
    few = settings(law(3), stateful_step_count=15, phases=[Phase.generate])
    run_state_machine_as_test(Assigning, settings=few)
