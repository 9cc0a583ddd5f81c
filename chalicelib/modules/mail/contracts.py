"""Contracts of unsubscribing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.core.contracts import Contract, Query
from chalicelib.core.field_types import Email, Line
from chalicelib.core.one_click_body import OneClickBody

UnsubscribeToken = Annotated[
    Line, Field(max_length=100, description="Of the link in the mail.", examples=["ZK4l0sM2r3bq8fGv1xYc7A"])
]


class Unsubscribe(OneClickBody):
    email: Email
    token: UnsubscribeToken


class GetMailSubscription(Query):
    email: Email
    token: UnsubscribeToken


class MailSubscription(Contract):
    mail: Annotated[Literal["weeklyReport"], Field(description="The preference that it is.")] = "weeklyReport"
    is_subscribed: bool
