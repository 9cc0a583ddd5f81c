"""Which actions of this API a quick action may run."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import AfterValidator, GetJsonSchemaHandler, SecretStr
from pydantic_core import CoreSchema, PydanticCustomError

from chalicelib import modules
from chalicelib.action.registry import REGISTRY, Action
from chalicelib.core.errors import invalid_state
from chalicelib.core.messages import suggestion
from chalicelib.models.audit import AuditEvent
from chalicelib.models.dashboards.quick_actions import ActionName, QuickAction
from chalicelib.modules.routes import ROUTES

_OWN_TAG = "quick actions"


def refusal(action: Action) -> str | None:
    """Why a quick action may not run it; None when it may."""
    reasons = {
        "it is about quick actions": action.tag == _OWN_TAG,
        "anyone may call it, signed in or not": action.is_public,
        "it ends sessions": action.ends_session or action.audit is AuditEvent.OTHER_SESSIONS_REVOKED,
        "it takes secrets": _takes_secrets(action),
        "it takes more than one transaction": action.is_in_parts,
        "its answer is not JSON": action.raw_media_type is not None,
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def names() -> list[str]:
    """Those that may be run, in the order of the documentation."""
    modules.declared_routes()
    return [name for name, action in REGISTRY.items() if refusal(action) is None]


def find(name: str | None) -> Action | None:
    """None for one that this API does not have (any more), or that may not be run."""
    action = modules.find(name or "")
    return action if action is not None and refusal(action) is None else None


def of(quick_action: QuickAction) -> Action:
    """Return the action that a quick action runs. VALIDATION_ERROR when the API no longer has it."""
    action = find(quick_action.api_action)
    if action is None:
        raise invalid_state(
            f"{quick_action.api_action}, which this quick action runs, is no longer an action that it can run: "
            "give it another apiAction"
        )
    return action


def _takes_secrets(action: Action) -> bool:
    fields = action.data_type.model_fields.values() if action.data_type is not None else ()
    return any(SecretStr in {field.annotation, *get_args(field.annotation)} for field in fields)


def _require(name: str) -> str:
    action = modules.find(name)
    if action is None:
        meant = suggestion(name, (route.action for route in ROUTES))
        raise PydanticCustomError("api_action", "is not an action of this API{meant}", {"meant": meant})
    reason = refusal(action)
    if reason is not None:
        raise PydanticCustomError("api_action", "cannot be run by a quick action: {reason}", {"reason": reason})
    return name


class _Documented:
    """The names, which are known only once all actions are declared."""

    @staticmethod
    def __get_pydantic_json_schema__(_: CoreSchema, __: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": "string",
            "description": "The action that is run, by its operationId.",
            "enum": names(),
            "examples": ["recordActivity"],
        }


ApiAction = Annotated[ActionName, AfterValidator(_require), _Documented]
