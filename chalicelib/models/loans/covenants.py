"""Covenants: KPIs of the borrower that are tested on dates. A test's state follows from the record and from time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import count

from chalicelib.core.days import day_of, months_after, start_of


class KpiFrequency(StrEnum):
    ONCE = "ONCE"
    MONTHLY = "MONTHLY"
    QUARTERLY = "QUARTERLY"
    YEARLY = "YEARLY"


class KpiDirection(StrEnum):
    UP = "UP"
    """At least the target is good."""
    DOWN = "DOWN"
    """At most the target is good."""


class KpiState(StrEnum):
    PENDING = "PENDING"
    MET = "MET"
    BREACHED = "BREACHED"
    MISSED = "MISSED"
    """No value was recorded in time. Final."""
    CURED = "CURED"
    WAIVED = "WAIVED"
    """Final."""


_MONTHS = {KpiFrequency.MONTHLY: 1, KpiFrequency.QUARTERLY: 3, KpiFrequency.YEARLY: 12}


@dataclass(frozen=True)
class KpiRule:
    """One version of the part of a KPI that may change."""

    recorded_at: datetime
    target: Decimal
    direction: KpiDirection
    reporting_days: int
    """After the test date, up to which a value is in time."""
    cure_days: int
    """After the day of a breach, up to which a value that meets the target cures it. 0: none does."""

    def is_met_by(self, value: Decimal) -> bool:
        return value >= self.target if self.direction is KpiDirection.UP else value <= self.target


@dataclass(frozen=True)
class KpiValue:
    """A value of one test date. A correction is another one."""

    recorded_at: datetime
    version: int
    value: Decimal


@dataclass(frozen=True)
class KpiWaiver:
    recorded_at: datetime


@dataclass(frozen=True)
class KpiTransition:
    state: KpiState
    at: datetime


@dataclass(frozen=True)
class KpiTest:
    """A test as of an instant."""

    test_date: date
    state: KpiState
    value: Decimal | None
    """The latest one, even if it came too late to count."""
    rule: KpiRule
    """The version that judged it; while it is pending, the latest one."""
    transitions: tuple[KpiTransition, ...]
    """All changes of state, oldest first. None is taken back by what is recorded later."""
    cure_until: date | None
    """The last day on which a value can cure a breach."""
    changes_at: datetime | None
    """The instant at which time alone changes the state."""

    @property
    def report_until(self) -> date:
        """The last day on which a first value is in time."""
        return self.test_date + timedelta(days=self.rule.reporting_days)


def dates_of_tests(first: date, frequency: KpiFrequency, until: date) -> Iterator[date]:
    """Yield the test dates up to a day: on the first one's day of the month, or that month's last day."""
    if frequency is KpiFrequency.ONCE:
        if first <= until:
            yield first
        return
    for number in count():
        day = months_after(first, number * _MONTHS[frequency])
        if day > until:
            return
        yield day


def judge(
    test_date: date,
    rules: Iterable[KpiRule],
    values: Iterable[KpiValue],
    waivers: Iterable[KpiWaiver],
    now: datetime,
    zone: str,
) -> KpiTest:
    """Judge a test of a KPI by all versions of its rule, and the values and waivers of the test date.

    The version in force when the first value is recorded, or when the days to report are over without one, judges the
    test for good. A correction that misses the target turns a test that was met or cured into a breach; the days to
    cure count from the first breach.
    """
    first, *changes = sorted(rules, key=lambda rule: rule.recorded_at)
    # At one instant, a changed rule holds for a value, and a waiver for the breach that the value makes.
    steps: list[KpiRule | KpiValue | KpiWaiver] = [*changes, *sorted(values, key=lambda value: value.version), *waivers]
    judgement = _Judgement(test_date, first, zone)
    for step in sorted(steps, key=lambda step: step.recorded_at):
        if step.recorded_at <= now:
            judgement.take(step)
    judgement.pass_time(now)
    return judgement.test()


class _Judgement:
    """Replays what happened to a test."""

    def __init__(self, test_date: date, rule: KpiRule, zone: str) -> None:
        self._test_date, self._rule, self._zone = test_date, rule, zone
        self._value: Decimal | None = None
        self._transitions: list[KpiTransition] = []
        self._cure_until: date | None = None

    @property
    def _state(self) -> KpiState:
        return self._transitions[-1].state if self._transitions else KpiState.PENDING

    @property
    def _missed_at(self) -> datetime:
        """The instant from which it is missed without a value; a shorter time to report has no effect on the past."""
        over = self._test_date + timedelta(days=self._rule.reporting_days + 1)
        return max(start_of(over, self._zone), self._rule.recorded_at)

    def pass_time(self, now: datetime) -> None:
        if self._state is KpiState.PENDING and self._missed_at <= now:
            self._transitions.append(KpiTransition(KpiState.MISSED, self._missed_at))

    def take(self, step: KpiRule | KpiValue | KpiWaiver) -> None:
        self.pass_time(step.recorded_at)
        match step:
            case KpiRule() if self._state is KpiState.PENDING:
                self._rule = step
            case KpiValue():
                self._value = step.value
                self._record(step)
            case KpiWaiver() if self._state is KpiState.BREACHED:
                self._transitions.append(KpiTransition(KpiState.WAIVED, step.recorded_at))

    def _record(self, step: KpiValue) -> None:
        is_met, day = self._rule.is_met_by(step.value), day_of(step.recorded_at, self._zone)
        match self._state:
            case KpiState.PENDING if is_met:
                state = KpiState.MET
            case KpiState.BREACHED if is_met and self._cure_until is not None and day <= self._cure_until:
                state = KpiState.CURED
            case KpiState.PENDING | KpiState.MET | KpiState.CURED if not is_met:
                state = KpiState.BREACHED
            case _:
                return
        self._transitions.append(KpiTransition(state, step.recorded_at))
        if state is KpiState.BREACHED and self._cure_until is None and self._rule.cure_days:
            self._cure_until = day + timedelta(days=self._rule.cure_days)

    def test(self) -> KpiTest:
        state = self._state
        return KpiTest(
            self._test_date,
            state,
            self._value,
            self._rule,
            tuple(self._transitions),
            self._cure_until if state is KpiState.BREACHED else None,
            self._missed_at if state is KpiState.PENDING else None,
        )
