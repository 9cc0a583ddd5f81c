"""Laws and traps of allocation: replay, reversal, payoff, settlement and write-off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.models.loans.allocation import Allocation, Payment, Payoff, Portion, WriteOff, allocate
from chalicelib.models.loans.schedule import Schedule, schedule
from chalicelib.models.loans.terms import Amortization, Terms
from tests.support.hypothesis_profile import law
from tests.support.loan_terms import RECORDED, payment, payments, terms

pytestmark = pytest.mark.storeless

LOAN = Terms(
    principal=1_200_000,
    currency="EUR",
    interest_rate_bps=Decimal(600),
    start_date=date(2026, 1, 1),
    maturity_date=date(2027, 1, 1),
    installments=12,
)
SCHEDULE = schedule(LOAN)
"""12 × 1,000.00 and interest: 61.15, 50.63, 51.38, … of 31, 28 and 31 days."""


@st.composite
def paid_loans(draw: st.DrawFn) -> tuple[Schedule, list[Payment]]:
    computed = schedule(draw(terms(max_installments=12)))
    return computed, draw(payments(computed))


def day_within(loan: Terms, data: st.DataObject) -> date:
    return loan.start_date + timedelta(days=data.draw(st.integers(0, (loan.maturity_date - loan.start_date).days + 40)))


def unpaid(allocation: Allocation) -> int:
    return sum(installment.unpaid for installment in allocation.installments)


# -- laws of the replay ----------------------------------------------------------------------------------------------


@law(200)
@given(paid_loans(), st.randoms(use_true_random=False))
def test_result_does_not_depend_on_the_order_in_which_payments_arrive(
    loan: tuple[Schedule, list[Payment]], random: Random
) -> None:
    computed, recorded = loan
    shuffled = random.sample(recorded, len(recorded))

    assert allocate(computed, shuffled) == allocate(computed, recorded)


@law(200)
@given(paid_loans(), st.randoms(use_true_random=False))
def test_sums_do_not_depend_on_the_order_of_recording(loan: tuple[Schedule, list[Payment]], random: Random) -> None:
    """Given the same repayments recorded at other instants, then installments are paid alike."""
    computed, recorded = loan
    order = random.sample(range(len(recorded)), len(recorded))
    recorded_otherwise = [
        replace(repayment, recorded_at=RECORDED + timedelta(minutes=minute), id=f"{minute:04}")
        for repayment, minute in zip(recorded, order, strict=True)
    ]

    assert allocate(computed, recorded_otherwise).installments == allocate(computed, recorded).installments


@law(200)
@given(paid_loans())
def test_everything_paid_is_somewhere_and_nothing_is_paid_twice(loan: tuple[Schedule, list[Payment]]) -> None:
    computed, recorded = loan

    allocation = allocate(computed, recorded)

    amounts = {
        identifier: sum(portion.principal + portion.interest for portion in portions)
        for identifier, portions in allocation.portions.items()
    }
    assert amounts == {repayment.id: repayment.amount for repayment in recorded}
    assert allocation.unallocated == 0
    assert allocation.paid == sum(amounts.values())
    assert allocation.paid_principal == sum(
        portion.principal for portions in allocation.portions.values() for portion in portions
    )
    assert allocation.outstanding == computed.terms.principal - allocation.paid_principal >= 0
    assert allocation.maximum == unpaid(allocation) == computed.terms.principal + computed.interest - allocation.paid
    assert all(
        min(installment.unpaid_interest, installment.unpaid_principal) >= 0 for installment in allocation.installments
    )


@law(200)
@given(paid_loans())
def test_oldest_installment_is_paid_first_and_in_it_interest(loan: tuple[Schedule, list[Payment]]) -> None:
    installments = allocate(*loan).installments

    for older, newer in pairwise(installments):
        assert not (older.unpaid and newer.paid_interest + newer.paid_principal)
    assert not any(installment.paid_principal and installment.unpaid_interest for installment in installments)


@law(200)
@given(paid_loans(), st.integers(1, 10**10))
def test_more_than_everything_unpaid_is_not_allocated(loan: tuple[Schedule, list[Payment]], excess: int) -> None:
    computed, recorded = loan
    maximum = allocate(computed, recorded).maximum

    allocation = allocate(computed, [*recorded, payment(99, date(2070, 1, 1), maximum + excess)])

    assert (allocation.maximum, allocation.unallocated) == (0, excess)


@law(200)
@given(paid_loans(), st.data())
def test_reversing_one_gives_what_would_have_been_without_it(
    loan: tuple[Schedule, list[Payment]], data: st.DataObject
) -> None:
    """Given repayments that are reversed one after another, then at last the schedule is as it was."""
    computed, recorded = loan
    while recorded:
        reversed_one = data.draw(st.sampled_from(recorded))
        recorded = [repayment for repayment in recorded if repayment != reversed_one]
        assert reversed_one.id not in allocate(computed, recorded).portions

    untouched = allocate(computed, recorded)

    assert [installment.scheduled for installment in untouched.installments] == list(computed)
    assert (untouched.paid, untouched.outstanding) == (0, computed.terms.principal)
    assert untouched.maximum == computed.terms.principal + computed.interest


@law(200)
@given(paid_loans(), st.data())
def test_allocation_of_a_past_day_knows_no_later_payment(
    loan: tuple[Schedule, list[Payment]], data: st.DataObject
) -> None:
    computed, recorded = loan
    day = day_within(computed.terms, data)

    allocation = allocate(computed, recorded, until=day)

    assert allocation == allocate(computed, [past for past in recorded if past.value_date <= day])


# -- replay, by example ----------------------------------------------------------------------------------------------


def test_excess_goes_to_the_next_installment_interest_first() -> None:
    allocation = allocate(SCHEDULE, [payment(1, date(2026, 2, 1), 106_115 + 5_062 + 1)])

    assert allocation.portions == {"0001": (Portion(1, 6_115, 100_000), Portion(2, 5_063, 0))}


def test_back_dated_payment_names_those_that_it_reallocates() -> None:
    """Given two repayments, when one is recorded later for a day before them, then both now pay something else."""
    first, second = payment(1, date(2026, 2, 1), 106_115), payment(2, date(2026, 3, 1), 105_063)
    before = allocate(SCHEDULE, [first, second])
    back_dated = payment(3, date(2026, 1, 20), 6_115)

    after = allocate(SCHEDULE, [first, second, back_dated])

    assert list(after.portions) == ["0003", "0001", "0002"]
    assert after.portions["0003"] == (Portion(1, 6_115, 0),)
    assert after.portions["0001"] == (Portion(1, 0, 100_000), Portion(2, 5_063, 1_052))
    assert after.reallocated_since(before) == ["0001", "0002"]


def test_payment_behind_the_others_reallocates_none() -> None:
    first = payment(1, date(2026, 2, 1), 106_115)
    after = allocate(SCHEDULE, [first, payment(2, date(2026, 3, 1), 105_063)])

    assert after.reallocated_since(allocate(SCHEDULE, [first])) == []


def test_payments_of_one_day_go_by_their_recording_then_by_id() -> None:
    day = date(2026, 2, 1)
    late, early = payment(2, day, 6_115), payment(1, day, 1_000)
    twin = replace(late, id="0000")

    assert list(allocate(SCHEDULE, [late, early, twin]).portions) == ["0001", "0000", "0002"]


# -- payoff ----------------------------------------------------------------------------------------------------------


@law(200)
@given(paid_loans(), st.data())
def test_payoff_is_at_most_everything_unpaid(loan: tuple[Schedule, list[Payment]], data: st.DataObject) -> None:
    """Given any day, then the payoff has all unpaid principal, and no interest of a period that has not begun."""
    computed, recorded = loan
    day = day_within(computed.terms, data)
    allocation = allocate(computed, recorded, until=day)

    payoff = allocation.payoff(day)

    begun = [
        installment.unpaid_interest
        for installment in allocation.installments
        if installment.scheduled.due_date - timedelta(days=installment.scheduled.days) < day
    ]
    assert payoff.principal == allocation.outstanding
    assert 0 <= payoff.due_interest + payoff.accrued_interest <= sum(begun)
    assert payoff.amount <= allocation.maximum


@law(200)
@given(paid_loans(), st.data())
def test_payoff_of_maturity_is_everything_unpaid(loan: tuple[Schedule, list[Payment]], data: st.DataObject) -> None:
    computed, recorded = loan
    day = computed.terms.maturity_date
    allocation = allocate(computed, recorded, until=day)

    assert allocation.payoff(day).amount == allocation.maximum


def test_payoff_has_due_and_accrued_interest_and_no_future_one() -> None:
    """Given nothing paid by 11 March, then two installments' interest is due and ten days of the third have accrued."""
    payoff = allocate(SCHEDULE, []).payoff(date(2026, 3, 11))

    assert payoff == Payoff(principal=1_200_000, due_interest=6_115 + 5_063, accrued_interest=1_644)


