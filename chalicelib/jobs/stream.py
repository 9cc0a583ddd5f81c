"""The stream's main consumer: rollups, re-pricing and budgets. Mail and activities are handed on by `dispatch`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.core.observability import log_error, logger
from chalicelib.jobs import budgets, loan_cleanup, repricing, rollups, user_erasure
from chalicelib.jobs.changes import Change, Changes
from chalicelib.jobs.deadline import Deadline


def consume(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Carry on a batch of stream records; returns the partial batch response with the records to deliver again.

    Every handler gets every change, even where an earlier one failed. Before the time is over, a batch ends by
    itself and reports the rest: a function that is killed would repeat all of it.
    """
    deadline = Deadline(context)
    changes: dict[str, Change] = {}
    failed: set[str] = set()
    numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
    for number, record in zip(numbers, event["Records"], strict=True):
        try:
            changes[number] = Change.of(record)
        except Exception as error:  # noqa: BLE001  logged, and delivered again
            log_error("a change cannot be read", error, stream_sequence_number=number)
            failed.add(number)
    for handler in _HANDLERS:
        failed |= handler(changes, deadline)
    if deadline.is_over():
        logger.warning("out of time", extra={"records": len(numbers), "left": len(failed)})
    # Lambda goes on from the first of them.
    return {"batchItemFailures": [{"itemIdentifier": number} for number in dict.fromkeys(numbers) if number in failed]}


Handler = Callable[[Changes, Deadline], set[str]]
"""Carries on a batch, and returns the changes to deliver again."""


def one_by_one(handle: Callable[[Change], None]) -> Handler:
    """A handler of single changes, of which those that fail keep no other from being handled."""

    def handle_all(changes: Changes, deadline: Deadline) -> set[str]:
        failed: set[str] = set()
        for number, change in changes.items():
            if deadline.is_over():
                failed.add(number)
                continue
            try:
                handle(change)
            except Exception as error:  # noqa: BLE001  logged, and delivered again
                log_error("change not carried on", error, stream_sequence_number=number)
                failed.add(number)
        return failed

    return handle_all


_HANDLERS: Sequence[Handler] = (
    one_by_one(repricing.enqueue),
    budgets.enqueue,
    one_by_one(loan_cleanup.enqueue),
    one_by_one(user_erasure.enqueue),
    rollups.roll_up,
)
"""Handlers in their order: costly ones last, so that they hold up nothing else. Each passes over foreign changes, and
has one effect however often it sees a change."""
