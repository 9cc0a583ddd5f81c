"""What the app stands on, made in an engine: table, mail queue, sender; and the environment that tells the app so."""

from __future__ import annotations

from dataclasses import dataclass

from infra.local.engine import Engine
from infra.local.table import create_mail_queue, ensure_table

SENDER = "no-reply@workledger.example"


@dataclass(frozen=True)
class Stack:
    engine: Engine
    table: str
    queue_url: str

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
            "WORKLEDGER_MAIL_QUEUE_URL": self.queue_url,
            "WORKLEDGER_STAGE": "local",
            "WORKLEDGER_TABLE": self.table,
            "WORKLEDGER_TRACING": "false",
        }


def build(engine: Engine, name: str = "workledger-local") -> Stack:
    """Raises TableDiffers when the engine kept a table of another shape under that name."""
    ensure_table(engine.client("dynamodb"), name)
    queue_url = create_mail_queue(engine.client("sqs"), f"{name}-mail")
    engine.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    return Stack(engine, name, queue_url)
