"""KPIs: covenants of a loan, defined by the lender. A change of one is conditional on the loan's version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import dropwhile
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Contract
from chalicelib.core.days import Day, start_of
from chalicelib.core.entity_names import EntityName
from chalicelib.core.errors import invalid_field, invalid_state
from chalicelib.core.field_types import Instant, Line
from chalicelib.core.figures import Figure, exactly
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.records import INTERNAL, Record
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.loans import keys, loans
from chalicelib.models.loans.covenants import KpiDirection, KpiFrequency, KpiRule, dates_of_tests
from chalicelib.models.loans.lifecycle import require_status
from chalicelib.models.loans.loans import LOANS, LoanStatus, StoredLoan
from chalicelib.models.organizations import StoredOrganization

ENTITY = EntityName.KPI
MAX_KPIS = 500
"""KPIs of one loan: all of them are read at once."""
MAX_RULES = 100
"""BeforeAndAfter of one KPI's rule: a test is judged by the one of its time, so all of them stay."""

KpiName = Annotated[Line, Field(max_length=120, examples=["Schuldendienstdeckungsgrad"])]
KpiUnit = Annotated[Line, Field(max_length=20, examples=["x"])]
Target = Annotated[Figure, Field(examples=[1.25])]
ReportingDays = Annotated[int, Field(ge=0, le=366, description="Days to report, after the test date.", examples=[30])]
CureDays = Annotated[
    int, Field(ge=0, le=366, description="Days in which a better value cures a breach; 0: none does.", examples=[14])
]


class StoredRule(Contract):
    """One version of the part of a KPI by which tests are judged."""

    recorded_at: Instant
    target: Target
    direction: KpiDirection
    reporting_days: ReportingDays
    cure_days: CureDays

    def rule(self) -> KpiRule:
        return KpiRule(self.recorded_at, exactly(self.target), self.direction, self.reporting_days, self.cure_days)


class Kpi(Record):
    loan_id: UUID
    name: KpiName
    unit: KpiUnit | None = None
    target: Target
    direction: KpiDirection
    frequency: KpiFrequency
    first_test_date: Annotated[Day, Field(examples=["2026-06-30"])]
    reporting_days: ReportingDays = 30
    cure_days: CureDays = 0


class StoredKpi(Kpi):
    rules: Annotated[tuple[StoredRule, ...], INTERNAL] = ()
    """Oldest first; the last one is the KPI's own."""
    test_count: Annotated[int, INTERNAL] = 0
    """Tests of which something is recorded."""
    reported_through: Annotated[Day | None, INTERNAL] = None
    """The test date up to which each test has a first value, or was reported as missed."""
    deadline: Annotated[Instant | None, INTERNAL] = None
    """The instant at which the next test is missed, unless a value comes."""

    def dates(self, loan: StoredLoan) -> Iterable[date]:
        return dates_of_tests(self.first_test_date, self.frequency, loan.maturity_date)

    def reported(self, loan: StoredLoan, test_dates: Iterable[date]) -> StoredKpi:
        """Return the KPI when these tests beyond `reported_through` have a value: with its next deadline."""
        recorded, through = {*test_dates}, self.reported_through
        ahead = dropwhile(lambda day: through is not None and day <= through, self.dates(loan))
        for day in ahead:
            if day not in recorded:
                over = start_of(day + timedelta(days=self.reporting_days + 1), loan.timezone)
                deadline = max(over, self.rules[-1].recorded_at)
                return self.model_copy(update={"reported_through": through, "deadline": deadline})
            through = day
        return self.model_copy(update={"reported_through": through, "deadline": None})


def key(organization: OrganizationId, loan: UUID, identifier: UUID) -> Key:
    return Key(keys.kpis(organization, loan), str(identifier))


def of(item: Item | None) -> StoredKpi:
    return StoredKpi.of(item, ENTITY)


def read_all(organization: OrganizationId, loan: UUID) -> list[StoredKpi]:
    """Return the KPIs of a loan, oldest first."""
    return [of(table.item_from_raw(row)) for row in table.query_all(keys.kpis(organization, loan))]


def read(organization: OrganizationId, loan: UUID, identifier: UUID) -> tuple[StoredLoan, StoredKpi]:
    """Return a KPI with its loan. NOT_FOUND for another organization's, and if either does not exist."""
    loan_key, kpi_key = LOANS.key(organization, loan), key(organization, loan, identifier)
    items = table.batch_get([loan_key, kpi_key])
    return StoredLoan.of(items.get(loan_key), LOANS.entity), of(items.get(kpi_key))


# -- write -----------------------------------------------------------------------------------------------------------


