"""KPIs of loans: define, change, delete; record values, list tests, waive breaches."""

from __future__ import annotations

from itertools import islice
from uuid import UUID

from chalicelib.action import lists
from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import ChildrenQuery, CursorPage, CursorQuery
from chalicelib.core.days import Day
from chalicelib.models.audit import AuditEvent
from chalicelib.models.loans import kpi_tests, kpis, loans
from chalicelib.models.loans.kpi_tests import RecordedTest
from chalicelib.models.loans.kpis import Kpi, StoredKpi
from chalicelib.models.loans.loans import Side, StoredLoan, require_side
from chalicelib.modules.kpis.contracts import (
    CreateKpi,
    KpiTestDetails,
    RecordKpiValue,
    UpdateKpi,
    WaiveKpiBreach,
)


@action(
    "createKpi",
    "POST /loans/{id}/kpis",
    permission=Permission.LOANS_MANAGE,
    entity=loans.LOANS,
    audit=AuditEvent.KPI_CREATED,
    status=201,
)
def create_kpi(ctx: Context, id_: UUID, data: CreateKpi) -> Kpi:
    """Defines a covenant: a figure of the borrower's that is tested on dates until maturity."""
    loan = loans.get(ctx.organization, id_, Side.LENDER)
    return kpis.create(ctx.unit, ctx.principal.organization, loan, ctx.now, dict(data))


@action("listKpis", "GET /loans/{id}/kpis", permission=Permission.LOANS_MANAGE, entity=loans.LOANS)
def list_kpis(ctx: Context, id_: UUID, data: ChildrenQuery) -> CursorPage[Kpi]:
    """The KPIs of a loan, oldest first."""
    loans.get(ctx.organization, id_)
    after = None if data.cursor is None else ctx.cursors.decode(data.cursor)
    left = [kpi for kpi in kpis.read_all(ctx.organization, id_) if after is None or str(kpi.id) > after]
    page, last = left[: data.limit], str(left[data.limit - 1].id) if len(left) > data.limit else None
    return lists.cursor_page(ctx, CursorPage[Kpi], page, last, lambda kpi: str(kpi.id))


@action(
    "updateKpi",
    "PATCH /loans/{id}/kpis/{kpiId}",
    permission=Permission.LOANS_MANAGE,
    audit=AuditEvent.KPI_UPDATED,
)
def update_kpi(ctx: Context, id_: UUID, kpi_id: UUID, data: UpdateKpi) -> Kpi:
    """Changes a KPI. A changed target, direction or number of days holds for tests that are not yet judged."""
    loan, kpi = _read(ctx, id_, kpi_id, Side.LENDER)
    return kpis.update(ctx.unit, ctx.principal.organization, loan, kpi, ctx.now, data.changes())


@action(
    "deleteKpi",
    "DELETE /loans/{id}/kpis/{kpiId}",
    permission=Permission.LOANS_MANAGE,
    audit=AuditEvent.KPI_DELETED,
)
def delete_kpi(ctx: Context, id_: UUID, kpi_id: UUID) -> Kpi:
    """Deletes a KPI with its tests. Both audit logs keep them."""
    loan, kpi = _read(ctx, id_, kpi_id, Side.LENDER)
    return kpis.delete(ctx.unit, ctx.principal.organization, loan, kpi, ctx.now)


# -- tests -----------------------------------------------------------------------------------------------------------


@action(
    "recordKpiValue",
    "POST /loans/{id}/kpis/{kpiId}/values",
    permission=Permission.LOANS_MANAGE,
    audit=AuditEvent.KPI_VALUE_RECORDED,
    status=201,
)
def record_kpi_value(ctx: Context, id_: UUID, kpi_id: UUID, data: RecordKpiValue) -> KpiTestDetails:
    """Records the organization's value on a test date. Another one for the same date corrects it; both stay.

    The value is judged by the target of this moment. A better value cures a breach within `cureDays`.
    """
    loan, kpi = _read(ctx, id_, kpi_id, Side.BORROWER)
    fields = {"value": data.value, "evidence": data.evidence}
    test = kpi_tests.record_value(ctx.unit, ctx.principal.organization, loan, kpi, ctx.now, data.test_date, **fields)
    return _details(ctx, loan, kpi, test)


@action("listKpiTests", "GET /loans/{id}/kpis/{kpiId}/tests", permission=Permission.LOANS_MANAGE)
def list_kpi_tests(ctx: Context, id_: UUID, kpi_id: UUID, data: CursorQuery) -> CursorPage[KpiTestDetails]:
    """The tests of a KPI until maturity, by test date; also those that are ahead."""
    loan, kpi = _read(ctx, id_, kpi_id)
    after = None if data.cursor is None else ctx.cursors.decode(data.cursor)
    left = (day for day in kpi.dates(loan) if after is None or str(day) > after)
    # One more shows whether there is a next page.
    days = [*islice(left, data.limit + 1)]
    page, last = days[: data.limit], str(days[data.limit - 1]) if len(days) > data.limit else None
    recorded = kpi_tests.read(ctx.organization, kpi, page[0], page[-1]) if page else {}
    tests = [recorded.get(day) or RecordedTest(kpi_id=kpi.id, test_date=day) for day in page]
    rows = [_details(ctx, loan, kpi, test) for test in tests]
    return lists.cursor_page(ctx, CursorPage[KpiTestDetails], rows, last, lambda test: str(test.test_date))


@action(
    "waiveKpiBreach",
    "POST /loans/{id}/kpis/{kpiId}/tests/{testDate}/waive",
    permission=Permission.LOANS_MANAGE,
    audit=AuditEvent.KPI_BREACH_WAIVED,
)
def waive_kpi_breach(ctx: Context, id_: UUID, kpi_id: UUID, test_date: Day, data: WaiveKpiBreach) -> KpiTestDetails:
    """Waives a breach, with a reason that both sides see. It is final."""
    loan, kpi = _read(ctx, id_, kpi_id, Side.LENDER)
    test = kpi_tests.waive(ctx.unit, ctx.principal.organization, loan, kpi, ctx.now, test_date, data.reason)
    return _details(ctx, loan, kpi, test)


# -- shared by the actions -------------------------------------------------------------------------------------------


def _read(ctx: Context, loan_id: UUID, kpi_id: UUID, side: Side | None = None) -> tuple[StoredLoan, StoredKpi]:
    loan, kpi = kpis.read(ctx.organization, loan_id, kpi_id)
    require_side(loan, ctx.organization, side)
    return loan, kpi


def _details(ctx: Context, loan: StoredLoan, kpi: StoredKpi, test: RecordedTest) -> KpiTestDetails:
    judged = test.judged(kpi, loan, ctx.now)
    return KpiTestDetails(
        test_date=judged.test_date,
        state=judged.state,
        value=test.values[-1].value if test.values else None,
        target=float(judged.rule.target),
        direction=judged.rule.direction,
        report_until=judged.report_until,
        cure_until=judged.cure_until,
        values=list(test.values),
        waiver=test.waiver,
        state_since=judged.transitions[-1].at if judged.transitions else None,
    )
