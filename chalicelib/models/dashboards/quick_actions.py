"""Quick actions: buttons that an organization gives its members, to go somewhere or to run an action of this API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from chalicelib.core.field_types import Line, Lines, matching
from chalicelib.core.ids import OrganizationId
from chalicelib.core.json_objects import JsonObject, bounded
from chalicelib.dal import keys, quotas, table
from chalicelib.dal.collection import is_deleted
from chalicelib.dal.item import Item
from chalicelib.dal.page_lists import ListedCollection
from chalicelib.dal.records import DeletableRecord
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.dashboards.metrics import Color, Icon
from chalicelib.models.organizations import ORGANIZATIONS, SubscriptionTier
from chalicelib.models.users import Role

MAX_QUICK_ACTIONS = 200
"""Live ones of an organization, so that a list shows them all."""
MAX_FORM_BYTES = 16 * 1024

Choice = TypeVar("Choice", bound=StrEnum)


class ActionType(StrEnum):
    NAVIGATION = "NAVIGATION"
    API_CALL = "API_CALL"
    FORM = "FORM"


def _in_order_of(kind: type[Choice]) -> AfterValidator:
    """Values, each once, in the order of their enumeration."""

    def sort(choices: Sequence[Choice]) -> tuple[Choice, ...]:
        return tuple(choice for choice in kind if choice in choices)

    return AfterValidator(sort)


def _from_text(form: Any) -> Any:
    return json.loads(form) if isinstance(form, str) else form


_URL = (
    r"([hH][tT][tT][pP][sS]?://"  # a scheme,
    r"(\[[0-9A-Fa-f:.]+\]|[^\s\x00-\x1f\x7f-\x9f/?#@:\\\[\]<>^`{|}%\x22]+)(:[0-9]{1,5})?"  # a host without credentials,
    r"([/?#][^\s\x00-\x1f\x7f-\x9f\\]*)?"  # the rest;
    r"|/([^\s\x00-\x1f\x7f-\x9f/\\][^\s\x00-\x1f\x7f-\x9f\\]*)?)"  # or a path, which `//host` and `/\host` are not
)

QuickActionName = Annotated[Line, Field(max_length=100, examples=["Log a call"])]
Description = Annotated[Lines, Field(max_length=500)]
TargetUrl = Annotated[
    str,
    StringConstraints(max_length=2048),
    matching(_URL, "must be an http or https URL, or a path that begins with /"),
    Field(
        description="An http or https URL, or a path of the app: `/clients/new`.",
        examples=["/clients/new"],
        json_schema_extra={"pattern": f"^{_URL}$"},
    ),
]
ActionName = Annotated[Line, Field(max_length=100, description="The operationId of an action of this API.")]
FormConfig = Annotated[
    JsonObject,
    bounded(MAX_FORM_BYTES),
    Field(
        description="A JSON Schema (2020-12) of the payload.",
        examples=[{"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}],
    ),
]
SortOrder = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
RequiredRoles = Annotated[
    tuple[Role, ...],
    Field(max_length=len(Role)),
    _in_order_of(Role),
    Field(description="Roles that may run it; empty: all."),
]
RequiredTiers = Annotated[
    tuple[SubscriptionTier, ...],
    Field(max_length=len(SubscriptionTier)),
    _in_order_of(SubscriptionTier),
    Field(description="Tiers in which it may be run; empty: all."),
]


class QuickAction(DeletableRecord):
    name: QuickActionName
    description: Annotated[Description | None, Field(examples=["After each call with a client"])] = None
    icon: Icon | None = None
    action_type: ActionType
    target_url: Annotated[TargetUrl | None, Field(examples=[None])] = None
    """The target of a NAVIGATION; no other type has one."""
    api_action: Annotated[ActionName | None, Field(examples=["recordActivity"])] = None
    """The action that an API_CALL or a FORM runs."""
    form_config: Annotated[FormConfig | None, BeforeValidator(_from_text)] = None
    color: Color = "blue"
    is_enabled: bool = True
    sort_order: SortOrder = 0
    required_role: RequiredRoles = ()
    required_tier: RequiredTiers = ()
    is_system: Annotated[bool, Field(description="It comes with the product and can't be changed.")] = False

    def data(self) -> dict[str, Any]:
        # One text: a schema may hold anything, and nothing ever looks inside it here.
        stored = super().data()
        return stored if self.form_config is None else {**stored, "formConfig": json.dumps(self.form_config)}


QUICK_ACTIONS = ListedCollection(
    entity="quickAction",
    record=QuickAction,
    called=lambda quick_action: quick_action.name,
    shown_as=QuickAction,
    search=lambda quick_action: (quick_action.name,),
    sort_fields=("name",),
    cursor_list="getQuickActions",
)


def live(organization: OrganizationId) -> list[QuickAction]:
    """Return all of them, in no order: found by index, read consistently."""
    listing = keys.listing(organization, QUICK_ACTIONS.kind, deleted=False)
    rows = table.query_slim(listing, maximum=MAX_QUICK_ACTIONS)
    stored = QUICK_ACTIONS.get_many(organization, (UUID(row.sk) for row in rows))
    # The index trails the table: an entity that was just deleted may still have a row.
    return [quick_action for quick_action in stored.values() if not is_deleted(quick_action)]


def create(unit: UnitOfWork, quick_action: QuickAction) -> QuickAction:
    """Add a quick action. VALIDATION_ERROR beyond MAX_QUICK_ACTIONS."""
    QUICK_ACTIONS.create(unit, quick_action)
    _count(unit, 1)
    return quick_action


def require_version(unit: UnitOfWork, quick_action: QuickAction) -> None:
    """Honours `If-Match` for a request that changes nothing of the quick action itself."""
    unit.require_version(quick_action.version, quick_action.updated_at)
    if unit.expected_tags is None or quick_action.is_system:
        # Without, nothing depends on its version: a condition would only make runs of it collide.
        return
    same_version = Item.version == quick_action.version
    unit.check(QUICK_ACTIONS.key(unit.organization, quick_action.id), same_version, stale)


def delete(unit: UnitOfWork, quick_action: QuickAction) -> QuickAction:
    deleted = QUICK_ACTIONS.delete(unit, quick_action)
    _count(unit, -1)
    return deleted


def _count(unit: UnitOfWork, by: int) -> None:
    holder = ORGANIZATIONS.key(unit.organization, unit.organization)
    refusal = f"an organization may have at most {MAX_QUICK_ACTIONS} quick actions: delete one first"
    quotas.count(unit, holder, QUICK_ACTIONS.entity, by, maximum=MAX_QUICK_ACTIONS, refusal=refusal)
