"""Widgets: the tiles of a dashboard, shared by an organization or one user's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SerializationInfo

from chalicelib.core.contracts import Body
from chalicelib.core.field_types import Line
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, quotas, table
from chalicelib.dal.collection import Collection, get_together, is_deleted
from chalicelib.dal.cursors import Cursors
from chalicelib.dal.keys import Key
from chalicelib.dal.records import DeletableRecord
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.dashboards.metric_enums import ChartType
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.users import USERS, Role, User

MAX_WIDGETS = 200
"""Widgets that an organization shares; and as many of each user's own."""

_GREATEST_CELL = 9999


class WidgetType(StrEnum):
    METRIC = "METRIC"
    CHART = "CHART"
    TABLE = "TABLE"
    ACTIVITY_FEED = "ACTIVITY_FEED"
    QUICK_ACTIONS = "QUICK_ACTIONS"
    CALENDAR = "CALENDAR"


class WidgetScope(StrEnum):
    ORGANIZATION = "ORGANIZATION"
    """Shared: seen by everybody, or by the roles of `permissions`."""
    PERSONAL = "PERSONAL"
    """Seen by who made it, and nobody else."""


Cell = Annotated[int, Field(ge=0, le=_GREATEST_CELL)]
Cells = Annotated[int, Field(ge=1, le=_GREATEST_CELL)]


class Placement(Body):
    """On the grid of a dashboard, from the top left."""

    x: Annotated[Cell, Field(examples=[0])]
    y: Annotated[Cell, Field(examples=[0])]
    w: Annotated[Cells, Field(examples=[4])]
    h: Annotated[Cells, Field(examples=[2])]

    @property
    def place(self) -> str:
        """Sorts as people read: by row, then from the left."""
        return f"{self.y:04}{self.x:04}"


def _in_order(roles: Sequence[Role]) -> tuple[Role, ...]:
    return tuple(role for role in Role if role in roles)


WidgetName = Annotated[Line, Field(max_length=100, examples=["hours-this-week"])]
WidgetTitle = Annotated[Line, Field(max_length=255, examples=["Hours this week"])]
DataSource = Annotated[
    Line,
    Field(max_length=100, description="A note for clients; `config` has the data.", examples=["payroll"]),
]
RefreshRate = Annotated[
    int, Field(ge=60, le=86_400, description="In seconds: how often clients ask for its data.", examples=[300])
]
Permissions = Annotated[
    tuple[Role, ...],
    Field(max_length=len(Role)),
    AfterValidator(_in_order),
    Field(description="Roles that see it, where it is shared; none named: all. Who may share widgets sees them all."),
]


def _stored(config: Mapping[str, Any], info: SerializationInfo) -> Any:
    return json.dumps(config) if info.round_trip else config


Config = Annotated[
    dict[str, Any],
    BeforeValidator(lambda config: json.loads(config) if isinstance(config, str) else config),
    PlainSerializer(_stored, when_used="json"),
]
"""The config that passed validation for the type; see `modules.widgets.configs`. Stored as one text."""


class Widget(DeletableRecord):
    name: WidgetName
    title: WidgetTitle | None = None
    type: WidgetType
    scope: WidgetScope
    config: Config
    position: Placement
    data_source: DataSource | None = None
    refresh_rate: RefreshRate = 300
    is_visible: bool = True
    chart_type: ChartType | None = None
    permissions: Permissions = ()
    created_by_id: UUID

    @property
    def is_personal(self) -> bool:
        return self.scope is WidgetScope.PERSONAL

    @property
    def place(self) -> str:
        return f"{self.position.place}#{self.id}"


@dataclass(frozen=True, kw_only=True)
class _Widgets(Collection[Widget]):
    def index(self, organization: OrganizationId, record: Widget) -> dict[str, Any]:
        listing = keys.children(organization, self.kind, _owner(organization, record))
        return {**super().index(organization, record), listing.attribute: None if is_deleted(record) else listing.pk}


WIDGETS = _Widgets(entity="widget", record=Widget, called=lambda widget: widget.title or widget.name)


def _owner(organization: OrganizationId, widget: Widget) -> UUID:
    """Return the owner of its dashboard: a user, or the organization."""
    return widget.created_by_id if widget.is_personal else organization


# -- write -----------------------------------------------------------------------------------------------------------


def create(unit: UnitOfWork, widget: Widget) -> Widget:
    """Add a widget. VALIDATION_ERROR beyond MAX_WIDGETS."""
    WIDGETS.create(unit, widget)
    _count(unit, widget, 1)
    return widget


def update(unit: UnitOfWork, widget: Widget, changes: Mapping[str, Any]) -> Widget:
    """Change a widget. With another scope it moves to another dashboard, which must have room for it."""
    after = WIDGETS.update(unit, widget, changes)
    if after.scope is not widget.scope:
        _count(unit, widget, -1)
        _count(unit, after, 1)
    return after


def delete(unit: UnitOfWork, widget: Widget) -> Widget:
    deleted = WIDGETS.delete(unit, widget)
    _count(unit, widget, -1)
    return deleted


def _count(unit: UnitOfWork, widget: Widget, by: int) -> None:
    """Count the widget on its dashboard."""
    holder, whose = _counted_on(unit.organization, widget)
    refusal = f"{whose} may have at most {MAX_WIDGETS} widgets"
    quotas.count(unit, holder, WIDGETS.entity, by, maximum=MAX_WIDGETS, refusal=refusal)


def _counted_on(organization: OrganizationId, widget: Widget) -> tuple[Key, str]:
    if widget.is_personal:
        return USERS.key(organization, widget.created_by_id), "a user"
    return ORGANIZATIONS.key(organization, organization), "an organization"


# -- lists -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WidgetSlice:
    """Consecutive widgets of a dashboard, who created them, and where to go on: a cursor, None at the end."""

    widgets: list[Widget]
    creators: Mapping[UUID, User]
    next_cursor: str | None


def dashboard(
    organization: OrganizationId,
    user: UUID,
    cursors: Cursors,
    matches: Callable[[Widget], bool],
    *,
    cursor: str | None,
    limit: int,
) -> WidgetSlice:
    """Return the organization's shared widgets and the user's own, by position, then by age.

    Found by index, a query for each of the two; the page is read consistently, with its creators.
    """
    after = "" if cursor is None else cursors.decode(cursor)
    indexed = [*_indexed(organization, organization), *_indexed(organization, user)]
    following = sorted((w for w in indexed if matches(w) and w.place > after), key=lambda widget: widget.place)
    page = following[:limit]
    widgets, creators = get_together(
        organization,
        [(WIDGETS, [widget.id for widget in page]), (USERS, {widget.created_by_id for widget in page})],
    )
    # The index trails the table: a widget that was just changed may still be listed as it was.
    current = [widgets[widget.id] for widget in page if widget.id in widgets]
    return WidgetSlice(
        [widget for widget in current if not is_deleted(widget) and matches(widget)],
        creators,
        cursors.encode(page[-1].place) if len(following) > limit else None,
    )


def _indexed(organization: OrganizationId, owner: UUID) -> Iterator[Widget]:
    """Yield widgets as the index has them, which has no versions."""
    listing = keys.children(organization, WIDGETS.kind, owner)
    for row in table.query_all(listing):
        item = table.item_from_raw(row)
        item.version = 0
        yield Widget.of(item, WIDGETS.entity)
