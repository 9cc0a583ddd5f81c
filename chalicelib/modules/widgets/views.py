"""Widgets as they are shown: with who has created them."""

from __future__ import annotations

from chalicelib.action.context import Context
from chalicelib.models import users
from chalicelib.models.dashboards.widgets import Widget
from chalicelib.models.users import User
from chalicelib.modules.widgets import configs
from chalicelib.modules.widgets.contracts import WidgetCreator, WidgetWithCreator


def shown(widget: Widget, creator: User) -> WidgetWithCreator:
    who = WidgetCreator(id=creator.id, name=creator.full_name, email=creator.email)
    # With the default of a field that is newer than the stored config.
    config = configs.stored_form(configs.stored(widget.type, widget.config))
    return WidgetWithCreator.extending(widget, config=config, creator=who)


def with_creator(ctx: Context, widget: Widget) -> WidgetWithCreator:
    """A read more for another's."""
    is_own = widget.created_by_id == ctx.user.id
    return shown(widget, ctx.user if is_own else users.get(ctx.organization, widget.created_by_id))
