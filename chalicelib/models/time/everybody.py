"""Everybody's time: the packed months of all users, as exact as those of one.

Their accounts say which months there are, in which version, and who has a timer. So the months are read with eventual
consistency, for half the price, and what is older than its account says is read again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.models.staffing.attributes import SPANS
from chalicelib.models.time import accounts, packed_months, rates, timers, tracked
from chalicelib.models.time.cached_time import RatesByLevel
from chalicelib.models.time.timers import Timer
from chalicelib.models.time.tracked import TrackedGroup

_SETTLED_AFTER = timedelta(minutes=1)


class EverybodysTime:
    def __init__(self, organization: OrganizationId) -> None:
        """Read the accounts, strongly consistent. They are some hundred bytes a user."""
        self._organization = organization
        self._accounts = {account.user_id: account for account in accounts.read_all(organization)}

    @property
    def version(self) -> str:
        """Return what any change of anybody's sessions changes, and any start of a timer."""
        versions = sorted((str(user), account.version) for user, account in self._accounts.items())
        return hashlib.sha256(json.dumps(versions).encode()).hexdigest()

    def is_settled(self, now: datetime) -> bool:
        """Return True if nobody tracks time at the moment: figures will likely be the same a minute from now."""
        changes = [account.modified_at for account in self._accounts.values() if account.modified_at is not None]
        has_timer = any(account.has_timer for account in self._accounts.values())
        return not has_timer and all(at < now - _SETTLED_AFTER for at in changes)

    def read(self, start: int, end: int, now: datetime) -> tuple[list[TrackedGroup], RatesByLevel]:
        """Return the time that can overlap [start, end), in seconds since 1970, and the rates of all levels."""
        labels = tracked.labels_of(start, end)
        reads: list[Any] = [
            partial(self._months, labels),
            partial(rates.read_all, self._organization, consistent=True),
        ]
        if running := [user for user, account in self._accounts.items() if account.has_timer]:
            reads.append(partial(self._timers, running))
        months, rates_by_level, *further = table.together(reads)
        groups: list[TrackedGroup] = []
        for (label, user), packed in months.items():
            groups += tracked.of_packed(user, {label: packed}, None, now)
        for timer in further[0] if further else ():
            groups += tracked.of_packed(timer.user_id, {}, timer, now)
        return groups, rates_by_level

    def _months(self, labels: list[str]) -> dict[tuple[str, UUID], bytes]:
        months: dict[tuple[str, UUID], bytes] = {}
        for month in tracked.packed_of_all(self._organization, labels[0], labels[-1]):
            if month.version >= self._least_version(month.label, month.user):
                months[month.label, month.user] = month.packed
        missing = {
            packed_months.key(self._organization, label, user): (label, user)
            for user, account in self._accounts.items()
            for label in labels
            if label in account.months and (label, user) not in months
        }
        for key, item in table.batch_get(missing).items():
            months[missing[key]] = item.value(SPANS) or b""
        return months

    def _least_version(self, label: str, user: UUID) -> int:
        """Return the version that a month has at least, if it is not from before a change that the account knows."""
        account = self._accounts.get(user)
        if account is None:
            return 1
        return account.months.get(label, account.version + 1)

    def _timers(self, users: list[UUID]) -> Iterator[Timer]:
        items = table.batch_get(timers.key(self._organization, user) for user in users)
        return (timer for timer in map(timers.of, items.values()) if timer is not None)
