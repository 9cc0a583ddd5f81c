"""Permissions to see and to change a widget."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.auth.permissions import Permission
from chalicelib.auth.principal import Principal
from chalicelib.core.errors import not_found
from chalicelib.models.activities.audience import EVERYONE, Audience, Group, group_of_user, groups_of_roles
from chalicelib.models.dashboards.widgets import WIDGETS, Widget, WidgetScope

_MAY_NOT_SHARE = "widgets of the whole organization are not for the role {role} to make or change"


def visible(ctx: Context, identifier: UUID) -> Widget:
    """Return a widget that the caller may see. NOT_FOUND for others: another user's own is nobody else's to know of."""
    widget = WIDGETS.get(ctx.organization, identifier)
    if not may_see(ctx.principal, widget):
        raise not_found(WIDGETS.entity)
    return widget


def changeable(ctx: Context, identifier: UUID) -> Widget:
    """Return a widget that the caller may change. NOT_FOUND as `visible`, FORBIDDEN for a shared one."""
    widget = visible(ctx, identifier)
    require_scope(ctx.principal, widget.scope)
    return widget


def require_scope(principal: Principal, scope: WidgetScope) -> None:
    if scope is WidgetScope.ORGANIZATION:
        principal.require(Permission.WIDGETS_SHARE, _MAY_NOT_SHARE.format(role=principal.user.role))


def default_scope(principal: Principal) -> WidgetScope:
    may_share = Permission.WIDGETS_SHARE in principal.permissions
    return WidgetScope.ORGANIZATION if may_share else WidgetScope.PERSONAL


def may_see(principal: Principal, widget: Widget) -> bool:
    if widget.is_personal:
        return widget.created_by_id == principal.user.id
    may_share = Permission.WIDGETS_SHARE in principal.permissions
    return may_share or not widget.permissions or principal.user.role in widget.permissions


def audience(widget: Widget) -> Audience:
    """Return who may read of it: those who may see it."""
    if widget.is_personal:
        return frozenset({group_of_user(widget.created_by_id)})
    return groups_of_roles(widget.permissions) | {Group.WIDGETS} if widget.permissions else EVERYONE


def may_change(principal: Principal, widget: Widget) -> bool:
    needed = Permission.WIDGETS_CUSTOMIZE if widget.is_personal else Permission.WIDGETS_SHARE
    return needed in principal.permissions and may_see(principal, widget)


def listed(principal: Principal, *, include_hidden: bool) -> Callable[[Widget], bool]:
    """Return True for widgets that the lists of a dashboard show."""
    return lambda widget: (
        may_see(principal, widget) and (widget.is_visible or (include_hidden and may_change(principal, widget)))
    )
