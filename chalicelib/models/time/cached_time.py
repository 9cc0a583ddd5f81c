"""Cached time of a user: copies of what their analyses read, so that one takes two requests. Exact at any time.

- A month by its key is half a read unit, however small. So the months of a year are also copied into one item, which
  is billed by its bytes, each with the account's version of its last change. The account says which version a month
  has, so a copy of another version is not used: that month is read by its key.
- The index of a user says which months are copied in which version, so that an analysis knows which items to read. It
  has the rates and names that they needed, with the versions that rates and names had: see `models.labels`.

An analysis caches all else that it reads, for the next one. Nothing but the price of an analysis depends on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from chalicelib.core.contracts import Contract
from chalicelib.core.errors import ActionError
from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import Money
from chalicelib.core.observability import described, logger
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.models import labels
from chalicelib.models.staffing.attributes import SPANS
from chalicelib.models.time import accounts, packed_months, rates, timers
from chalicelib.models.time.projects import PROJECTS, StoredProject
from chalicelib.models.time.rates import Level

RatesByLevel = Mapping[str, Mapping[date, Money]]

_EXPIRY = timedelta(days=90)
_READ_UNIT = 4096
_MAX_YEAR_BYTES = 300_000
"""Limit of the copy of a year; an item holds 400 KB."""
_MAX_LABELS = 400
"""Rates and names in an index: some 30 KB."""
_WORTHWHILE = 3
"""Months that were read by their keys, from which on the copy of their year is made anew."""
_RATES_OF_A_UNIT = 20
"""Rates that a query reads for one read unit; a level by its key is one, too."""


class CopiedMonth(Contract):
    version: int
    bytes: int


class ProjectLabel(Contract):
    """Name and client of a project, which groups of its time show."""

    name: str
    client_id: UUID | None = None

    @classmethod
    def of(cls, project: StoredProject) -> ProjectLabel:
        return cls(name=project.name, client_id=project.client_id)


class _Index(Contract):
    months: Mapping[str, CopiedMonth] = {}
    rates_version: int = 0
    names_version: int = 0
    rates: Mapping[str, Mapping[date, Money]] = {}
    """Rates by the name of their level; empty for a level that has none."""
    projects: Mapping[UUID, ProjectLabel] = {}


class _Month(NamedTuple):
    version: int
    packed: bytes


def keys_of(organization: OrganizationId, user: UUID) -> list[Key]:
    """Return the keys that an analysis of the user's time reads first."""
    return [accounts.key(organization, user), timers.key(organization, user), _key(organization, user)]


def _key(organization: OrganizationId, user: UUID, year: str = "") -> Key:
    """Return the key of the copy of a year, or of the index."""
    return keys.cached(organization, hashlib.sha256(f"time {user} {year}".encode()).hexdigest())


