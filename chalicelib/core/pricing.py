"""Prices of time, at hourly rates that hold from a day on. Times are milliseconds since 1970."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import date
from itertools import pairwise

from chalicelib.core.clock import milliseconds
from chalicelib.core.days import start_of
from chalicelib.core.money import Money, rounded_half_up

HOUR = 3_600_000


class RateTimeline:
    """The hourly rates of one position or worker.

    A day has the rate of the latest date up to it, a day before them all has none. A rate in another currency than the
    organization's counts as none: amounts of two currencies are never added.
    """

    __slots__ = ("_amounts", "_starts")

    def __init__(self, rates: Mapping[date, Money], *, zone: str, currency: str) -> None:
        """Take the `rates` by the local day from which they hold, in any order."""
        # By their instant first: of days that begin together, as a skipped one and the next, the later one holds.
        amounts = {
            milliseconds(start_of(day, zone)): rates[day].amount if rates[day].currency == currency else None
            for day in sorted(rates)
        }
        self._starts: list[int] = []
        self._amounts: list[int | None] = [None]  # until the first start; then as many as there are starts
        for start, amount in amounts.items():
            if amount != self._amounts[-1]:
                self._starts.append(start)
                self._amounts.append(amount)

    def price(self, start: int, end: int) -> int | None:
        """Minor units × milliseconds of [start, end), for `amount_of`; None if any of it has no rate.

        Exact, so that prices may be added up and rounded once. An empty interval prices to 0.
        """
        if start >= end:
            return 0
        first, last = bisect_right(self._starts, start), bisect_left(self._starts, end)
        if first == last:
            amount = self._amounts[first]
            return None if amount is None else amount * (end - start)
        product = 0
        edges = pairwise([start, *self._starts[first:last], end])
        for amount, (since, until) in zip(self._amounts[first : last + 1], edges, strict=True):
            if amount is None:
                return None
            product += amount * (until - since)
        return product

    def rate_throughout(self, start: int, end: int) -> int | None:
        """The one amount an hour costs everywhere in [start, end), which is not empty; None if there is no such one.

        Times any milliseconds in that range, it is their price.
        """
        first, last = bisect_right(self._starts, start), bisect_left(self._starts, end)
        return self._amounts[first] if first == last else None

    def changes(self, start: int, end: int | None) -> list[tuple[int, int | None]]:
        """Return the price of an hour from `start` on and from each change before `end`; None without a rate."""
        first = bisect_right(self._starts, start)
        last = len(self._starts) if end is None else bisect_left(self._starts, end)
        return list(zip([start, *self._starts[first:last]], self._amounts[first : last + 1], strict=True))


def amount_of(product: int) -> int:
    """Minor units of a product of minor units and milliseconds, rounded half up."""
    return rounded_half_up(product, HOUR)
