"""Watches loans: reports to both sides, once, a bucket that a loan has entered and a test that was missed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from itertools import dropwhile
from typing import Any

from chalicelib.core import clock, days, ids
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork, stale
from chalicelib.models.activities import activities
from chalicelib.models.activities.activities import ActivityType, Severity, StoredActivity
from chalicelib.models.activities.audience import Group
from chalicelib.models.audit import PRODUCT
from chalicelib.models.loans import kpi_tests, kpis, loans
from chalicelib.models.loans.arrears import Bucket
from chalicelib.models.loans.covenants import KpiState
from chalicelib.models.loans.kpi_tests import RecordedTest
from chalicelib.models.loans.kpis import StoredKpi
from chalicelib.models.loans.loans import LOANS, Side, StoredLoan

_MAX_KPIS = 15
_MAX_MISSED = 25
"""Tests in one report, so that it fits a transaction: the rest is due again at once."""

_DAYS = {Bucket.D1_30: "1 day", Bucket.D31_60: "31 days", Bucket.D61_90: "61 days", Bucket.D90_PLUS: "91 days"}


def report(lender: OrganizationId, loan: StoredLoan, now: datetime) -> int:
    """Report the changes of a loan to both sides; return the number of activities a side, 0 where another was first.

    Activities, marks and the next check are one transaction on condition of the loan's version.
    """
    if loan.check_at is None or loan.check_at > now:
        return 0
    unit = UnitOfWork(lender)
    writers = loans.both_sides(unit, loan, PRODUCT.name)
    arrears = loan.arrears_at(now)
    bucket = loan.reported_bucket if arrears is None else arrears.bucket
    count = 0
    if [*Bucket].index(bucket) > [*Bucket].index(loan.reported_bucket):
        count += 1
        for side, writer in writers:
            activities.record(writer, _bucket_entered(loan, side, bucket))
    deadline = loan.kpi_deadline
    if deadline is not None and deadline <= now:
        all_kpis = kpis.read_all(lender, loan.id)
        due = [kpi for kpi in all_kpis if kpi.deadline is not None and kpi.deadline <= now][:_MAX_KPIS]
        after = {kpi.id: kpi for kpi in all_kpis}
        for kpi in due:
            missed, after[kpi.id] = _missed(lender, loan, kpi, now, _MAX_MISSED - count)
            count += len(missed)
            for side, writer in writers:
                for day in missed:
                    activities.record(writer, _test_missed(loan, kpi, side, day))
                _assign(writer, kpis.key(writer.organization, loan.id, kpi.id), kpi.data(), after[kpi.id].data())
        deadline = min((kpi.deadline for kpi in after.values() if kpi.deadline is not None), default=None)
    changes = {"kpi_deadline": deadline, "reported_bucket": bucket, "version": loan.version + 1}
    reported = loan.model_copy(update=changes).watched(now)
    for side, writer in writers:
        LOANS.update_to(writer, loan.shown_to(side), reported.shown_to(side))
    try:
        unit.commit()
    except StaleRead:
        # Another run was first, or the loan has changed: it is due again, or not any more.
        return 0
    return count


def _missed(
    lender: OrganizationId, loan: StoredLoan, kpi: StoredKpi, now: datetime, room: int
) -> tuple[list[date], StoredKpi]:
    """Return the tests that were missed and not reported yet, as many as there is room for, and the KPI after them."""
    recorded = kpi_tests.read(lender, kpi, kpi.reported_through)
    missed: list[date] = []
    through = kpi.reported_through
    for day in _unreported(kpi, loan):
        test = recorded.get(day) or RecordedTest(kpi_id=kpi.id, test_date=day)
        state = test.judged(kpi, loan, now).state
        if state is KpiState.PENDING or (state is KpiState.MISSED and len(missed) >= room):
            break
        missed += [day] * (state is KpiState.MISSED)
        through = day
    in_time = kpi_tests.not_missed(recorded, kpi, loan, now)
    return missed, kpi.model_copy(update={"reported_through": through}).reported(loan, in_time)


def _unreported(kpi: StoredKpi, loan: StoredLoan) -> Iterator[date]:
    through = kpi.reported_through
    return dropwhile(lambda day: through is not None and day <= through, kpi.dates(loan))


def _assign(writer: UnitOfWork, key: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
    changed = (name for name in sorted({*before, *after}) if before.get(name) != after.get(name))
    actions = [table.assign(name, after.get(name)) for name in changed]
    if actions:
        writer.update(key, actions, Item.pk.exists(), stale)


def _bucket_entered(loan: StoredLoan, side: Side, bucket: Bucket) -> StoredActivity:
    name, verb = loan.party(side.other).name, "to" if side is Side.LENDER else "of"
    return _activity(
        LOANS.entity,
        str(loan.id),
        title=f"A payment of the loan {verb} {_short(name)} is past due by {_DAYS[bucket]} or more",
        action="LOAN_BUCKET_ENTERED",
        metadata={"bucket": bucket, "before": loan.reported_bucket},
    )


def _test_missed(loan: StoredLoan, kpi: StoredKpi, side: Side, day: date) -> StoredActivity:
    name, verb = loan.party(side.other).name, "to" if side is Side.LENDER else "of"
    test = f"{kpi.name} of {days.in_words(day, clock.now().date())}"
    return _activity(
        kpis.ENTITY,
        str(kpi.id),
        title=f"{test} was not reported in time for the loan {verb} {_short(name)}",
        action="KPI_TEST_MISSED",
        metadata={"loanId": str(loan.id), "testDate": str(day), "state": KpiState.MISSED},
    )


def _activity(entity_type: str, entity_id: str, **fields: Any) -> StoredActivity:
    return StoredActivity.happened(
        ids.new_id(),
        type=ActivityType.SYSTEM_EVENT,
        entity_type=entity_type,
        entity_id=entity_id,
        severity=Severity.WARNING,
        actor=PRODUCT,
        readers=frozenset({Group.LOANS}),
        **fields,
    )


def _short(name: str) -> str:
    """Return a name that leaves room for the rest of a title."""
    return name if len(name) <= 60 else f"{name[:59].rstrip()}…"
