"""Long lists: page lists that were refused for their length, so that the next refusal need not count their rows.

To know that there are more than 10,000 rows is to read 10,001 of them, as much as the longest list costs. So a refusal
is remembered on the organization's item, which every request reads anyway, until something is deleted or some time has
passed: the next ones cost no read of their own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.core import clock
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.item import Document, Item, attribute
from chalicelib.dal.page_lists import TooManyRows
from chalicelib.models.organizations import ORGANIZATIONS, StoredOrganization

LASTING = timedelta(minutes=15)
"""The time for lists that only deletes shorten. A row that goes while they are counted is missed for so long."""
PASSING = timedelta(minutes=1)
"""The time for lists that a change shortens, too, or the clock: at most as long as a metric's result is valid."""

_MAX_LISTS = 20
"""Lists that an organization remembers: a kilobyte, of the four that are read at the same price."""
_LONG_LISTS = attribute("long_lists", Document())


@contextlib.contextmanager
def remembered(
    organization: StoredOrganization, name: str, cursor_list: str, now: datetime, lasts: timedelta = LASTING
) -> Iterator[None]:
    """Refuse a list that was too long a short time ago, else remember that the block refuses it.

    `name`: of the rows that are counted; `cursor_list`: the list that goes on.
    """
    digest = keys.digest(name)[:16]
    until = organization.long_lists.get(digest)
    if until is not None and now < until:
        raise TooManyRows(cursor_list)
    try:
        yield
    except TooManyRows:
        known = sorted((end, list_) for list_, end in organization.long_lists.items() if end > now and list_ != digest)
        lists = {list_: end for end, list_ in known[1 - _MAX_LISTS :]} | {digest: now + lasts}
        stored = {list_: clock.to_text(end) for list_, end in lists.items()}
        _update(organization.tenant, stored)
        raise


def forget(organization: StoredOrganization) -> None:
    """Let lists be counted again, because one of their rows may go."""
    if organization.long_lists:
        _update(organization.tenant, {})


def _update(organization: OrganizationId, lists: dict[str, str]) -> None:
    key = ORGANIZATIONS.key(organization, organization)
    table.update(key, [_LONG_LISTS.set(table.encoded(lists))], Item.pk.exists())
