"""The functions of `app.py` that read the stream or work on a queue."""

from __future__ import annotations

from typing import Any

from infra.local.pump import Pump
from infra.local.queue import Worker
from infra.local.stack import Stack
from infra.local.stream import Consumer

CONSUMERS = ("consume_stream", "dispatch_stream")


def pump(app: Any, stack: Stack, **options: Any) -> Pump:
    """Return the pump that drives these functions; `options` are the Pump's."""
    return Pump(
        stack.engine,
        stack.table,
        consumers=[Consumer(name, getattr(app, name)) for name in CONSUMERS],
        workers=[
            Worker("deliver_mail", stack.mail_queue_url, app.deliver_mail),
            # In the template twenty; two let one organization pass another.
            Worker("record_activities", stack.feed_queue_url, app.record_activities, lanes=2),
            Worker("recalculate_metrics", stack.metrics_queue_url, app.recalculate_metrics),
        ],
        **options,
    )
