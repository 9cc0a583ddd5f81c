"""Recalculates metrics when they are due: every minute a message an organization on the metrics queue.

The schedule writes nothing to the table, so one that dies, or overlaps the next, changes nothing: the rows of a message
no longer due is left as it is. See docs/decisions/fair-recalculation.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core import clock, ids
from chalicelib.core.contracts import Contract
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import emit, logger
from chalicelib.core.settings import settings
from chalicelib.dal.due_index import SHARDS
from chalicelib.jobs import queues, reconciliation
from chalicelib.metrics.recalculation import recalculate
from chalicelib.models import sleep
from chalicelib.models.dashboards import metric_states
from chalicelib.models.organizations import Sleep, StoredOrganization

MAX_ROWS = 100
"""Rows of a message: a batch read of them is one request, and no other organization waits for more than these."""
_AT_ONCE = 25
"""Rows that are evaluated together. Between two such lots the worker looks at its remaining time."""
_RESERVE_MS = 10_000
"""Time that a worker keeps for queueing the rest of its piece."""
_LEASE = timedelta(minutes=6)
"""Longer than a worker lives. A walk that died holds up the next one for so long."""


class Recalculation(Contract):
    """A message: a piece of the due rows (of `models.dashboards.metric_states`) of one organization."""

    kind: Literal["recalculate"] = "recalculate"
    organization_id: UUID
    rows: Annotated[list[str] | None, Field(description="None: all that are due, by a walk through all rows.")] = None
    walk: Annotated[UUID | None, Field(description="The walk that this message goes on with.")] = None
    after: Annotated[str | None, Field(description="The row behind which it goes on.")] = None
    sleep: Annotated[UUID | None, Field(description="The sleep from which the walk brings all rows back.")] = None


def tick() -> int:
    """Queue the due rows; return their number."""
    now = clock.now()
    count = 0
    due: dict[OrganizationId, list[str]] = {}
    for shard in range(SHARDS):
        for organization, row in metric_states.due(shard, now):
            count += 1
            rows = due.setdefault(organization, [])
            # One more than a message names says that there are more.
            if len(rows) <= MAX_ROWS:
                rows.append(row)
    _send(
        Recalculation(organization_id=organization, rows=rows if len(rows) <= MAX_ROWS else None)
        for organization, rows in due.items()
    )
    logger.info("metrics scheduled", extra={"rows": count, "organizations": len(due)})
    emit({"job": "scheduleMetrics"}, DueRows=count, DueOrganizations=len(due))
    return count


def work(message: Mapping[str, Any], remaining_ms: Callable[[], int]) -> None:
    """Recalculate the rows of a message. A repetition is harmless: rows that are no longer due are passed over."""
    piece = Recalculation.model_validate(message)
    used = sleep.load(OrganizationId(piece.organization_id))
    organization = used.organization
    asleep = organization.sleep
    if asleep is None and sleep.is_idle(used, clock.now()):
        asleep = _fall_asleep(organization)
        if asleep is None:
            # Another worker was first, or a request woke it at once: the next tick sees its new state.
            return
    if asleep is not None and not asleep.is_waking:
        _unlist(piece, organization.tenant, asleep)
    elif asleep is not None and piece.walk is None:
        # Its system metrics alone wake it: all the others come back with them.
        wakes = {"rows": None, "walk": asleep.id, "sleep": asleep.id}
        _walk(piece.model_copy(update=wakes), organization, remaining_ms)
    elif piece.rows is None:
        _walk(piece, organization, remaining_ms)
    else:
        left = _calculate(organization, piece.rows, remaining_ms)
        if left:
            _send([piece.model_copy(update={"rows": left})])


def _fall_asleep(organization: StoredOrganization) -> Sleep | None:
    asleep = sleep.fall_asleep(organization)
    if asleep is not None:
        logger.info("organization falls asleep", extra={"organization_id": str(organization.id)})
        emit({"job": "sleep"}, AsleepOrganizations=1)
    return asleep


def _unlist(piece: Recalculation, organization: OrganizationId, asleep: Sleep) -> None:
    """Instead of calculating rows, take them out of the index of due rows."""
    if piece.rows is not None:
        sleep.unlist(organization, asleep, piece.rows)
        return
    page = metric_states.read_page(organization, piece.after, MAX_ROWS)
    listed = [state.row for state in page.states if state.row not in page.unlisted]
    if sleep.unlist(organization, asleep, listed) and page.last is not None:
        _send([piece.model_copy(update={"after": page.last})])


def _walk(piece: Recalculation, organization: StoredOrganization, remaining_ms: Callable[[], int]) -> None:
    """One page of the rows; the next page is another message, so other organizations' messages come in between."""
    now = clock.now()
    walk = piece.walk or ids.new_id()
    # Every tick begins a walk while rows are due: two at once would only repeat each other's work.
    if not metric_states.hold_walk(organization.tenant, walk, now + _LEASE):
        logger.info("metrics left to the walk under way", extra={"organization_id": str(organization.id)})
        return
    page = metric_states.read_page(organization.tenant, piece.after, MAX_ROWS)
    rows = [state.row for state in page.states if state.due_at <= now]
    # Those that are due come back with their results.
    for row in page.unlisted - {*rows}:
        metric_states.relist(organization.tenant, row)
    left = _calculate(organization, rows, remaining_ms)
    after = page.last
    if left:
        names = [state.row for state in page.states]
        after = names[names.index(left[0]) - 1]
    if after is None:
        # A walk that began before this sleep has not brought back the rows before its position.
        if organization.sleep is not None and organization.sleep.id == piece.sleep:
            # No nightly reconciliation has seen the last writes before it slept.
            since = ids.created_at(organization.sleep.id) - reconciliation.NIGHTS
            reconciliation.schedule([organization.tenant], since=since, until=now)
            sleep.end(organization.tenant, organization.sleep)
        metric_states.end_walk(organization.tenant, walk)
    else:
        _send([piece.model_copy(update={"walk": walk, "after": after})])


def _calculate(organization: StoredOrganization, rows: Sequence[str], remaining_ms: Callable[[], int]) -> Sequence[str]:
    """Recalculate rows, lot by lot; the rows for which there is not enough time, never all of them."""
    longest = 0
    for start in range(0, len(rows), _AT_ONCE):
        began = remaining_ms()
        if start and began < 2 * longest + _RESERVE_MS:
            logger.info("metrics left to another message", extra={"rows": len(rows) - start})
            return rows[start:]
        done = recalculate(organization, rows[start : start + _AT_ONCE], clock.now(), only_due=True)
        longest = max(longest, began - remaining_ms())
        failed = sum(result.error is not None for result in done.results.values())
        logger.info(
            "metrics recalculated",
            extra={"organization_id": str(organization.id), "metrics": len(done.results), "failed": failed},
        )
        emit(
            {"job": "recalculateMetrics"},
            Metrics=len(done.results),
            FailedMetrics=failed,
            StatusChanges=done.changed_statuses,
        )
    return []


def _send(messages: Iterable[Recalculation]) -> None:
    queues.send(
        settings().metrics_queue_url, [message.model_dump(mode="json", exclude_none=True) for message in messages]
    )
