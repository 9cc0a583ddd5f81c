"""Rate limits: at most so many uses in any window of a given length, for one subject and one purpose.

A subject is an e-mail address, a source address or an organization. Uses are counted in slots, a fifteenth of the
window each, and the slots that a window can touch are added up: no window of that length ever holds more than the
quota. A use is reserved by a conditional write *before* the work it pays for, so parallel requests get no more than
sequential ones; it may be given back afterwards. See docs/decisions/limits.md.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from pynamodb.expressions.update import Action

from chalicelib.core import clock, ids
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.core.ids import NO_ORGANIZATION, OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork, pause, stale

SLOTS = 15
"""A use counts for one window and at most one slot more: the price of counting by slots."""

_TRIES = 12
"""A try fails only because others took the last use, began a slot or forgot all uses at the same time; that can be as
many as the smallest quota lets in at once."""
_LONGEST_PAUSE = 4
"""Pauses stop doubling there: nobody waits for seconds to sign in."""

_DATA = Item.data


class Limit(NamedTuple):
    """`name` is its name in headers and keys: lower-case letters and dashes."""

    name: str
    quota: int
    seconds: int
    refusal: str = "too many attempts"

    def of_address(self, address: str) -> Allowance:
        return Allowance(self, keys.limit_of_address(address, self.name))

    def of_source(self, source: str) -> Allowance:
        return Allowance(self, keys.limit_of_source(source, self.name))

    def of_organization(self, organization: OrganizationId) -> Allowance:
        return Allowance(self, keys.limit_of_organization(organization, self.name))

    def slot_at(self, milliseconds: int) -> int:
        return milliseconds * SLOTS // (self.seconds * 1000)

    def start_of(self, slot: int) -> float:
        """Return the beginning of a window, in seconds since 1970."""
        return slot * self.seconds / SLOTS


class Allowance(NamedTuple):
    """A limit as it applies to one subject."""

    limit: Limit
    key: Key


@dataclass(frozen=True)
class Usage:
    """The used part of an allowance, at the instant of the read."""

    allowance: Allowance
    now: int
    """Milliseconds since 1970."""
    version: int | None
    """Return the usage in a stored item; None where there is none."""
    origin: str
    """New whenever all uses are forgotten: a use that was forgotten is not given back once more."""
    head: int
    """The newest slot. A clock that runs behind counts into it."""
    slots: tuple[tuple[int, int], ...] = ()
    """The slots that still count, oldest first, with their uses. The stored item has their sum, too, as `used`."""

    @property
    def limit(self) -> Limit:
        return self.allowance.limit

    @property
    def used(self) -> int:
        return sum(uses for _, uses in self.slots)

    @property
    def left(self) -> int:
        return max(0, self.limit.quota - self.used)

    @property
    def seconds_to_room(self) -> int:
        """Return the seconds until uses end to count; 0 where none counts."""
        for slot, uses in self.slots:
            if uses:
                return max(1, math.ceil(self.limit.start_of(slot + SLOTS + 1) - self.now / 1000))
        return 0

    def plus(self, uses: int) -> Usage:
        """Return the usage with more uses in the newest slot."""
        slots = dict(self.slots)
        slots[self.head] = max(0, slots.get(self.head, 0) + uses)
        return replace(self, slots=tuple(slots.items()))


class Use(NamedTuple):
    """One reserved use."""

    usage: Usage
    """The uses, with this one."""

    @property
    def slot(self) -> int:
        return self.usage.head


class RateLimited(ActionError):
    def __init__(self, usage: Usage) -> None:
        # Where others took uses in between, there may be room.
        seconds = 1 if usage.left else max(1, usage.seconds_to_room)
        super().__init__(
            ErrorCode.RATE_LIMITED,
            f"{usage.limit.refusal}; try again in {seconds} s",
            retry_after_seconds=seconds,
        )
        self.usage = usage


def read(allowance: Allowance, item: Item | None) -> Usage:
    """The usage that a stored item holds, without the slots that have passed."""
    now = clock.milliseconds(clock.now())
    current = allowance.limit.slot_at(now)
    if item is None or item.data is None:
        return Usage(allowance, now, None, str(ids.new_id()), current)
    head = max(current, int(item.data["head"]))
    slots = sorted((int(slot), int(uses)) for slot, uses in item.data["slots"].items())
    return Usage(
        allowance,
        now,
        int(item.version or 0),
        item.data["origin"],
        head,
        tuple((slot, uses) for slot, uses in slots if slot >= head - SLOTS),
    )


def load(*allowances: Allowance) -> list[Usage]:
    """Read the uses of limits in one round trip, strongly consistent."""
    items = table.batch_get(allowance.key for allowance in allowances)
    return [read(allowance, items.get(allowance.key)) for allowance in allowances]


def take(*usages: Usage) -> list[Use]:
    """Reserve one use of each, all or none, apart from any unit of work; RATE_LIMITED when one has none left.

    One round trip where the usages just read are still right. It fails closed: when others keep coming in between,
    that is RATE_LIMITED too.
    """
    for tried in range(_TRIES):
        if tried > 1:
            pause(min(tried, _LONGEST_PAUSE))
        unit = UnitOfWork(NO_ORGANIZATION)
        uses = [take_in(unit, usage) for usage in usages]
        try:
            unit.commit()
        except StaleRead:
            usages = tuple(load(*(usage.allowance for usage in usages)))
        else:
            return uses
    raise RateLimited(usages[0])


def take_in(unit: UnitOfWork, usage: Usage) -> Use:
    """Reserve one use in the unit's own transaction: it counts exactly when the rest of the unit does.

    RATE_LIMITED when `usage`, which the request has just read, leaves none; stale when that is no longer right.
    """
    if not usage.left:
        raise RateLimited(usage)
    key, slot = usage.allowance.key, str(usage.head)
    if usage.head in dict(usage.slots):
        # Within a slot, takers do not collide: each adds to the sum as long as that is below the quota.
        uses, used = _DATA["slots"][slot], _DATA["used"]
        add = [uses.set(uses + 1), used.set(used + 1), Item.version.add(1)]
        # A use that went into another life of the item could not be given back.
        same = (_DATA["head"] == usage.head) & (_DATA["origin"] == usage.origin)
        unit.update(key, add, same & (used < usage.limit.quota), stale)
    else:
        unchanged = Item.pk.does_not_exist() if usage.version is None else Item.version == usage.version
        unit.upsert(key, _begin_slot(usage), unchanged)
    return Use(usage.plus(1))


def give_back(*uses: Use) -> None:
    """Undo reservations. Without effect on one that no longer counts: its slot has passed, or all was forgotten."""
    for use in uses:
        unit = UnitOfWork(NO_ORGANIZATION)
        slot, used = _DATA["slots"][str(use.slot)], _DATA["used"]
        unit.update(
            use.usage.allowance.key,
            [slot.set(slot - 1), used.set(used - 1), Item.version.add(1)],
            (slot > 0) & (_DATA["origin"] == use.usage.origin),
            stale,
        )
        with contextlib.suppress(StaleRead):
            unit.commit()


def forget(unit: UnitOfWork, allowance: Allowance) -> None:
    """Give back every use of the subject, in the unit's own transaction.

    The item stays: if it went, those who take a use at the same time would collide over making it anew.
    """
    unit.upsert(allowance.key, _begin_slot(read(allowance, None), uses=0))


def _begin_slot(usage: Usage, uses: int = 1) -> list[Action]:
    """Drops the slots that have passed, so that the item stays small: at most `SLOTS` + 1 of them."""
    slots = {**{str(slot): before for slot, before in usage.slots if before}, str(usage.head): uses}
    data = {"head": usage.head, "slots": slots, "used": sum(slots.values()), "origin": usage.origin}
    ends = math.ceil(usage.limit.start_of(usage.head + SLOTS + 1))
    return [_DATA.set(table.encoded(data)), Item.version.add(1), Item.ttl.set(ends), Item.derived.set(1)]
