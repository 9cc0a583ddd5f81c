"""Tests of KPIs: the borrower's values for a test date, and the lender's waiver. The state is derived."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Contract
from chalicelib.core.days import Day
from chalicelib.core.errors import invalid_field, invalid_state
from chalicelib.core.field_types import Instant, Lines
from chalicelib.core.figures import Figure, exactly
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.loans import keys, kpis, loans
from chalicelib.models.loans.covenants import KpiState, KpiTest, KpiValue, KpiWaiver, judge
from chalicelib.models.loans.fields import Reason
from chalicelib.models.loans.kpis import StoredKpi
from chalicelib.models.loans.lifecycle import require_status
from chalicelib.models.loans.loans import LoanStatus, StoredLoan
from chalicelib.models.organizations import StoredOrganization

MAX_VALUES = 20
"""Values of one test, the corrections too: an audit entry has all of them, before and after."""

Value = Annotated[Figure, Field(examples=[1.31])]
Evidence = Annotated[Lines, Field(max_length=500, examples=["Jahresabschluss 2026, Seite 14"])]


class TestValue(Contract):
    """A value that was recorded; a correction is another one."""

    __test__ = False  # no test of pytest's

    version: Annotated[int, Field(examples=[1])]
    value: Value
    evidence: Annotated[Evidence | None, Field(examples=["Jahresabschluss 2026, Seite 14"])] = None
    recorded_at: Instant


class Waiver(Contract):
    reason: Annotated[Reason, Field(examples=["Einmaliger Effekt aus dem Umzug."])]
    recorded_at: Instant


class RecordedTest(Contract):
    """The facts about one test of a KPI."""

    kpi_id: UUID
    test_date: Day
    values: tuple[TestValue, ...] = ()
    waiver: Waiver | None = None
    version: int = 0
    """0: nothing is recorded yet."""

    def judged(self, kpi: StoredKpi, loan: StoredLoan, now: datetime) -> KpiTest:
        return judge(
            self.test_date,
            [rule.rule() for rule in kpi.rules],
            [KpiValue(value.recorded_at, value.version, exactly(value.value)) for value in self.values],
            [] if self.waiver is None else [KpiWaiver(self.waiver.recorded_at)],
            now,
            loan.timezone,
        )

    def shown(self) -> dict[str, Any]:
        """Return the fields that the audit log compares."""
        return self.model_dump(mode="json", include={"values", "waiver"})


def key(organization: OrganizationId, loan: UUID, kpi: UUID, test_date: date) -> Key:
    return Key(keys.kpi_tests(organization, loan), f"{kpi}#{test_date}")


def of(item: Item) -> RecordedTest:
    kpi, _, test_date = item.sk.partition("#")
    stored = {**(item.data or {}), "kpiId": kpi, "testDate": test_date, "version": item.version}
    return RecordedTest.model_validate(stored, extra="ignore")


def read(
    organization: OrganizationId, kpi: StoredKpi, first: date | None = None, last: date | None = None
) -> dict[date, RecordedTest]:
    """Return the tests of a KPI of which something is recorded, by test date; of a range of dates, inclusive."""
    between = (f"{kpi.id}#{first or ''}", f"{kpi.id}#{last or '~'}")
    rows = table.query_all(keys.kpi_tests(organization, kpi.loan_id), between=between)
    tests = (of(table.item_from_raw(row)) for row in rows)
    return {test.test_date: test for test in tests}


def not_missed(tests: Mapping[date, RecordedTest], kpi: StoredKpi, loan: StoredLoan, now: datetime) -> set[date]:
    """Return the dates whose tests have a value that came in time."""
    return {day for day, test in tests.items() if test.judged(kpi, loan, now).state is not KpiState.MISSED}


def record_value(
    unit: UnitOfWork,
    borrower: StoredOrganization,
    loan: StoredLoan,
    kpi: StoredKpi,
    now: datetime,
    test_date: date,
    **fields: Any,
) -> RecordedTest:
    """Record a value of a test date, or correct it: each is a version, and all stay."""
    require_status(loan, now, "reported on", LoanStatus.ACTIVE)
    _require_test_date(kpi, loan, test_date)
    if test_date > loan.today(now):
        raise invalid_field("testDate", "must not be ahead")
    # The tests from the pointer on say what the next deadline is; a correction of an older one moves none.
    recent = read(unit.organization, kpi, kpi.reported_through)
    is_old = kpi.reported_through is not None and test_date < kpi.reported_through
    before = read(unit.organization, kpi, test_date, test_date) if is_old else recent
    test = before.get(test_date) or RecordedTest(kpi_id=kpi.id, test_date=test_date)
    if len(test.values) >= MAX_VALUES:
        raise invalid_state(f"a test has at most {MAX_VALUES} values")
    value = TestValue(version=len(test.values) + 1, recorded_at=now, **fields)
    after = test.model_copy(update={"values": (*test.values, value), "version": test.version + 1})
    in_time = not_missed({**recent, test_date: after}, kpi, loan, now)
    kpi_after = kpi.changed(test_count=kpi.test_count + (test.version == 0)).reported(loan, in_time)
    _write(unit, borrower, loan, kpi, test, after, kpi_after, now)
    return after


def waive(
    unit: UnitOfWork,
    lender: StoredOrganization,
    loan: StoredLoan,
    kpi: StoredKpi,
    now: datetime,
    test_date: date,
    reason: str,
) -> RecordedTest:
    """Waive a breach. VALIDATION_ERROR for a test in another state."""
    require_status(loan, now, "waived on", LoanStatus.ACTIVE)
    _require_test_date(kpi, loan, test_date)
    test = read(unit.organization, kpi, test_date, test_date).get(test_date)
    test = test or RecordedTest(kpi_id=kpi.id, test_date=test_date)
    state = test.judged(kpi, loan, now).state
    if state is not KpiState.BREACHED:
        raise invalid_state(f"a test that is {state} cannot be waived")
    after = test.model_copy(update={"waiver": Waiver(reason=reason, recorded_at=now), "version": test.version + 1})
    _write(unit, lender, loan, kpi, test, after, kpi.changed(), now)
    return after


def _require_test_date(kpi: StoredKpi, loan: StoredLoan, test_date: date) -> None:
    if test_date not in kpi.dates(loan):
        raise invalid_field("testDate", "is not a test date of this KPI")


def _write(
    unit: UnitOfWork,
    own: StoredOrganization,
    loan: StoredLoan,
    kpi: StoredKpi,
    before: RecordedTest,
    after: RecordedTest,
    kpi_after: StoredKpi,
    now: datetime,
) -> None:
    """Write a test on both sides, with its KPI and its loan. The audit log shows the facts, and the state they make."""
    field = f"tests.{after.test_date}"
    old, new = (
        {field: test.shown(), f"{field}.state": test.judged(kpi, loan, now).state} if test.version else {}
        for test in (before, after)
    )
    data = after.model_dump(mode="json", include={"values", "waiver"}, exclude_none=True)
    for _, writer in loans.both_sides(unit, loan, own.name):
        place = key(writer.organization, loan.id, kpi.id, after.test_date)
        condition = Item.version == before.version if before.version else Item.pk.does_not_exist()
        writer.put(Item(*place, version=after.version, data=data), condition, stale)
    deadline = kpis.deadline_after(unit.organization, loan, kpi, kpi_after)
    kpis.write(unit, own, loan, kpi, kpi_after, below=(old, new), kpi_deadline=deadline)
