"""Allocation of repayments to installments: a pure replay in the order of value dates, not of recording.

The oldest installment is paid first, in it interest, then principal; the excess goes to the next. A settlement and a
write-off cancel interest that has not been earned by their day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from chalicelib.models.loans.schedule import Installment, Schedule


@dataclass(frozen=True)
class Payment:
    """A repayment that has not been reversed."""

    id: str
    value_date: date
    recorded_at: datetime
    amount: int
    settles: bool = False
    """It was recorded as the payoff of its value date."""


@dataclass(frozen=True)
class WriteOff:
    on: date
    """The local day of `recorded_at`. Payments after it are recoveries."""
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Portion:
    """The part of a payment that went to one installment."""

    number: int
    """The installment's."""
    interest: int
    principal: int


@dataclass(frozen=True, slots=True)
class AllocatedInstallment:
    """An installment with the amounts paid of it."""

    scheduled: Installment
    cancelled_interest: int = 0
    """Interest that a settlement or a write-off cancelled."""
    paid_principal: int = 0
    paid_interest: int = 0
    paid_off_on: date | None = None
    """Value date of the payment that left nothing unpaid."""

    @property
    def unpaid_principal(self) -> int:
        return self.scheduled.principal - self.paid_principal

    @property
    def unpaid_interest(self) -> int:
        return self.scheduled.interest - self.cancelled_interest - self.paid_interest

    @property
    def unpaid(self) -> int:
        return self.unpaid_principal + self.unpaid_interest


@dataclass(frozen=True)
class Payoff:
    """The amount that ends a loan on a day: without interest that has not accrued by then."""

    principal: int
    due_interest: int
    accrued_interest: int
    """Since the last due date."""

    @property
    def amount(self) -> int:
        return self.principal + self.due_interest + self.accrued_interest


@dataclass(frozen=True)
class Allocation:
    schedule: Schedule
    installments: tuple[AllocatedInstallment, ...]
    portions: Mapping[str, tuple[Portion, ...]]
    """Each payment's, by its id, in the order of the replay; the oldest installment first."""
    unallocated: int
    """Amount of payments beyond everything unpaid; 0 if each was at most `maximum` when it was recorded."""
    settled_by: str | None = None
    """The payment that ended the loan early."""
    written_off: WriteOff | None = None
    payments: tuple[Payment, ...] = ()
    """In the order of the replay."""
    recoveries: tuple[Payment, ...] = ()
    """Those of the payments after the write-off."""

    @property
    def last_value_date(self) -> date | None:
        return self.payments[-1].value_date if self.payments else None

    @property
    def recovered(self) -> int:
        return sum(payment.amount for payment in self.recoveries)

    @property
    def paid_principal(self) -> int:
        return sum(installment.paid_principal for installment in self.installments)

    @property
    def paid_interest(self) -> int:
        return sum(installment.paid_interest for installment in self.installments)

    @property
    def paid(self) -> int:
        return self.paid_principal + self.paid_interest

    @property
    def outstanding(self) -> int:
        """Principal that has not been paid, also of a loan that was written off."""
        return self.schedule.terms.principal - self.paid_principal

    @property
    def unpaid_interest(self) -> int:
        return sum(installment.unpaid_interest for installment in self.installments)

    @property
    def cancelled_interest(self) -> int:
        return sum(installment.cancelled_interest for installment in self.installments)

    @property
    def maximum(self) -> int:
        """The greatest amount that may still be repaid: unpaid principal and scheduled interest."""
        return self.outstanding + self.unpaid_interest

    def reallocated_since(self, before: Allocation) -> list[str]:
        """Return the ids of payments, in the order of this replay, that now pay something else than they did before."""
        return [
            payment
            for payment, portions in self.portions.items()
            if payment in before.portions and before.portions[payment] != portions
        ]

    def payoff(self, on: date) -> Payoff:
        """Return the payoff of a day. The allocation must be one of payments up to that day."""
        return _payoff(self.schedule, self.installments, on)


