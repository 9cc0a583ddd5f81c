"""Hours reports: by query or by body, answered as JSON or CSV."""

from __future__ import annotations

from typing import Annotated

from chalicelib.action.context import Context
from chalicelib.action.envelope import Raw
from chalicelib.action.media_types import CSV
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.errors import ErrorCode
from chalicelib.modules.reports.contracts import GenerateHoursReport, GetHoursReport, HoursReport
from chalicelib.modules.reports.hours_csv import hours_csv
from chalicelib.modules.reports.hours_report import report

_ERRORS = (ErrorCode.INVALID_DATE_RANGE, ErrorCode.NOT_FOUND)


@action(
    "getHoursReport",
    "GET /reports/hours",
    permission=Permission.REPORTS_READ,
    errors=_ERRORS,
    csv=hours_csv,
)
def get_hours_report(ctx: Context, data: GetHoursReport) -> HoursReport:
    """The hours of some days by worker and work location, with their amounts where rates exist.

    Seconds and amounts are exact and their sums are those of the totals; decimal hours are rounded each for itself.
    Hours up to `asOf` are worked, those ahead of it are scheduled and have no amounts. Amounts are shown to callers who
    may read rates.
    """
    return _report(ctx, data)


@action(
    "generateHoursReport",
    "POST /reports/hours",
    permission=Permission.REPORTS_READ,
    errors=_ERRORS,
    csv=hours_csv,
)
def generate_hours_report(ctx: Context, data: GenerateHoursReport) -> HoursReport:
    """The report of `getHoursReport`, with its parameters in the body."""
    return _report(ctx, data)


@action("exportReportToCsv", "GET /reports/hours.csv", permission=Permission.REPORTS_READ, errors=_ERRORS)
def export_report_to_csv(ctx: Context, data: GetHoursReport) -> Annotated[Raw, CSV]:
    """The report of `getHoursReport` as a CSV file (RFC 4180, UTF-8), safe to open in a spreadsheet."""
    return hours_csv(_report(ctx, data))


def _report(ctx: Context, data: GetHoursReport | GenerateHoursReport) -> HoursReport:
    return report(
        ctx.principal.organization,
        data.start_date,
        data.end_date,
        data.client_id,
        ctx.now,
        with_money=ctx.principal.sees_money,
    )
