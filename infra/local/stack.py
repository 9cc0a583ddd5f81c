"""The stack in a local engine: table, queues, sender, and the environment that the app reads."""

from __future__ import annotations

from dataclasses import dataclass

from infra.local.engine import ACCOUNT, Engine
from infra.local.table import create_queue, ensure_table
from infra.local.template import properties

SENDER = "no-reply@workledger.example"
FEED_QUEUE, MAIL_QUEUE, METRICS_QUEUE = QUEUES = ("FeedQueue", "MailQueue", "MetricsQueue")
"""Their logical ids in the template."""


@dataclass(frozen=True)
class Stack:
    engine: Engine
    table: str

    @property
    def feed_queue_url(self) -> str:
        return self._queue_url(FEED_QUEUE)

    @property
    def mail_queue_url(self) -> str:
        return self._queue_url(MAIL_QUEUE)

    @property
    def metrics_queue_url(self) -> str:
        return self._queue_url(METRICS_QUEUE)

    def _queue_url(self, resource: str) -> str:
        return f"{self.engine.services_endpoint}/{ACCOUNT}/{self.queue_name(resource)}"

    def queue_name(self, resource: str) -> str:
        suffix = ".fifo" if properties(resource).get("FifoQueue") else ""
        return f"{self.table}-{resource.removesuffix('Queue').lower()}{suffix}"

    def environment(self) -> dict[str, str]:
        """Return all variables that the app reads. Set them before importing `app`: it creates its client at import."""
        return self.engine.environment() | {
            "LOG_LEVEL": "INFO",
            "POWERTOOLS_METRICS_DISABLED": "true",
            "POWERTOOLS_METRICS_NAMESPACE": "Workledger",
            "POWERTOOLS_SERVICE_NAME": "workledger-api",
            "POWERTOOLS_TRACE_DISABLED": "true",
            "WORKLEDGER_ABUSE_CONTACT": "abuse@workledger.example",
            "WORKLEDGER_CORS_ORIGIN": "*",
            # All requests come from one address here.
            "WORKLEDGER_LIMITS_BY_SOURCE": "false",
            "WORKLEDGER_FEED_QUEUE_URL": self.feed_queue_url,
            "WORKLEDGER_MAIL_FROM": SENDER,
            "WORKLEDGER_MAIL_QUEUE_URL": self.mail_queue_url,
            "WORKLEDGER_METRICS_QUEUE_URL": self.metrics_queue_url,
            "WORKLEDGER_STAGE": "local",
            "WORKLEDGER_TABLE": self.table,
            "WORKLEDGER_TRACING": "false",
        }


def build(engine: Engine, name: str = "workledger-local") -> Stack:
    """Create the missing parts. Raises TableDiffers if the engine has a table of another shape under that name."""
    ensure_table(engine.client("dynamodb"), name)
    stack = Stack(engine, name)
    create_services(stack)
    return stack


def create_services(stack: Stack) -> None:
    """Create the queues and the sender."""
    sqs = stack.engine.client("sqs")
    for resource in QUEUES:
        create_queue(sqs, resource, stack.queue_name(resource))
    stack.engine.client("sesv2").create_email_identity(EmailIdentity=SENDER)