def allocate(
    schedule: Schedule,
    payments: Iterable[Payment],
    *,
    until: date | None = None,
    written_off: WriteOff | None = None,
) -> Allocation:
    """Allocate payments to the installments of a schedule; `until`: only those with a value date up to that day.

    A settlement counts as such while it is the last payment and is exactly the payoff of its day; when another
    repayment before it was reversed, it is a repayment like any other, and no interest is cancelled.
    """
    ordered = sorted(
        (payment for payment in payments if until is None or payment.value_date <= until),
        key=lambda payment: (payment.value_date, payment.recorded_at, payment.id),
    )
    if until is not None and written_off is not None and written_off.on > until:
        written_off = None
    first_recovery = len(ordered)
    if written_off is not None:
        place = (written_off.on, written_off.recorded_at)
        first_recovery = bisect_right(ordered, place, key=lambda payment: (payment.value_date, payment.recorded_at))
    replay = _Replay(schedule)
    settled_by = None
    for payment in ordered[:first_recovery]:
        if payment.settles and payment is ordered[-1] and payment.amount == replay.payoff(payment.value_date):
            replay.cancel_unearned(payment.value_date)
            settled_by = payment.id
        replay.pay(payment)
    if written_off is not None:
        replay.cancel_unearned(written_off.on)
    for payment in ordered[first_recovery:]:
        replay.pay(payment)
    return Allocation(
        schedule,
        tuple(replay.installments),
        replay.portions,
        replay.unallocated,
        settled_by,
        written_off,
        tuple(ordered),
        tuple(ordered[first_recovery:]),
    )


class _Replay:
    def __init__(self, schedule: Schedule) -> None:
        self.installments = [AllocatedInstallment(installment) for installment in schedule]
        self.portions: dict[str, tuple[Portion, ...]] = {}
        self.unallocated = 0
        self._schedule = schedule
        self._place = 0
        """The place of the oldest installment that may have something unpaid."""

    def pay(self, payment: Payment) -> None:
        remaining = payment.amount
        portions: list[Portion] = []
        while remaining and self._place < len(self.installments):
            installment = self.installments[self._place]
            interest = min(remaining, installment.unpaid_interest)
            principal = min(remaining - interest, installment.unpaid_principal)
            remaining -= interest + principal
            is_paid_off = interest + principal == installment.unpaid
            if interest or principal:
                portions.append(Portion(installment.scheduled.number, interest, principal))
                self.installments[self._place] = replace(
                    installment,
                    paid_principal=installment.paid_principal + principal,
                    paid_interest=installment.paid_interest + interest,
                    paid_off_on=payment.value_date if is_paid_off else None,
                )
            if is_paid_off:
                self._place += 1
        self.portions[payment.id] = tuple(portions)
        self.unallocated += remaining

    def payoff(self, on: date) -> int:
        return _payoff(self._schedule, self.installments, on).amount

    def cancel_unearned(self, on: date) -> None:
        """Cancel interest that has neither been earned by a day nor been paid."""
        for place, installment in enumerate(self.installments):
            earned = self._schedule.earned_interest(installment.scheduled, on)
            owed = max(earned, installment.paid_interest)
            if cancelled := max(installment.scheduled.interest - owed, 0):
                self.installments[place] = replace(installment, cancelled_interest=cancelled)


def _payoff(schedule: Schedule, installments: Iterable[AllocatedInstallment], on: date) -> Payoff:
    principal = due_interest = accrued_interest = 0
    for installment in installments:
        principal += installment.unpaid_principal
        earned = schedule.earned_interest(installment.scheduled, on)
        unpaid = min(max(earned - installment.paid_interest, 0), installment.unpaid_interest)
        if installment.scheduled.due_date <= on:
            due_interest += unpaid
        else:
            accrued_interest += unpaid
    return Payoff(principal, due_interest, accrued_interest)