def test_interest_accrues_by_the_schedule_up_to_the_due_date() -> None:
    untouched = allocate(SCHEDULE, [])

    assert untouched.payoff(date(2026, 1, 1)) == Payoff(1_200_000, 0, 0)
    assert untouched.payoff(date(2026, 1, 31)) == Payoff(1_200_000, 0, 5_918)
    assert untouched.payoff(date(2026, 2, 1)) == Payoff(1_200_000, 6_115, 0)


def test_interest_paid_ahead_is_not_asked_for_again() -> None:
    """Given interest of the running period paid on its first day, then none of it accrues once more."""
    allocation = allocate(SCHEDULE, [payment(1, date(2026, 1, 1), 6_000)])

    assert allocation.payoff(date(2026, 1, 31)) == Payoff(1_200_000, 0, 0)
    assert allocation.payoff(date(2026, 2, 1)) == Payoff(1_200_000, 115, 0)


# -- settlement ------------------------------------------------------------------------------------------------------


def settle(computed: Schedule, recorded: Sequence[Payment], on: date) -> Payment:
    payoff = allocate(computed, recorded, until=on).payoff(on)
    return payment(len(recorded) + 1, on, payoff.amount, settles=True)


@law(200)
@given(paid_loans(), st.data())
def test_settlement_ends_the_loan_and_its_reversal_brings_it_back(
    loan: tuple[Schedule, list[Payment]], data: st.DataObject
) -> None:
    computed, recorded = loan
    day = max([day_within(computed.terms, data), *(past.value_date for past in recorded)])
    before = allocate(computed, recorded)
    settlement = settle(computed, recorded, day)

    settled = allocate(computed, [*recorded, settlement])

    assert settled.settled_by == settlement.id
    assert (settled.outstanding, settled.maximum, settled.unallocated) == (0, 0, 0)
    assert settled.payoff(day).amount == 0
    assert settled.paid == before.paid + settlement.amount
    assert settled.cancelled_interest == before.maximum - settlement.amount
    assert settled.reallocated_since(before) == []
    assert allocate(computed, recorded) == before


