"""Prices of tracked time: by the most specific level that has a rate on the local day, in the organization's zone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import date
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import Money
from chalicelib.core.pricing import RateTimeline
from chalicelib.models.organizations import StoredOrganization
from chalicelib.models.time import rates
from chalicelib.models.time.rates import Level
from chalicelib.models.time.spans import Seconds

_BEFORE_ALL = -(10**14)
"""Milliseconds since 1970, before every rate."""


def levels_of(organization: OrganizationId, user: UUID, project: UUID | None) -> list[Level]:
    """Return the levels whose rates can price the time of a user on a project, the most specific first."""
    levels = [rates.of_user(user), rates.of_organization(organization)]
    if project is not None:
        levels = [rates.of_member(project, user), rates.of_project(project), *levels]
    return levels


class Pricer:
    """Prices spans of time. Amounts are exact, in minor units × milliseconds, so that they add up before rounding."""

    def __init__(self, organization: StoredOrganization, rates_by_level: Mapping[str, Mapping[date, Money]]) -> None:
        self._organization = organization
        self.currency = organization.currency
        self._rates = rates_by_level
        self._timelines: dict[tuple[UUID, UUID | None], tuple[list[int], list[int | None]]] = {}

    def price(self, user: UUID, project: UUID | None, spans: Seconds) -> tuple[int, int]:
        """Return the product for `core.pricing.amount_of`, and the seconds that no rate prices."""
        starts, amounts = self._timeline(user, project)
        product = unpriced = 0
        for low, high in spans:
            since, end = low * 1000, high * 1000
            place = bisect_right(starts, since) - 1
            while since < end:
                until = min(end, starts[place + 1]) if place + 1 < len(starts) else end
                amount = amounts[place]
                if amount is None:
                    unpriced += until - since
                else:
                    product += amount * (until - since)
                since, place = until, place + 1
        return product, unpriced // 1000

    def changes(self, user: UUID, project: UUID | None, start: int, end: int | None) -> list[tuple[int, int | None]]:
        """Return the price of an hour from `start` on and from each change before `end`, in milliseconds since 1970.

        None where no rate prices the time.
        """
        starts, amounts = self._timeline(user, project)
        first = bisect_right(starts, start) - 1
        last = len(starts) if end is None else bisect_left(starts, end)
        return [(max(start, at), amount) for at, amount in zip(starts[first:last], amounts[first:last], strict=True)]

    def _timeline(self, user: UUID, project: UUID | None) -> tuple[list[int], list[int | None]]:
        """Return the instants at which the price of an hour changes, and the prices from there on; None for none."""
        if (user, project) not in self._timelines:
            zone, currency = self._organization.timezone, self._organization.currency
            changes = [
                RateTimeline(stored, zone=zone, currency=currency).changes(_BEFORE_ALL, None)
                for level in levels_of(self._organization.tenant, user, project)
                if (stored := self._rates.get(level.name)) is not None
            ]
            starts = sorted({_BEFORE_ALL, *(at for level_changes in changes for at, _ in level_changes)})
            current: list[int | None] = [None] * len(changes)
            by_start = [dict(level_changes) for level_changes in changes]
            amounts: list[int | None] = []
            for at in starts:
                current = [level.get(at, held) for level, held in zip(by_start, current, strict=True)]
                amounts.append(next((amount for amount in current if amount is not None), None))
            self._timelines[user, project] = starts, amounts
        return self._timelines[user, project]
