"""States of covenant tests: judged once, corrected, cured, waived and missed, each transition once and for good."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.models.loans.covenants import (
    KpiDirection,
    KpiFrequency,
    KpiRule,
    KpiState,
    KpiTest,
    KpiTransition,
    KpiValue,
    KpiWaiver,
    dates_of_tests,
    judge,
)
from tests.support.hypothesis_profile import law

pytestmark = pytest.mark.storeless

ZONE = "Europe/Berlin"
TEST_DATE = date(2026, 3, 31)


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


CREATED = at(date(2026, 1, 1))


def after(days: int, hour: int = 12) -> datetime:
    """Return an instant, some days after the test date."""
    return at(TEST_DATE + timedelta(days=days), hour)


def rule(
    target: str = "10",
    direction: KpiDirection = KpiDirection.UP,
    *,
    recorded_at: datetime = CREATED,
    reporting_days: int = 30,
    cure_days: int = 0,
) -> KpiRule:
    return KpiRule(recorded_at, Decimal(target), direction, reporting_days, cure_days)


def values(*recorded: tuple[int, str]) -> list[KpiValue]:
    """Return versions of a value, each recorded some days after the test date."""
    return [KpiValue(after(days), version, Decimal(value)) for version, (days, value) in enumerate(recorded, start=1)]


def judged(rules: list[KpiRule], recorded: list[KpiValue], now: datetime, *waived: int) -> KpiTest:
    return judge(TEST_DATE, rules, recorded, [KpiWaiver(after(days)) for days in waived], now, ZONE)


# -- dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "dates"),
    [
        (KpiFrequency.ONCE, ["2026-01-31"]),
        (KpiFrequency.MONTHLY, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        (KpiFrequency.QUARTERLY, ["2026-01-31", "2026-04-30"]),
        (KpiFrequency.YEARLY, ["2026-01-31"]),
    ],
)
def test_dates_are_clipped_to_months_and_end_at_maturity(frequency: KpiFrequency, dates: list[str]) -> None:
    until_maturity = dates_of_tests(date(2026, 1, 31), frequency, date(2026, 4, 30))

    assert [day.isoformat() for day in until_maturity] == dates


def test_leap_day_comes_again() -> None:
    days = dates_of_tests(date(2024, 2, 29), KpiFrequency.YEARLY, date(2028, 3, 1))

    assert [day.isoformat() for day in days] == ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]


@pytest.mark.parametrize("frequency", [*KpiFrequency])
def test_there_are_none_after_maturity(frequency: KpiFrequency) -> None:
    assert list(dates_of_tests(date(2026, 5, 1), frequency, date(2026, 4, 30))) == []


# -- judgement -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "direction", "value", "state"),
    [
        ("10", KpiDirection.UP, "10", KpiState.MET),
        ("10", KpiDirection.UP, "9.99", KpiState.BREACHED),
        ("10", KpiDirection.DOWN, "10", KpiState.MET),
        ("10", KpiDirection.DOWN, "10.01", KpiState.BREACHED),
        ("0", KpiDirection.UP, "0", KpiState.MET),
        ("0", KpiDirection.UP, "-0.01", KpiState.BREACHED),
        ("0", KpiDirection.DOWN, "0.01", KpiState.BREACHED),
        ("0.3", KpiDirection.UP, "0.3", KpiState.MET),
    ],
)
def test_value_is_judged_when_it_is_recorded(target: str, direction: KpiDirection, value: str, state: KpiState) -> None:
    test = judged([rule(target, direction)], values((3, value)), after(3))

    assert (test.state, test.value) == (state, Decimal(value))
    assert test.transitions == (KpiTransition(state, after(3)),)
    assert test.changes_at is None


def test_test_is_pending_until_its_days_to_report_are_over() -> None:
    """Given 30 days to report, then the test is missed with the end of the 30th day in the loan's zone."""
    over = datetime(2026, 4, 30, 22, tzinfo=UTC)  # midnight in Berlin

    pending = judged([rule()], [], over - timedelta(milliseconds=1))
    missed = judged([rule()], [], over)

    assert (pending.state, pending.changes_at, pending.transitions) == (KpiState.PENDING, over, ())
    assert pending.report_until == date(2026, 4, 30)
    assert (missed.state, missed.changes_at) == (KpiState.MISSED, None)
    assert missed.transitions == (KpiTransition(KpiState.MISSED, over),)


def test_value_of_the_last_day_is_in_time_and_a_later_one_is_stored_without_effect() -> None:
    in_time = judged([rule()], values((30, "12")), after(90))
    late = judged([rule()], values((31, "12")), after(90))

    assert in_time.state is KpiState.MET
    assert (late.state, late.value) == (KpiState.MISSED, Decimal(12))


def test_missed_is_final() -> None:
    assert judged([rule(cure_days=90)], values((31, "9"), (32, "12")), after(90), 33).state is KpiState.MISSED


@pytest.mark.parametrize(
    ("cure_days", "cured_after", "state"),
    [
        (10, 5, KpiState.CURED),
        (10, 10, KpiState.CURED),
        (10, 11, KpiState.BREACHED),
        (0, 0, KpiState.BREACHED),
    ],
)
def test_better_value_cures_a_breach_within_its_days(cure_days: int, cured_after: int, state: KpiState) -> None:
    recorded = values((3, "9"), (3 + cured_after, "10"))

    test = judged([rule(cure_days=cure_days)], recorded, after(60))

    assert test.state is state
    assert [transition.state for transition in test.transitions][:1] == [KpiState.BREACHED]


