"""Spans of tracked time: start, end and pauses, in whole seconds, and the rules that hold for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from chalicelib.core.contracts import Body, Contract
from chalicelib.core.days import is_in_bounds
from chalicelib.core.errors import ErrorCode, invalid_field, invalid_fields, require_order
from chalicelib.core.field_types import Instant

LONGEST = timedelta(hours=24)
"""The limit from start to end, pauses included."""
MAX_PAUSES = 100

Seconds = list[tuple[int, int]]
"""Half-open spans, in seconds since 1970."""


def whole_seconds(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)


Start = Annotated[Instant, AfterValidator(whole_seconds), Field(examples=["2026-03-02T08:00:00.000Z"])]
End = Annotated[Instant, AfterValidator(whole_seconds), Field(examples=["2026-03-02T16:30:00.000Z"])]


class Pause(Contract):
    start_at: Annotated[Instant, AfterValidator(whole_seconds), Field(examples=["2026-03-02T12:00:00.000Z"])]
    end_at: Annotated[Instant, AfterValidator(whole_seconds), Field(examples=["2026-03-02T12:30:00.000Z"])]


class PauseInput(Pause, Body):
    """A time within a session that does not count."""


def worked(start: datetime, end: datetime, pauses: Iterable[Pause]) -> Seconds:
    """Return the spans that count: from start to end without the pauses, which are in order and apart."""
    spans: Seconds = []
    since = round(start.timestamp())
    for pause in pauses:
        spans.append((since, round(pause.start_at.timestamp())))
        since = round(pause.end_at.timestamp())
    spans.append((since, round(end.timestamp())))
    return [(low, high) for low, high in spans if low < high]


def net_seconds(start: datetime, end: datetime, pauses: Iterable[Pause]) -> int:
    return sum(high - low for low, high in worked(start, end, pauses))


def require_valid(start: datetime, end: datetime, pauses: Sequence[Pause], now: datetime) -> None:
    """Refuse an end that is not after the start (INVALID_DATE_RANGE), and anything else that no session is."""
    require_order(("startAt", "endAt"), start, end)
    if not is_in_bounds(start.date()):
        raise invalid_field("startAt", "is out of range")
    if end - start > LONGEST:
        raise invalid_field("endAt", "must be at most 24 hours after startAt")
    if end > now + LONGEST:
        raise invalid_field("endAt", "must be at most 24 hours ahead")
    _require_pauses(start, end, pauses)
    if net_seconds(start, end, pauses) < 1:
        raise invalid_field("pauses", "must leave at least one second")


def _require_pauses(start: datetime, end: datetime, pauses: Sequence[Pause]) -> None:
    """Refuse pauses that are not within the session, in order and apart."""
    if len(pauses) > MAX_PAUSES:
        raise invalid_field("pauses", f"must be at most {MAX_PAUSES}")
    errors: dict[str, list[str]] = {}
    earliest, is_first = start, True
    for number, pause in enumerate(pauses):
        if pause.end_at <= pause.start_at:
            errors[f"pauses.{number}.endAt"] = ["must be after startAt"]
        elif pause.start_at < earliest or (pause.start_at == earliest and not is_first):
            rule = "must not be before the session's startAt" if is_first else "must be after the pause before it"
            errors[f"pauses.{number}.startAt"] = [rule]
        elif pause.end_at > end:
            errors[f"pauses.{number}.endAt"] = ["must not be after the session's endAt"]
        earliest, is_first = max(earliest, pause.end_at), False
    if errors:
        raise invalid_fields(errors, ErrorCode.VALIDATION_ERROR)