class UserTime:
    """One user's time, rates and names, as one analysis reads them."""

    def __init__(self, organization: OrganizationId, user: UUID) -> None:
        """Read the account, the timer and the index at once, strongly consistent."""
        account_key, timer_key, index_key = keys_of(organization, user)
        items = table.batch_get([account_key, timer_key, index_key])
        self._organization, self.user = organization, user
        self.account = accounts.of(user, items, organization)
        self.timer = timers.of(items.get(timer_key))
        self._stored_index = self._index = _index_of(items.get(index_key))
        self._new_copies: list[Item] = []

    # -- months --------------------------------------------------------------------------------------------------------

    def months(self, requested: Iterable[str]) -> dict[str, bytes]:
        """Return packed months as they are now, those that have sessions. One request, unless somebody wrote just now.

        The reads are eventually consistent: an item that is older than the account says is read again.
        """
        current = {label: self.account.months[label] for label in requested if label in self.account.months}
        copied = {label for _, of_year in _by_year(current) for label in self._worth_a_copy(of_year)}
        month_keys = {label: packed_months.key(self._organization, label, self.user) for label in current}
        year_keys = {year: _key(self._organization, self.user, year) for year, _ in _by_year(copied)}
        by_key = [month_keys[label] for label in current if label not in copied]
        items = table.batch_get([*by_key, *year_keys.values()], consistent=False)
        copies = {year: _unpacked(items.get(key)) for year, key in year_keys.items()}
        valid = {
            label: month
            for copy in copies.values()
            for label, month in copy.items()
            if self.account.months.get(label) == month.version
        }
        read = {label: _month(items[key]) for label, key in month_keys.items() if key in items}
        read = {label: month for label, month in read.items() if month.version >= current[label]}
        missing = {key: label for label, key in month_keys.items() if label not in read.keys() | valid.keys()}
        # A month that has gone meanwhile has no sessions any more.
        read.update((missing[key], _month(item)) for key, item in table.batch_get(missing).items())
        for year, of_year in _by_year(read):
            if len(of_year) >= _WORTHWHILE or (year in copies and any(label in copied for label in of_year)):
                others = {label: month for label, month in valid.items() if label.startswith(year)}
                self._copy(year, {**others, **{label: read[label] for label in of_year}})
        months = {**{label: month for label, month in valid.items() if label in current}, **read}
        return {label: months[label].packed for label in sorted(months)}

    def _worth_a_copy(self, of_year: list[str]) -> list[str]:
        """Return those months of one year that its copy has, if it costs less than they do by their keys."""
        in_copy = {label: month for label, month in self._index.months.items() if label[:4] == of_year[0][:4]}
        usable = [label for label in of_year if label in in_copy]
        usable = [label for label in usable if in_copy[label].version == self.account.months[label]]
        cost = _units(sum(month.bytes for month in in_copy.values()))
        return usable if cost < sum(_units(in_copy[label].bytes) for label in usable) else []

    def _copy(self, year: str, months: Mapping[str, _Month]) -> None:
        """Make the copy of a year anew, or give it up where it saves little."""
        sizes = {label: len(month.packed) for label, month in months.items()}
        others = {label: month for label, month in self._index.months.items() if not label.startswith(year)}
        copied: dict[str, CopiedMonth] = {}
        whole, by_key = sum(sizes.values()), sum(map(_units, sizes.values()))
        if whole <= _MAX_YEAR_BYTES and 2 * _units(whole) <= by_key:
            copied = {label: CopiedMonth(version=months[label].version, bytes=sizes[label]) for label in sorted(months)}
            data = {label: month.model_dump(mode="json") for label, month in copied.items()}
            item = Item(*_key(self._organization, self.user, year), data=data)
            item.set({SPANS.attr_name: b"".join(months[label].packed for label in copied)})
            self._new_copies.append(item)
        if copied or len(others) < len(self._index.months):
            self._index = self._index.model_copy(update={"months": {**others, **copied}})

    # -- rates and names -----------------------------------------------------------------------------------------------

    def labels(
        self, levels: Iterable[Level], projects: Iterable[UUID], rate_count: int
    ) -> tuple[RatesByLevel, Mapping[UUID, ProjectLabel]]:
        """Return rates by level, and projects by id; one round trip at most.

        `rate_count`: how many rates the organization has. Reads are strongly consistent: what they give is cached.
        """
        organization, index = self._organization, self._index
        versions = labels.of(table.get(labels.key(organization)))
        known_rates = index.rates if index.rates_version == versions.rates else {}
        known_projects = index.projects if index.names_version == versions.names else {}
        level_keys = {level.key(organization): level.name for level in levels if level.name not in known_rates}
        # Where the version never moved, no rate was ever set.
        level_keys = level_keys if versions.rates else {}
        project_keys = [PROJECTS.key(organization, project) for project in projects if project not in known_projects]
        by_query = bool(level_keys) and rate_count <= _RATES_OF_A_UNIT * len(level_keys)
        by_key = [*project_keys, *(() if by_query else level_keys)]
        reads: list[Callable[[], Mapping[Any, Any]]] = [partial(table.batch_get, by_key)]
        if by_query:
            reads.append(partial(rates.read_all, organization, consistent=True))
        items, *queried = table.together(reads)
        by_level = queried[0] if queried else rates.rates_in(organization, items)
        records = (PROJECTS.record.of(items.get(key), PROJECTS.entity) for key in project_keys)
        all_rates = {**known_rates, **{name: by_level.get(name, {}) for name in level_keys.values()}}
        all_projects = {**known_projects, **{record.id: ProjectLabel.of(record) for record in records}}
        if (level_keys or project_keys) and len(all_rates) + len(all_projects) <= _MAX_LABELS:
            at = {"rates_version": versions.rates, "names_version": versions.names}
            self._index = index.model_copy(update={**at, "rates": all_rates, "projects": all_projects})
        return all_rates, all_projects

    # -- cache ---------------------------------------------------------------------------------------------------------

    def cache(self, now: datetime) -> None:
        """Write what was read anew, in one round trip. Where the store does not take it, that is logged."""
        if self._index is self._stored_index:
            return
        index = Item(*_key(self._organization, self.user), data=self._index.model_dump(mode="json"))
        items = [index, *self._new_copies]
        for item in items:
            item.set({"derived": 1, "ttl": int((now + _EXPIRY).timestamp())})
        try:
            table.together([partial(table.put, item) for item in items])
        except ActionError as error:  # the answer is there all the same, and the next one reads as much again
            logger.warning("the time of a user was not cached", extra=described(error))


def _index_of(item: Item | None) -> _Index:
    try:
        return _Index() if item is None else _Index.model_validate(item.data)
    except ValidationError:  # cached by another release of this code: it is made anew
        return _Index()


def _by_year(months: Iterable[str]) -> list[tuple[str, list[str]]]:
    return [(year, [*of_year]) for year, of_year in groupby(sorted(months), lambda label: label[:4])]


def _units(size: int) -> int:
    """Return the read units of an item of so many bytes."""
    return max(1, -(-size // _READ_UNIT))


def _month(item: Item) -> _Month:
    return _Month(int(item.version or 0), item.value(SPANS) or b"")


_COPIED = TypeAdapter(dict[str, CopiedMonth])
"""The months in the copy of a year, which has their bytes one behind the other."""


def _unpacked(item: Item | None) -> dict[str, _Month]:
    """Return the months in the copy of a year."""
    if item is None:
        return {}
    months: dict[str, _Month] = {}
    offset, packed = 0, item.value(SPANS) or b""
    try:
        for label, month in sorted(_COPIED.validate_python(item.data).items()):
            months[label] = _Month(month.version, packed[offset : offset + month.bytes])
            offset += month.bytes
    except ValidationError:  # likewise
        return {}
    return months