def test_better_value_that_still_misses_the_target_cures_nothing() -> None:
    test = judged([rule(cure_days=10)], values((3, "8"), (4, "9")), after(5))

    assert (test.state, test.value, test.cure_until) == (KpiState.BREACHED, Decimal(9), TEST_DATE + timedelta(days=13))
    assert len(test.transitions) == 1


def test_correction_to_a_worse_value_is_a_breach_and_days_to_cure_count_once() -> None:
    """Given a breach that was cured, when the value is corrected down and up, then the first breach sets the end."""
    recorded = values((1, "12"), (3, "9"), (8, "11"), (9, "7"), (14, "11"))

    test = judged([rule(cure_days=10)], recorded, after(60))

    assert [transition.state for transition in test.transitions] == [
        KpiState.MET,
        KpiState.BREACHED,
        KpiState.CURED,
        KpiState.BREACHED,
    ]
    assert test.cure_until == TEST_DATE + timedelta(days=13)


def test_waiver_is_final_and_needs_a_breach() -> None:
    waived = judged([rule(cure_days=10)], values((3, "9"), (6, "12"), (7, "1")), after(60), 5)
    too_early = judged([rule()], values((3, "9")), after(60), 2)

    assert [transition.state for transition in waived.transitions] == [KpiState.BREACHED, KpiState.WAIVED]
    assert waived.cure_until is None
    assert too_early.state is KpiState.BREACHED


# -- changed targets -------------------------------------------------------------------------------------------------


def test_changed_target_holds_for_tests_that_are_not_yet_judged() -> None:
    changed = [rule("10"), rule("20", recorded_at=after(5))]

    judged_before = judged(changed, values((3, "12"), (7, "11")), after(60))
    judged_after = judged(changed, values((6, "12")), after(60))

    assert (judged_before.state, judged_before.rule.target) == (KpiState.MET, Decimal(10))
    assert (judged_after.state, judged_after.rule.target) == (KpiState.BREACHED, Decimal(20))


def test_more_days_to_report_come_too_late_for_a_missed_test() -> None:
    in_time = [rule(), rule(reporting_days=60, recorded_at=after(29))]
    too_late = [rule(), rule(reporting_days=60, recorded_at=after(40))]

    assert judged(in_time, [], after(50)).state is KpiState.PENDING
    assert judged(too_late, values((41, "12")), after(50)).state is KpiState.MISSED


def test_fewer_days_to_report_do_not_reach_back() -> None:
    """Given a deadline moved into the past, then the test is missed from the change on, not from before it."""
    test = judged([rule(), rule(reporting_days=1, recorded_at=after(9))], [], after(9))

    assert test.transitions == (KpiTransition(KpiState.MISSED, after(9)),)


# -- laws ------------------------------------------------------------------------------------------------------------

hours_after = st.integers(-24 * 5, 24 * 60)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[KpiRule], list[KpiValue], list[KpiWaiver]]:
    instants = sorted(draw(st.lists(hours_after, max_size=8)))
    rules, recorded, waivers = [draw_rule(draw, CREATED)], [], []
    for number, hours in enumerate(instants):
        instant = after(0) + timedelta(hours=hours)
        match draw(st.sampled_from(["rule", "value", "value", "waiver"])):
            case "rule":
                rules.append(draw_rule(draw, instant))
            case "value":
                recorded.append(KpiValue(instant, number, Decimal(draw(st.integers(-3, 3)))))
            case _:
                waivers.append(KpiWaiver(instant))
    return rules, recorded, waivers


def draw_rule(draw: st.DrawFn, instant: datetime) -> KpiRule:
    return rule(
        str(draw(st.integers(-1, 1))),
        draw(st.sampled_from(KpiDirection)),
        recorded_at=instant,
        reporting_days=draw(st.integers(0, 30)),
        cure_days=draw(st.integers(0, 20)),
    )


@law(500)
@given(histories(), hours_after, hours_after)
def test_transitions_are_never_taken_back(
    history: tuple[list[KpiRule], list[KpiValue], list[KpiWaiver]], first: int, second: int
) -> None:
    """Given two instants, then the later one's transitions begin with the earlier one's: each is announced once."""
    earlier, later = (after(0) + timedelta(hours=hours) for hours in sorted((first, second)))

    before = judge(TEST_DATE, *history, earlier, ZONE)
    afterwards = judge(TEST_DATE, *history, later, ZONE)

    assert afterwards.transitions[: len(before.transitions)] == before.transitions
    assert all(transition.at > earlier for transition in afterwards.transitions[len(before.transitions) :])
    assert [transition.at for transition in afterwards.transitions] == sorted(
        transition.at for transition in afterwards.transitions
    )


@law(500)
@given(histories(), hours_after)
def test_time_alone_changes_a_state_just_when_foretold(
    history: tuple[list[KpiRule], list[KpiValue], list[KpiWaiver]], hours: int
) -> None:
    """Given nothing more is recorded, then the state stays until `changes_at`, and is another one from then on."""
    now = after(0) + timedelta(hours=hours)
    so_far = tuple([step for step in steps if step.recorded_at <= now] for steps in history)

    test = judge(TEST_DATE, *so_far, now, ZONE)

    much_later = judge(TEST_DATE, *so_far, now + timedelta(days=1000), ZONE)
    if test.changes_at is None:
        assert much_later == test
    else:
        assert test.changes_at > now
        just_before = judge(TEST_DATE, *so_far, test.changes_at - timedelta(milliseconds=1), ZONE)
        assert just_before.state is test.state is KpiState.PENDING
        assert judge(TEST_DATE, *so_far, test.changes_at, ZONE) == much_later
        assert much_later.state is KpiState.MISSED
