"""Widgets: arranging the tiles of a dashboard, and their data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import CursorPage
from chalicelib.core.errors import invalid_field
from chalicelib.models.audit import AuditEvent
from chalicelib.models.dashboards import widgets
from chalicelib.models.dashboards.widgets import Widget, WidgetScope, WidgetType
from chalicelib.modules.widgets import access, checks, configs
from chalicelib.modules.widgets.contracts import (
    CreateWidget,
    GetWidgetData,
    GetWidgets,
    ListedWidget,
    UpdateWidget,
    WidgetWithCreator,
)
from chalicelib.modules.widgets.data import data_of
from chalicelib.modules.widgets.data_contracts import WidgetData
from chalicelib.modules.widgets.views import listed, shown, with_creator


@action(
    "createDashboardWidget",
    "POST /widgets",
    permission=Permission.WIDGETS_CUSTOMIZE,
    audit=AuditEvent.WIDGET_CREATED,
    status=201,
)
def create_dashboard_widget(ctx: Context, data: CreateWidget) -> WidgetWithCreator:
    """Puts a widget on the dashboard of the organization, or on the caller's own."""
    scope = data.scope or access.default_scope(ctx.principal)
    access.require_scope(ctx.principal, scope)
    checks.require(ctx.organization, data.type, data.config)
    name = data.name or _named(data.title, data.type)
    fields = {**dict(data), "name": name, "scope": scope, "created_by_id": ctx.user.id}
    return shown(_described(ctx, widgets.create(ctx.unit, Widget.new(**fields))), ctx.user)


@action("getDashboardWidgets", "GET /widgets", permission=Permission.WORKSPACE_READ)
def get_dashboard_widgets(ctx: Context, data: GetWidgets) -> CursorPage[ListedWidget]:
    """The visible widgets that are shared with the caller, and the caller's own. By row, then from the left.

    `canSeeData` is false where getWidgetData would answer FORBIDDEN.
    """
    return _listed(ctx, data, None)


@action("getWidgetsByType", "GET /widgets/by-type/{type}", permission=Permission.WORKSPACE_READ)
def get_widgets_by_type(ctx: Context, type_: WidgetType, data: GetWidgets) -> CursorPage[ListedWidget]:
    """The widgets of one type, as in getDashboardWidgets."""
    return _listed(ctx, data, type_)


@action("getWidgetById", "GET /widgets/{id}", permission=Permission.WORKSPACE_READ, entity=widgets.WIDGETS)
def get_widget_by_id(ctx: Context, id_: UUID) -> WidgetWithCreator:
    """One widget, also one that is hidden."""
    return with_creator(ctx, access.visible(ctx, id_))


@action(
    "updateDashboardWidget",
    "PATCH /widgets/{id}",
    permission=Permission.WIDGETS_CUSTOMIZE,
    entity=widgets.WIDGETS,
    audit=AuditEvent.WIDGET_UPDATED,
)
def update_dashboard_widget(ctx: Context, id_: UUID, data: UpdateWidget) -> WidgetWithCreator:
    """Changes, moves, hides or shares a widget. One that is shared is changed by who may share widgets."""
    widget = access.changeable(ctx, id_)
    changes = data.changes()
    if "scope" in changes:
        _require_movable(ctx, widget, changes["scope"])
    changes |= _configured(ctx, widget, changes)
    return with_creator(ctx, _described(ctx, widgets.update(ctx.unit, widget, changes)))


@action(
    "deleteDashboardWidget",
    "DELETE /widgets/{id}",
    permission=Permission.WIDGETS_CUSTOMIZE,
    entity=widgets.WIDGETS,
    audit=AuditEvent.WIDGET_DELETED,
)
def delete_dashboard_widget(ctx: Context, id_: UUID) -> WidgetWithCreator:
    """Deletes a widget softly. One that is shared is deleted by who may share widgets."""
    return with_creator(ctx, _described(ctx, widgets.delete(ctx.unit, access.changeable(ctx, id_))))


@action("getWidgetData", "GET /widgets/{id}/data", permission=Permission.WORKSPACE_READ, entity=widgets.WIDGETS)
def get_widget_data(ctx: Context, id_: UUID, data: GetWidgetData) -> WidgetData:
    """The data of a widget. For a CHART with the Vega-Lite `spec` that draws it.

    `period` is for what is drawn over time or by group. A figure, held against its target, is over the metric's own.

    Values of a metric are for those who may see them. A metric that is deleted or fails is reported as `error`.
    """
    return data_of(ctx, access.visible(ctx, id_), data.period)


# -- shared by the actions -------------------------------------------------------------------------------------------


def _described(ctx: Context, widget: Widget) -> Widget:
    """Say in the audit entry who may see the widget."""
    ctx.unit.describe_target(readers=access.audience(widget))
    return widget


def _named(title: str | None, kind: WidgetType) -> str:
    return kind.replace("_", " ").capitalize() if title is None else title[:100].rstrip()


def _listed(ctx: Context, data: GetWidgets, kind: WidgetType | None) -> CursorPage[ListedWidget]:
    is_listed = access.listed(ctx.principal, include_hidden=data.include_hidden)
    stretch = widgets.dashboard(
        ctx.organization,
        ctx.user.id,
        ctx.cursors,
        lambda widget: kind in {None, widget.type} and data.scope in {None, widget.scope} and is_listed(widget),
        cursor=data.cursor,
        limit=data.limit,
    )
    return CursorPage[ListedWidget](
        items=listed(ctx, stretch.widgets, stretch.creators),
        next_cursor=stretch.next_cursor,
    )


def _require_movable(ctx: Context, widget: Widget, scope: WidgetScope) -> None:
    access.require_scope(ctx.principal, scope)
    if scope is WidgetScope.PERSONAL and widget.created_by_id != ctx.user.id:
        raise invalid_field("scope", "only who has created a widget can make it their own")


def _configured(ctx: Context, widget: Widget, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The config as it is stored, if it changes."""
    kind = changes.get("type", widget.type)
    if "config" not in changes:
        if kind is not widget.type:
            raise invalid_field("config", f"is required, because a {kind} has another one than a {widget.type}")
        return {}
    config = configs.stored_form(configs.read_field(kind, changes["config"]))
    checks.require(ctx.organization, kind, config)
    return {"config": config}
