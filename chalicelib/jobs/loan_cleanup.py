"""Erases the items below a deleted loan or KPI, piece by piece on the metrics queue.

A delete takes the loan away for both sides in one transaction, so that nothing below it can be read any more. The
change of each side orders the erasure of its own partitions: it is completed however the request ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from chalicelib.core.contracts import Contract
from chalicelib.core.ids import OrganizationId
from chalicelib.core.settings import settings
from chalicelib.dal import keys as storage
from chalicelib.dal import table
from chalicelib.jobs import queues
from chalicelib.jobs.changes import Change, Kind
from chalicelib.models.loans import cleanup, keys
from chalicelib.models.loans.loans import LOANS


class LoanCleanup(Contract):
    """A message: everything below a loan of an organization, or below one of its KPIs."""

    kind: Literal["eraseLoan"] = "eraseLoan"
    organization_id: UUID
    loan_id: UUID
    kpi_id: UUID | None = None


def enqueue(change: Change) -> None:
    """Queue the erasure of the items below a loan or a KPI that was deleted."""
    if change.kind is not Kind.REMOVE:
        return
    entity = change.entity
    if entity is not None and entity.kind == LOANS.kind:
        _send(LoanCleanup(organization_id=entity.organization, loan_id=entity.id))
        return
    kpi = keys.kpi_of(change.key)
    # Those without tests have nothing below them: a loan that is deleted never had any.
    if kpi is not None and table.plain(change.old, "data").get("testCount"):
        organization = storage.organization_of(change.key.pk)
        _send(LoanCleanup(organization_id=organization, loan_id=kpi.loan, kpi_id=kpi.id))


def work(message: Mapping[str, Any]) -> None:
    """Erase one piece; the rest is another message. Twice is as good as once."""
    piece = LoanCleanup.model_validate(message)
    if not cleanup.erase(OrganizationId(piece.organization_id), piece.loan_id, piece.kpi_id):
        _send(piece)


def _send(message: LoanCleanup) -> None:
    queues.send(settings().metrics_queue_url, [message.model_dump(mode="json", exclude_none=True)])
