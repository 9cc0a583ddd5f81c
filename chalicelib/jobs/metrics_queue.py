"""The metrics queue: work that takes longer than a stream or a schedule may, with retries and a dead letter."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.jobs import (
    activity_reconciliation,
    batches,
    budgets,
    loan_cleanup,
    recalculation,
    reconciliation,
    redrive,
    repricing,
    user_erasure,
)

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

_WORKERS: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
    "checkBudgets": budgets.work,
    "eraseLoan": loan_cleanup.work,
    "eraseUser": user_erasure.work,
    "reconcile": reconciliation.work,
    "reconcileActivities": activity_reconciliation.work,
    "redrive": redrive.work,
    "reprice": repricing.work,
}
"""Handlers by kind of message. Each has one effect however often it runs, and does a bounded piece of work."""


def work(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A batch of queue messages; returns the messages to deliver again."""
    return batches.process("SQS", _handle, event, context)


def _handle(record: SQSRecord, lambda_context: Any) -> None:
    message = json.loads(record.body)
    if message["kind"] == "recalculate":
        # The only work whose length depends on the users' metrics.
        recalculation.work(message, lambda_context.get_remaining_time_in_millis)
    else:
        _WORKERS[message["kind"]](message)