@law(200)
@given(paid_loans(), st.data())
def test_settlement_after_reversals_or_corrections_never_overpays(
    loan: tuple[Schedule, list[Payment]], data: st.DataObject
) -> None:
    """Given a settled loan of which repayments are reversed and others recorded, each up to the maximum of its time.

    Then everything paid is allocated, whatever the settlement counts as.
    """
    computed, recorded = loan
    day = max([day_within(computed.terms, data), *(past.value_date for past in recorded)])
    recorded = [*recorded, settle(computed, recorded, day)]
    for number in range(100, 100 + data.draw(st.integers(1, 6))):
        maximum = allocate(computed, recorded).maximum
        if maximum and data.draw(st.booleans()):
            amount = data.draw(st.integers(1, maximum))
            recorded = [*recorded, payment(number, day_within(computed.terms, data), amount)]
        elif len(recorded) > 1:
            reversed_one = data.draw(st.sampled_from(recorded))
            recorded = [stays for stays in recorded if stays != reversed_one]

        allocation = allocate(computed, recorded)

        assert allocation.unallocated == 0
        assert allocation.paid == sum(repayment.amount for repayment in recorded)


def test_settlement_counts_as_a_repayment_when_one_before_it_is_reversed() -> None:
    """Given a settled loan, when the repayment before is reversed, then nothing is cancelled and the loan goes on."""
    first = payment(1, date(2026, 2, 1), 106_115)
    settlement = settle(SCHEDULE, [first], date(2026, 2, 11))
    settled = allocate(SCHEDULE, [first, settlement])

    bounced = allocate(SCHEDULE, [settlement])

    assert settlement.amount == 1_100_000 + 1_808
    assert settled.cancelled_interest == SCHEDULE.interest - 6_115 - 1_808
    assert (bounced.settled_by, bounced.cancelled_interest) == (None, 0)
    assert bounced.maximum == LOAN.principal + SCHEDULE.interest - settlement.amount
    assert bounced.reallocated_since(settled) == ["0002"]


def test_settlement_takes_effect_again_when_the_repayment_before_it_is_recorded_again() -> None:
    first = payment(1, date(2026, 2, 1), 106_115)
    settlement = settle(SCHEDULE, [first], date(2026, 2, 11))

    mended = allocate(SCHEDULE, [settlement, payment(3, date(2026, 2, 1), 106_115)])

    assert (mended.settled_by, mended.maximum) == ("0002", 0)


