"""Sleep: an organization that nobody uses leaves the index of due metrics, and with it every schedule.

Use is noted on an item of its own. Sleep itself is stored on the organization's item, which every request reads anyway,
and its id guards each step of falling asleep and waking. See docs/decisions/sleep.md.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.core import clock, ids
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.expressions import Condition
from chalicelib.dal.item import Item
from chalicelib.dal.unit_of_work import MAX_WRITES, StaleRead, UnitOfWork, stale
from chalicelib.models import audit
from chalicelib.models.dashboards import metric_states
from chalicelib.models.organizations import ORGANIZATIONS, Sleep, StoredOrganization

MIN_IDLE = timedelta(hours=1)
MAX_IDLE = timedelta(days=7)

_SLEEP = Item.data["sleep"]


class UsedOrganization(NamedTuple):
    organization: StoredOrganization
    noted_at: datetime
    """The last use that was noted; the organization's creation where none was."""


def load(organization: OrganizationId) -> UsedOrganization:
    """An organization and its last noted use in one read; NOT_FOUND for an unknown one."""
    organization_key, use_key = ORGANIZATIONS.key(organization, organization), keys.use(organization)
    items = table.batch_get((organization_key, use_key))
    stored = StoredOrganization.of(items.get(organization_key), ORGANIZATIONS.entity)
    use = items.get(use_key)
    noted = stored.created_at if use is None or use.data is None else datetime.fromisoformat(use.data["notedAt"])
    return UsedOrganization(stored, noted)


def note_use(organization: OrganizationId) -> None:
    """One plain write: no transaction touches the item, so no request collides with another here."""
    table.update(
        keys.use(organization),
        [Item.data.set({"notedAt": clock.to_text(clock.now())}), Item.derived.set(1)],
    )


def is_idle(used: UsedOrganization, now: datetime) -> bool:
    """Return True after a time without use as long as its use before, at least an hour and at most a week."""
    created_at = used.organization.created_at
    if not _is_idle(created_at, used.noted_at, now):
        return False
    # Use is noted by the quarter of an hour; sign-ins and writes in between are in the audit log.
    written_at = audit.newest_at(used.organization.tenant)
    return written_at is None or _is_idle(created_at, written_at, now)


def _is_idle(created_at: datetime, used_at: datetime, now: datetime) -> bool:
    return now - used_at > min(max(used_at - created_at, MIN_IDLE), MAX_IDLE)


# -- falling asleep --------------------------------------------------------------------------------------------------


def fall_asleep(organization: StoredOrganization) -> Sleep | None:
    """Mark an organization as asleep; None when another worker did, or it was woken since. Its rows leave one by one.

    A request that uses it at this very moment finds it awake once more at most: the next one wakes it.
    """
    tenant = organization.tenant
    # Waking needs this row.
    metric_states.create_system_row(tenant, clock.now())
    sleep = Sleep(id=ids.new_id())
    mark = _SLEEP.set(table.encoded(sleep.model_dump(mode="json")))
    item = table.update(ORGANIZATIONS.key(tenant, tenant), [mark], Item.pk.exists() & _SLEEP.does_not_exist())
    return None if item is None else sleep


def unlist(organization: OrganizationId, sleep: Sleep, rows: Collection[str]) -> bool:
    """Take rows of an organization out of the index of due rows; False when it does not sleep that sleep any more."""
    present = sorted(metric_states.read(organization, rows))
    size = MAX_WRITES - 1
    for start in range(0, len(present), size):
        unit = UnitOfWork(organization)
        # Together with the rows: a request that wakes the organization meanwhile must find the index whole.
        unit.check(ORGANIZATIONS.key(organization, organization), _is(sleep, is_waking=False), stale)
        for row in present[start : start + size]:
            metric_states.unlist(unit, row)
        try:
            unit.commit()
        except StaleRead:
            return False
    return True


# -- waking ----------------------------------------------------------------------------------------------------------


def wake(organization: StoredOrganization, sleep: Sleep) -> bool:
    """Begin to wake: the system metrics are due at once, and their message brings back the rest.

    False when another request does at the same time. If that one fails, too, the next request tries again.
    """
    note_use(organization.tenant)
    unit = UnitOfWork(organization.tenant)
    # One transaction: an organization that is waking has a row in the index for certain, so a tick finds it.
    unit.update(
        ORGANIZATIONS.key(unit.organization, unit.organization),
        [_SLEEP["isWaking"].set(True)],
        _is(sleep, is_waking=False),
        stale,
    )
    metric_states.make_due(unit, metric_states.SYSTEM, clock.now())
    try:
        unit.commit()
    except ActionError as error:
        if error.code is not ErrorCode.CONFLICT:
            raise
        return False
    return True


def end(organization: OrganizationId, sleep: Sleep) -> bool:
    """End a sleep, with every row back in the index. False when another worker was first."""
    key = ORGANIZATIONS.key(organization, organization)
    return table.update(key, [_SLEEP.remove()], _is(sleep, is_waking=True)) is not None


def _is(sleep: Sleep, *, is_waking: bool) -> Condition:
    condition: Condition = (_SLEEP["id"] == str(sleep.id)) & (_SLEEP["isWaking"] == is_waking)
    return condition
