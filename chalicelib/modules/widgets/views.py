"""Widgets as they are shown: with who has created them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.metrics import definitions
from chalicelib.models import users
from chalicelib.models.dashboards.widgets import Widget
from chalicelib.models.users import User
from chalicelib.modules.widgets import configs
from chalicelib.modules.widgets.contracts import ListedWidget, WidgetCreator, WidgetWithCreator


def shown(widget: Widget, creator: User) -> WidgetWithCreator:
    who = WidgetCreator(id=creator.id, name=creator.full_name, email=creator.email or None)
    # With the default of a field that is newer than the stored config.
    config = configs.stored_form(configs.stored(widget.type, widget.config))
    return WidgetWithCreator.extending(widget, config=config, creator=who)


def listed(ctx: Context, widgets: Sequence[Widget], creators: Mapping[UUID, User]) -> list[ListedWidget]:
    """Return the rows of a list. One read for the metrics of them all."""
    metric_of = {widget.id: configs.metric_of(widget) for widget in widgets}
    metrics = definitions.get_many(ctx.organization, {metric for metric in metric_of.values() if metric is not None})
    hidden = {id_ for id_, metric in metrics.items() if not definitions.may_see_values(ctx.principal, metric)}
    return [
        # A metric that is deleted is no secret: the data says so.
        ListedWidget.extending(
            shown(widget, creators[widget.created_by_id]), can_see_data=metric_of[widget.id] not in hidden
        )
        for widget in widgets
    ]


def with_creator(ctx: Context, widget: Widget) -> WidgetWithCreator:
    """A read more for another's."""
    creator = ctx.user
    if widget.created_by_id != creator.id:
        creator = users.USERS.get_many(ctx.organization, [widget.created_by_id])[widget.created_by_id]
    return shown(widget, creator)
