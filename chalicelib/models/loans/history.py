"""History: the amounts paid of a loan up to any day, and the buckets that it is in, past and future."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import accumulate

from chalicelib.models.loans.allocation import Allocation
from chalicelib.models.loans.arrears import BUCKETS_FROM, Bucket, bucket_of


class History:
    """A loan by days. Of a day, the payments with a value date up to it count, as they are allocated today.

    A write-off is not part of it, and neither are the recoveries after it.
    """

    def __init__(self, allocation: Allocation) -> None:
        payments = allocation.payments[: len(allocation.payments) - len(allocation.recoveries)]
        portions = [allocation.portions[payment.id] for payment in payments]
        self.value_dates = [payment.value_date for payment in payments]
        """Those of the payments, ascending."""
        self._paid = [0, *accumulate(payment.amount for payment in payments)]
        self._principal = [0, *accumulate(sum(portion.principal for portion in parts) for parts in portions)]
        self._interest = [0, *accumulate(sum(portion.interest for portion in parts) for parts in portions)]
        self._settlement = len(payments) if allocation.settled_by is not None else None
        self._due_dates = [row.due_date for row in allocation.schedule]
        self._payable = list(accumulate(row.payment for row in allocation.schedule))

    def paid_principal(self, on: date) -> int:
        return self._principal[self._payments(on)]

    def paid_interest(self, on: date) -> int:
        return self._interest[self._payments(on)]

    def days_past_due(self, on: date) -> int:
        oldest = self._oldest_due(on)
        return 0 if oldest is None else max((on - oldest).days, 0)

    def buckets(self, since: date) -> Iterator[tuple[date, Bucket]]:
        """Yield each bucket from a day on, with the day on which it begins."""
        last: Bucket | None = None
        starts = sorted({since, *(day for day in self.value_dates if day > since)})
        for start, end in zip(starts, [*starts[1:], date.max], strict=True):
            oldest = self._oldest_due(start)
            changes = [] if oldest is None else [oldest + timedelta(days=days) for days in BUCKETS_FROM]
            for day in (start, *(change for change in changes if start < change < end)):
                bucket = Bucket.CURRENT if oldest is None else bucket_of((day - oldest).days)
                if bucket is not last:
                    yield day, bucket
                last = bucket

    def _payments(self, on: date) -> int:
        """Return how many payments count on a day."""
        return bisect_right(self.value_dates, on)

    def _oldest_due(self, on: date) -> date | None:
        """Return the due date of the oldest installment of which anything is unpaid on a day."""
        payments = self._payments(on)
        if payments == self._settlement:
            return None
        # Payments go to installments in the order of due dates, so their sum tells which one is next.
        place = bisect_right(self._payable, self._paid[payments])
        return self._due_dates[place] if place < len(self._due_dates) else None