def create(
    unit: UnitOfWork, lender: StoredOrganization, loan: StoredLoan, now: datetime, fields: Mapping[str, Any]
) -> StoredKpi:
    require_status(loan, now, "given a KPI", LoanStatus.OFFERED, LoanStatus.ACTIVE)
    if loan.kpi_count >= MAX_KPIS:
        raise invalid_state(f"a loan has at most {MAX_KPIS} KPIs")
    if not loan.start_date <= fields["first_test_date"] <= loan.maturity_date:
        raise invalid_field("firstTestDate", "must be from startDate to maturityDate")
    kpi = StoredKpi.new(loan_id=loan.id, **fields)
    kpi = _with_rule(kpi, now).reported(loan, [])
    write(unit, lender, loan, None, kpi, kpi_count=loan.kpi_count + 1, kpi_deadline=earlier(loan.kpi_deadline, kpi))
    return kpi


def update(
    unit: UnitOfWork,
    lender: StoredOrganization,
    loan: StoredLoan,
    kpi: StoredKpi,
    now: datetime,
    changes: Mapping[str, Any],
) -> StoredKpi:
    """Change a KPI. A changed target, direction or number of days holds for the tests that are not yet judged."""
    _require_open(loan, now, "changed")
    after = kpi.changed(**changes)
    if len(after.rules) >= MAX_RULES:
        raise invalid_state(f"the rule of a KPI changes at most {MAX_RULES} times: define another one")
    after = _with_rule(after, now)
    if after.reporting_days != kpi.reporting_days:
        # The deadline may only be too early: the daily job looks at the tests and sets the next one.
        after = after.reported(loan, [])
    write(unit, lender, loan, kpi, after, kpi_deadline=deadline_after(unit.organization, loan, kpi, after))
    return after


def delete(unit: UnitOfWork, lender: StoredOrganization, loan: StoredLoan, kpi: StoredKpi, now: datetime) -> StoredKpi:
    """Delete a KPI. Its tests are not visible any more; the stream's consumer erases them."""
    _require_open(loan, now, "changed")
    deadline = deadline_after(unit.organization, loan, kpi, None)
    write(unit, lender, loan, kpi, None, kpi_count=loan.kpi_count - 1, kpi_deadline=deadline)
    return kpi


def write(
    unit: UnitOfWork,
    own: StoredOrganization,
    loan: StoredLoan,
    before: StoredKpi | None,
    after: StoredKpi | None,
    *,
    below: loans.BeforeAndAfter = ({}, {}),
    **changes: Any,
) -> StoredLoan:
    """Write a KPI on both sides, with the loan. `below`: fields that the audit log shows of its tests."""
    kpi = before or after
    if kpi is None:
        raise ValueError("no KPI to write")
    if before is not None:
        unit.require_version(before.version, before.updated_at)
    for _, writer in loans.both_sides(unit, loan, own.name):
        old = {**(before.shown() if before else {}), **below[0]}
        new = {**(after.shown() if after else {}), **below[1]}
        writer.audit_target(ENTITY, kpi.id, old, new, name=kpi.name)
        place = key(writer.organization, loan.id, kpi.id)
        if after is None:
            writer.delete(place, Item.pk.exists(), stale)
        elif before is None:
            writer.put_new(after.item(place), stale)
        else:
            writer.update(place, _assignments(before, after), Item.version == before.version, stale)
    return loans.write(unit, own, loan, **changes)


def earlier(deadline: datetime | None, kpi: StoredKpi) -> datetime | None:
    """Return the earlier of a loan's deadline and that of a KPI."""
    known = [instant for instant in (deadline, kpi.deadline) if instant is not None]
    return min(known, default=None)


def _require_open(loan: StoredLoan, now: datetime, verb: str) -> None:
    require_status(loan, now, verb, LoanStatus.OFFERED, LoanStatus.ACTIVE)


def _with_rule(kpi: StoredKpi, now: datetime) -> StoredKpi:
    """Return the KPI with its rule among all versions, if that has changed."""
    rule = StoredRule(
        recorded_at=now,
        target=kpi.target,
        direction=kpi.direction,
        reporting_days=kpi.reporting_days,
        cure_days=kpi.cure_days,
    )
    if kpi.rules and kpi.rules[-1].model_copy(update={"recorded_at": now}) == rule:
        return kpi
    return kpi.model_copy(update={"rules": (*kpi.rules, rule)})


def deadline_after(
    organization: OrganizationId, loan: StoredLoan, before: StoredKpi, after: StoredKpi | None
) -> datetime | None:
    """Return the loan's next deadline after a change of one KPI: the others are read where it was that one's."""
    if after is not None and after.deadline == before.deadline:
        return loan.kpi_deadline
    if before.deadline is not None and before.deadline == loan.kpi_deadline:
        others = (kpi.deadline for kpi in read_all(organization, loan.id) if kpi.id != before.id)
        deadline = min((instant for instant in others if instant is not None), default=None)
    else:
        deadline = loan.kpi_deadline
    return deadline if after is None else earlier(deadline, after)


def _assignments(before: StoredKpi, after: StoredKpi) -> list[Any]:
    old, new = before.data(), after.data()
    changed = (name for name in sorted({*old, *new}) if old.get(name) != new.get(name))
    return [*(table.assign(name, new.get(name)) for name in changed), Item.version.set(after.version)]
