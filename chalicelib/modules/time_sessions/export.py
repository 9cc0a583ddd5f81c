"""The export of time sessions as CSV, in the zone that is asked for and in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

from chalicelib.action.context import Context
from chalicelib.action.envelope import Raw
from chalicelib.action.media_types import CSV
from chalicelib.core import clock, csv_text
from chalicelib.core.money import Money, major_units
from chalicelib.core.pricing import HOUR
from chalicelib.dal.collection import get_together
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.time import rates
from chalicelib.models.time.pricing import Pricer
from chalicelib.models.time.projects import PROJECTS
from chalicelib.models.time.rounding import Rounding, RoundPer
from chalicelib.models.time.tasks import TASKS
from chalicelib.models.users import USERS
from chalicelib.modules.time_sessions.contracts import TimeSessionDetails

MAX_ROWS = 5_000
_QUOTE = '"'

_HEADER = (
    "date",
    "start",
    "end",
    "hours",
    "seconds",
    "user",
    "email",
    "client",
    "project",
    "task",
    "description",
    "billable",
    "tags",
    "amount",
    "currency",
    "startUtc",
    "endUtc",
    "id",
    "pauses",
)


def sessions_csv(
    ctx: Context,
    sessions: Sequence[TimeSessionDetails],
    zone: str,
    rounding: Rounding | None,
    per: RoundPer,
    filename: str,
) -> Raw:
    """Return a line for each session. Amounts are in major units, of the rounded time, empty without a rate."""
    users, projects, tasks, clients = get_together(
        ctx.organization,
        [
            (USERS, {session.user_id for session in sessions}),
            (PROJECTS, {session.project_id for session in sessions if session.project_id}),
            (TASKS, {session.task_id for session in sessions if session.task_id}),
            (CLIENTS, {session.client_id for session in sessions if session.client_id}),
        ],
        [ctx.user],
    )
    seconds = _rounded(sessions, zone, rounding, per)
    pricer = Pricer(ctx.principal.organization, rates.read_all(ctx.organization))
    rows = []
    for session in sessions:
        start, end = (at.astimezone(ZoneInfo(zone)) for at in (session.start_at, session.end_at))
        user = users[session.user_id]
        rows.append(
            (
                start.date().isoformat(),
                f"{start:%H:%M:%S}",
                f"{end:%H:%M:%S}",
                (Decimal(seconds[session.id]) / 3600).quantize(Decimal("0.01"), ROUND_HALF_UP),
                seconds[session.id],
                user.full_name,
                user.email,
                clients[session.client_id].name if session.client_id else None,
                projects[session.project_id].name if session.project_id else None,
                tasks[session.task_id].title if session.task_id else None,
                session.description,
                "true" if session.billable else "false",
                _listed(session.tags),
                *_amount(ctx, pricer, session, seconds[session.id]),
                clock.to_text(session.start_at),
                clock.to_text(session.end_at),
                str(session.id),
                " ".join(f"{clock.to_text(pause.start_at)}/{clock.to_text(pause.end_at)}" for pause in session.pauses),
            )
        )
    return Raw(csv_text.write(_HEADER, rows), CSV, filename)


def _listed(tags: Sequence[str]) -> str:
    """Return tags separated by commas; one that has a comma or a quote is in quotes, as cells of a file are."""
    quoted = (f'"{tag.replace(_QUOTE, _QUOTE * 2)}"' if "," in tag or _QUOTE in tag else tag for tag in tags)
    return ", ".join(quoted)


def _rounded(
    sessions: Sequence[TimeSessionDetails], zone: str, rounding: Rounding | None, per: RoundPer
) -> dict[UUID, int]:
    """Return the seconds of each session: rounded alone, or with the user's others of a project and local day."""
    if rounding is None:
        return {session.id: session.duration_seconds for session in sessions}
    wholes: dict[tuple[UUID, date, UUID | None] | UUID, list[TimeSessionDetails]] = {}
    for session in sessions:
        day = session.start_at.astimezone(ZoneInfo(zone)).date()
        key = session.id if per is RoundPer.SESSION else (session.user_id, day, session.project_id)
        wholes.setdefault(key, []).append(session)
    seconds: dict[UUID, int] = {}
    for whole in wholes.values():
        shares = rounding.distribute([session.duration_seconds for session in whole])
        seconds |= {session.id: share for session, share in zip(whole, shares, strict=True)}
    return seconds


def _amount(
    ctx: Context, pricer: Pricer, session: TimeSessionDetails, seconds: int
) -> tuple[Decimal | None, str | None]:
    """Return the amount of the rounded time, rounded half up once, with its currency."""
    if session.amount is None:  # without a rate, or not for the caller
        return None, None
    product, _ = pricer.price(session.user_id, session.project_id, session.spans)
    exact = Fraction(product * seconds, HOUR * session.duration_seconds)
    currency = ctx.principal.organization.currency
    return major_units(Money(amount=int(exact + Fraction(1, 2)), currency=currency)), currency
