"""What the app stands on, made in an engine: table, queues, sender; and the environment that tells the app so."""

from __future__ import annotations

from dataclasses import dataclass

from infra.local.engine import Engine
from infra.local.table import create_queue, ensure_table

SENDER = "no-reply@workledger.example"


@dataclass(frozen=True)
class Stack:
    engine: Engine
    table: str
    mail_queue_url: str
    metrics_queue_url: str

    def environment(self) -> dict[str, str]:
        """Everything the app reads. The table's client is made at import: set this before importing `app`."""
        return self.engine.environment() | {
            "LOG_LEVEL": "INFO",
            "POWERTOOLS_METRICS_DISABLED": "true",
            "POWERTOOLS_METRICS_NAMESPACE": "Workledger",
            "POWERTOOLS_SERVICE_NAME": "workledger-api",
            "POWERTOOLS_TRACE_DISABLED": "true",
            "WORKLEDGER_CORS_ORIGIN": "*",
            "WORKLEDGER_MAIL_FROM": SENDER,
            "WORKLEDGER_MAIL_QUEUE_URL": self.mail_queue_url,
            "WORKLEDGER_METRICS_QUEUE_URL": self.metrics_queue_url,
            "WORKLEDGER_STAGE": "local",
            "WORKLEDGER_TABLE": self.table,
            "WORKLEDGER_TRACING": "false",
        }


def build(engine: Engine, name: str = "workledger-local") -> Stack:
    """Raises TableDiffers when the engine kept a table of another shape under that name."""
    ensure_table(engine.client("dynamodb"), name)
    sqs = engine.client("sqs")
    mail = create_queue(sqs, "MailQueue", f"{name}-mail")
    metrics = create_queue(sqs, "MetricsQueue", f"{name}-metrics")
    engine.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    return Stack(engine, name, mail, metrics)
