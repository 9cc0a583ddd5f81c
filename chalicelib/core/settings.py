"""Settings of a deployment, read once from the environment (`WORKLEDGER_…`)."""

from __future__ import annotations

import os
from functools import cache

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True)

    table: str = Field("workledger", alias="WORKLEDGER_TABLE")
    stage: str = Field("local", alias="WORKLEDGER_STAGE")
    app_url: str = Field("https://app.workledger.example", alias="WORKLEDGER_APP_URL")
    """Address of the web app; mails link to it."""
    cors_origin: str = Field("*", alias="WORKLEDGER_CORS_ORIGIN")
    """Bearer tokens, no cookies: any origin is safe; narrow it to be strict."""
    mail_from: str = Field("no-reply@workledger.example", alias="WORKLEDGER_MAIL_FROM")
    abuse_contact: str = Field("abuse@workledger.example", alias="WORKLEDGER_ABUSE_CONTACT")
    """Address for people who get unwanted mail; every mail names it."""
    feed_queue_url: str = Field("", alias="WORKLEDGER_FEED_QUEUE_URL")
    mail_queue_url: str = Field("", alias="WORKLEDGER_MAIL_QUEUE_URL")
    metrics_queue_url: str = Field("", alias="WORKLEDGER_METRICS_QUEUE_URL")
    limits_by_source: bool = Field(True, alias="WORKLEDGER_LIMITS_BY_SOURCE")
    """Off where all requests come from one address, as on one's own machine."""
    tracing: bool = Field(False, alias="WORKLEDGER_TRACING")


@cache
def settings() -> Settings:
    return Settings.model_validate(dict(os.environ))
