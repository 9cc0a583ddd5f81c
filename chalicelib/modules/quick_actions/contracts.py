"""Contracts of making, listing and running quick actions, and the answer of a run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.config import JsonDict, JsonValue

from chalicelib.core.contracts import Body, ChildrenQuery, Contract, Patch
from chalicelib.core.field_types import Flag
from chalicelib.core.json_objects import JsonObject, bounded
from chalicelib.models.dashboards.metrics import Color, Icon
from chalicelib.models.dashboards.quick_actions import (
    ActionType,
    Description,
    FormConfig,
    QuickActionName,
    RequiredRoles,
    RequiredTiers,
    SortOrder,
    TargetUrl,
)
from chalicelib.modules.quick_actions.forms import require_schema
from chalicelib.modules.quick_actions.targets import ApiAction

MAX_PAYLOAD_BYTES = 64 * 1024

Form = Annotated[FormConfig, AfterValidator(require_schema)]

_NULL: JsonDict = {"type": "null"}
_TEXT: JsonDict = {"type": "string"}
_OBJECT: JsonDict = {"type": "object"}


def _of_type(kind: ActionType, **fields: JsonDict) -> JsonDict:
    """Return the schema of the fields that a definition of this type has, and which of them are not null."""
    required: list[JsonValue] = ["actionType", *(name for name, schema in fields.items() if schema is not _NULL)]
    return {"properties": {"actionType": {"const": kind.value}, **fields}, "required": required}


_BY_TYPE: JsonDict = {
    "oneOf": [
        _of_type(ActionType.NAVIGATION, targetUrl=_TEXT, apiAction=_NULL, formConfig=_NULL),
        _of_type(ActionType.API_CALL, targetUrl=_NULL, apiAction=_TEXT),
        _of_type(ActionType.FORM, targetUrl=_NULL, apiAction=_TEXT, formConfig=_OBJECT),
    ]
}
"""Fields by type, as far as a schema can say it; `rules` checks it field by field."""


class CreateQuickAction(Body):
    model_config = ConfigDict(json_schema_extra=_BY_TYPE)

    name: QuickActionName
    description: Annotated[Description | None, Field(examples=["After each call with a client"])] = None
    icon: Icon | None = None
    action_type: Annotated[ActionType, Field(examples=[ActionType.FORM])]
    target_url: Annotated[TargetUrl | None, Field(examples=[None])] = None
    api_action: ApiAction | None = None
    form_config: Form | None = None
    color: Color = "blue"
    is_enabled: bool = True
    sort_order: SortOrder = 0
    required_role: RequiredRoles = ()
    required_tier: RequiredTiers = ()


class UpdateQuickAction(Patch, of=CreateQuickAction):
    """The fields to change."""


class GetQuickActions(ChildrenQuery):
    include_disabled: Annotated[
        Flag,
        Field(description="All there are, also those that are disabled or for others; only for who may change them."),
    ] = False


class ExecuteQuickAction(Body):
    payload: Annotated[
        JsonObject,
        bounded(MAX_PAYLOAD_BYTES),
        Field(
            default_factory=dict,
            description="Parameters of the action's path and its query or body, by name.",
            examples=[{"name": "Hansekontor"}],
        ),
    ]


Running = Literal[ActionType.API_CALL, ActionType.FORM]


class Navigated(Contract):
    type: Literal[ActionType.NAVIGATION]
    url: Annotated[str, Field(description="Where to go. Nothing was run.", examples=["/clients/new"])]


class Executed(Contract):
    type: Running
    action: Annotated[str, Field(description="operationId of the action that was run.", examples=["recordActivity"])]
    status: Annotated[int, Field(description="The HTTP status that it has by itself.", examples=[201])]
    result: Annotated[Any, Field(description="Its own answer.", examples=[{}])]
