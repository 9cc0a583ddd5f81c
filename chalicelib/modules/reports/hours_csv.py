"""The hours report as CSV, for spreadsheets and payroll."""

from __future__ import annotations

from decimal import Decimal

from chalicelib.action.envelope import Raw
from chalicelib.action.media_types import CSV
from chalicelib.core import csv_text
from chalicelib.core.money import Money, major_units
from chalicelib.modules.reports.contracts import HoursReport

_HEADER = (
    "worker",
    "client",
    "workLocation",
    "hours",
    "seconds",
    "scheduledHours",
    "billed",
    "paid",
    "margin",
    "currency",
    "workerId",
    "clientId",
    "workLocationId",
)


def hours_csv(report: HoursReport) -> Raw:
    """Return a line for each row, without totals. Amounts are in major units, empty without a rate."""
    rows = [
        (
            row.worker_name,
            row.client_name,
            row.work_location_name,
            Decimal(f"{row.total_hours:.2f}"),
            row.total_seconds,
            Decimal(f"{row.scheduled_hours:.2f}"),
            *(_decimal(money) for money in (row.billed, row.paid, row.margin)),
            next((money.currency for money in (row.billed, row.paid) if money is not None), None),
            str(row.worker_id),
            str(row.client_id),
            str(row.work_location_id),
        )
        for row in report.rows
    ]
    filename = f"hours_{report.start_date.isoformat()}_{report.end_date.isoformat()}.csv"
    return Raw(csv_text.write(_HEADER, rows), CSV, filename)


def _decimal(money: Money | None) -> Decimal | None:
    return None if money is None else major_units(money)