def test_settlement_that_others_follow_is_a_repayment_like_any_other() -> None:
    """Given a bounced repayment and a new one after the settlement, when the bounced one is recorded again.

    Then the settlement would be exact once more, but the new repayment would be paid for nothing: it stays a repayment.
    """
    first = payment(1, date(2026, 2, 1), 106_115)
    settlement = settle(SCHEDULE, [first], date(2026, 2, 11))
    new, again = payment(3, date(2026, 3, 1), 1_000), payment(4, date(2026, 2, 1), 106_115)

    allocation = allocate(SCHEDULE, [settlement, new, again])

    assert (allocation.settled_by, allocation.unallocated, allocation.cancelled_interest) == (None, 0, 0)
    assert allocation.paid == settlement.amount + 1_000 + 106_115


# -- write-off -------------------------------------------------------------------------------------------------------

WRITTEN_OFF = WriteOff(date(2026, 3, 11), RECORDED + timedelta(minutes=50))


def test_write_off_stops_interest_on_its_day() -> None:
    """Given a loan written off on 11 March, then its payoff of that day is the loss, and the most to be recovered."""
    written_off = allocate(SCHEDULE, [], written_off=WRITTEN_OFF)

    assert written_off.maximum == 1_200_000 + 6_115 + 5_063 + 1_644
    assert written_off.payoff(date(2026, 12, 1)).amount == written_off.maximum
    assert written_off.cancelled_interest == SCHEDULE.interest - 6_115 - 5_063 - 1_644


def test_recoveries_pay_the_oldest_first_without_any_more_interest() -> None:
    recovery = payment(60, date(2026, 6, 1), 106_115 + 105_063 + 101_644 + 1)

    allocation = allocate(SCHEDULE, [recovery], written_off=WRITTEN_OFF)

    assert allocation.portions["0060"][2:] == (Portion(3, 1_644, 100_000), Portion(4, 0, 1))
    assert allocation.recovered == recovery.amount


def test_payment_recorded_before_the_write_off_of_the_same_day_is_no_recovery() -> None:
    before, after = payment(49, WRITTEN_OFF.on, 1_000), payment(51, WRITTEN_OFF.on, 2_000)

    allocation = allocate(SCHEDULE, [after, before], written_off=WRITTEN_OFF)

    assert allocation.recovered == 2_000


def test_past_day_before_the_write_off_knows_nothing_of_it() -> None:
    allocation = allocate(SCHEDULE, [], until=date(2026, 3, 10), written_off=WRITTEN_OFF)

    assert allocation == allocate(SCHEDULE, [])


@law(200)
@given(paid_loans(), st.data())
def test_recoveries_never_exceed_the_loss(loan: tuple[Schedule, list[Payment]], data: st.DataObject) -> None:
    """Given repayments, a write-off, and later ones and reversals of any value date, then nothing is overpaid."""
    computed, recorded = loan
    written_off = WriteOff(day_within(computed.terms, data), RECORDED + timedelta(minutes=50))
    claim = allocate(computed, recorded, written_off=written_off).maximum
    assert claim <= allocate(computed, recorded).maximum
    for number in range(60, 60 + data.draw(st.integers(1, 6))):
        maximum = allocate(computed, recorded, written_off=written_off).maximum
        if maximum and data.draw(st.booleans()):
            amount = data.draw(st.integers(1, maximum))
            recorded = [*recorded, payment(number, day_within(computed.terms, data), amount)]
        elif recorded:
            reversed_one = data.draw(st.sampled_from(recorded))
            recorded = [stays for stays in recorded if stays != reversed_one]

        allocation = allocate(computed, recorded, written_off=written_off)

        assert allocation.unallocated == 0
        assert allocation.paid == sum(repayment.amount for repayment in recorded)
        assert allocation.outstanding == computed.terms.principal - allocation.paid_principal >= 0


@pytest.mark.parametrize("amortization", [*Amortization])
def test_loan_paid_by_its_schedule_ends_with_nothing_unpaid(amortization: Amortization) -> None:
    computed = schedule(replace(LOAN, amortization=amortization))
    by_schedule = [payment(row.number, row.due_date, row.payment) for row in computed]

    allocation = allocate(computed, by_schedule)

    assert (allocation.maximum, allocation.outstanding) == (0, 0)
    assert [row.paid_off_on for row in allocation.installments] == [row.due_date for row in computed]
