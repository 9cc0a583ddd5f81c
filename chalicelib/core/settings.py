"""Settings of a deployment, read once from the environment (`WORKLEDGER_…`)."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

LOCAL = "local"
"""The stage on one's own machine, where the clients of AWS have an endpoint of their own."""
_ENDPOINTS = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL")
_REMEDY = "`make serve` and `make chalice-local` set all that it needs, and `make deploy` in AWS"


class SettingsMissing(Exception):
    """The product was started without the settings that say where its data is."""


class Settings(BaseModel):
    # The table and queues have no defaults: a name alone could be one of whichever account the shell is signed in to.
    model_config = ConfigDict(frozen=True)

    table: str = Field(min_length=1, alias="WORKLEDGER_TABLE")
    stage: str = Field(min_length=1, alias="WORKLEDGER_STAGE")
    app_url: str = Field("https://app.workledger.example", alias="WORKLEDGER_APP_URL")
    """Address of the web app; mails link to it."""
    api_url: str = Field("https://api.workledger.example", alias="WORKLEDGER_API_URL")
    """Address in front of the API's paths; mails name it to mail programs."""
    cors_origin: str = Field("*", alias="WORKLEDGER_CORS_ORIGIN")
    """Bearer tokens, no cookies: any origin is safe; narrow it to be strict."""
    mail_from: str = Field("no-reply@workledger.example", alias="WORKLEDGER_MAIL_FROM")
    abuse_contact: str = Field("abuse@workledger.example", alias="WORKLEDGER_ABUSE_CONTACT")
    """Address for people who get unwanted mail; every mail names it."""
    feed_queue_url: str = Field(min_length=1, alias="WORKLEDGER_FEED_QUEUE_URL")
    mail_queue_url: str = Field(min_length=1, alias="WORKLEDGER_MAIL_QUEUE_URL")
    metrics_queue_url: str = Field(min_length=1, alias="WORKLEDGER_METRICS_QUEUE_URL")
    limits_by_source: bool = Field(True, alias="WORKLEDGER_LIMITS_BY_SOURCE")
    """Off where all requests come from one address, as on one's own machine."""
    tracing: bool = Field(False, alias="WORKLEDGER_TRACING")
    transport: Literal["signed-http", "botocore"] = Field("signed-http", alias="WORKLEDGER_TRANSPORT")
    """The client of the table: `dal/transport.py`, or botocore's."""


def require() -> None:
    """End the process with the reason if settings are missing.

    `chalice local` imports the app in a thread, and again every ten seconds, which an exception would not end.
    """
    try:
        settings()
    except SettingsMissing as missing:
        print(missing, file=sys.stderr, flush=True)  # noqa: T201  nothing that logs is imported yet
        os._exit(1)


@cache
def settings() -> Settings:
    """Return the settings. SettingsMissing where they do not say which table and queues are meant, and of whom."""
    try:
        read = Settings.model_validate(dict(os.environ))
    except ValidationError as error:
        names = ", ".join(sorted({str(fault["loc"][0]) for fault in error.errors()}))
        raise SettingsMissing(f"Workledger does not start without settings: {names}. {_REMEDY}.") from None
    if read.stage == LOCAL and not any(os.environ.get(name) for name in _ENDPOINTS):
        raise SettingsMissing(
            f"Workledger does not start: WORKLEDGER_STAGE is {LOCAL}, and without {' or '.join(_ENDPOINTS)} it would "
            f"write to the AWS account of this shell. {_REMEDY}."
        )
    return read
