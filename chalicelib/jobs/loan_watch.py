"""Reports loans that are past due, and covenants without a value, to both sides every hour.

Only loans are read that have entered a bucket, or have a test without a value: the cost of a run follows those.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.observability import emit, log_error, logger
from chalicelib.dal import table
from chalicelib.jobs import due_rows
from chalicelib.jobs.deadline import Deadline
from chalicelib.models.loans import watch
from chalicelib.models.loans.loans import DUE, LOANS, StoredLoan

MAX_ROWS = 5_000
"""Loans of one run; the next one takes more."""
_A_PAGE = 50


def tick(context: Any) -> int:
    """Report on the loans that are due; return the number of activities a side. One that fails holds up no other."""
    deadline, count, failed = Deadline(context), 0, 0
    for rows in due_rows.pages(DUE, deadline, size=_A_PAGE, maximum=MAX_ROWS):
        items = table.batch_get(LOANS.key(row.organization, UUID(row.row)) for row in rows)
        for row in rows:
            item = items.get(LOANS.key(row.organization, UUID(row.row)))
            if item is None or deadline.is_over():
                continue
            try:
                count += watch.report(row.organization, StoredLoan.of(item), clock.now())
            except Exception as error:  # noqa: BLE001  logged, and due again in an hour
                log_error("no report of a loan", error, organization_id=str(row.organization), loan_id=row.row)
                failed += 1
    logger.info("loans watched", extra={"activities": count, "failed": failed})
    emit({"job": "watchLoans"}, LoanActivities=count)
    if failed:
        raise RuntimeError(f"there are no reports of {failed} loans")
    return count
