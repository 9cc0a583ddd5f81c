"""Hourly rates of tracked time: of the organization, of a user, of a project, and of a member in a project.

The most specific level that has a rate on a day prices the time of that day.
"""

from __future__ import annotations

from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.days import Day
from chalicelib.core.money import HourlyRate
from chalicelib.models.audit import AuditEvent
from chalicelib.models.staffing.rates import Rate, in_order
from chalicelib.models.time import rates
from chalicelib.models.time.rates import Level, LevelRates
from chalicelib.modules.rates.contracts import Rates, require_currency


@action("getOrganizationRates", "GET /organization/rates", permission=Permission.RATES_MANAGE)
def get_organization_rates(ctx: Context) -> Rates:
    """The rates of tracked time, by the day from which they hold, earliest first."""
    return Rates(rates=in_order(_read(ctx, rates.of_organization(ctx.organization)).rates))


@action(
    "setOrganizationRate",
    "PUT /organization/rates/{effectiveFrom}",
    permission=Permission.RATES_MANAGE,
    audit=AuditEvent.ORGANIZATION_RATE_SET,
)
def set_organization_rate(ctx: Context, effective_from: Day, data: HourlyRate) -> Rate:
    """Sets the rate of tracked time from a day on. Earlier time keeps the rate of its day."""
    require_currency(ctx, data)
    return rates.set_rate(ctx.unit, _read(ctx, rates.of_organization(ctx.organization)), effective_from, data)


@action(
    "deleteOrganizationRate",
    "DELETE /organization/rates/{effectiveFrom}",
    permission=Permission.RATES_MANAGE,
    audit=AuditEvent.ORGANIZATION_RATE_DELETED,
)
def delete_organization_rate(ctx: Context, effective_from: Day) -> Rate:
    """Deletes the rate of tracked time that takes effect on a day. The one before it holds on."""
    return rates.delete_rate(ctx.unit, _read(ctx, rates.of_organization(ctx.organization)), effective_from)


@action("getMemberRates", "GET /users/{userId}/rates", permission=Permission.RATES_MANAGE)
def get_member_rates(ctx: Context, user_id: UUID) -> Rates:
    """The rates of a user's tracked time, by the day from which they hold, earliest first."""
    return Rates(rates=in_order(_read(ctx, rates.of_user(user_id)).rates))


@action(
    "setMemberRate",
    "PUT /users/{userId}/rates/{effectiveFrom}",
    permission=Permission.RATES_MANAGE,
    audit=AuditEvent.MEMBER_RATE_SET,
)
def set_member_rate(ctx: Context, user_id: UUID, effective_from: Day, data: HourlyRate) -> Rate:
    """Sets the rate of a user's tracked time from a day on. Earlier time keeps the rate of its day."""
    require_currency(ctx, data)
    return rates.set_rate(ctx.unit, _read(ctx, rates.of_user(user_id)), effective_from, data)


@action(
    "deleteMemberRate",
    "DELETE /users/{userId}/rates/{effectiveFrom}",
    permission=Permission.RATES_MANAGE,
    audit=AuditEvent.MEMBER_RATE_DELETED,
)
def delete_member_rate(ctx: Context, user_id: UUID, effective_from: Day) -> Rate:
    """Deletes the rate of a user's tracked time that takes effect on a day. The one before it holds on."""
    return rates.delete_rate(ctx.unit, _read(ctx, rates.of_user(user_id)), effective_from)


@action("getProjectRates", "GET /projects/{id}/rates", permission=Permission.RATES_MANAGE)
def get_project_rates(ctx: Context, id_: UUID) -> Rates:
    """The rates of time tracked on a project, by the day from which they hold, earliest first."""
    return Rates(rates=in_order(_read(ctx, rates.of_project(id_)).rates))


@action(
    "setProjectRate",
    "PUT /projects/{id}/rates/{effectiveFrom}",
    permission=Permission.RATES_MANAGE,
    audit=AuditEvent.PROJECT_RATE_SET,
)
def set_project_rate(ctx: Context, id_: UUID, effective_from: Day, data: HourlyRate) -> Rate:
    """Sets the rate of time tracked on a project from a day on. Earlier time keeps the rate of its day."""
    require_currency(ctx, data)
    return rates.set_rate(ctx.unit, _read(ctx, rates.of_project(id_)), effective_from, data)


@action(
    "deleteProjectRate",
    "DELETE /projects/{id}/rates/{effectiveFrom}",
    permission=Permission.RATES_MANAGE,
    audit=AuditEvent.PROJECT_RATE_DELETED,
)
def delete_project_rate(ctx: Context, id_: UUID, effective_from: Day) -> Rate:
    """Deletes the rate of time tracked on a project that takes effect on a day. The one before it holds on."""
    return rates.delete_rate(ctx.unit, _read(ctx, rates.of_project(id_)), effective_from)


@action("getProjectMemberRates", "GET /projects/{id}/members/{userId}/rates", permission=Permission.RATES_MANAGE)
def get_project_member_rates(ctx: Context, id_: UUID, user_id: UUID) -> Rates:
    """The rates of a member's time on a project, by the day from which they hold, earliest first."""
    return Rates(rates=in_order(_read(ctx, rates.of_member(id_, user_id)).rates))


@action(
    "setProjectMemberRate",
    "PUT /projects/{id}/members/{userId}/rates/{effectiveFrom}",
    permission=Permission.RATES_MANAGE,
    audit=AuditEvent.PROJECT_MEMBER_RATE_SET,
)
def set_project_member_rate(ctx: Context, id_: UUID, user_id: UUID, effective_from: Day, data: HourlyRate) -> Rate:
    """Sets the rate of a member's time on a project from a day on. Earlier time keeps the rate of its day."""
    require_currency(ctx, data)
    return rates.set_rate(ctx.unit, _read(ctx, rates.of_member(id_, user_id)), effective_from, data)


@action(
    "deleteProjectMemberRate",
    "DELETE /projects/{id}/members/{userId}/rates/{effectiveFrom}",
    permission=Permission.RATES_MANAGE,
    audit=AuditEvent.PROJECT_MEMBER_RATE_DELETED,
)
def delete_project_member_rate(ctx: Context, id_: UUID, user_id: UUID, effective_from: Day) -> Rate:
    """Deletes the rate of a member's time on a project that takes effect on a day. The one before it holds on."""
    return rates.delete_rate(ctx.unit, _read(ctx, rates.of_member(id_, user_id)), effective_from)


def _read(ctx: Context, level: Level) -> LevelRates:
    return rates.read(ctx.organization, level, [ctx.principal.organization, ctx.user])
