"""Rules of a quick action's definition that concern several fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.core.errors import invalid_fields
from chalicelib.models.dashboards.quick_actions import ActionType, QuickAction

_REQUIRED: Mapping[ActionType, frozenset[str]] = {
    ActionType.NAVIGATION: frozenset({"targetUrl"}),
    ActionType.API_CALL: frozenset({"apiAction"}),
    ActionType.FORM: frozenset({"apiAction", "formConfig"}),
}
_ALLOWED: Mapping[ActionType, frozenset[str]] = {**_REQUIRED, ActionType.API_CALL: _REQUIRED[ActionType.FORM]}


def require_whole(definition: QuickAction) -> None:
    """Refuse a definition with missing or misplaced fields: VALIDATION_ERROR with all of them."""
    kind = definition.action_type
    given: Mapping[str, Any] = {
        "targetUrl": definition.target_url,
        "apiAction": definition.api_action,
        "formConfig": definition.form_config,
    }
    missing = {field for field in _REQUIRED[kind] if given[field] is None}
    misplaced = {field for field, value in given.items() if value is not None and field not in _ALLOWED[kind]}
    faults = {
        **{field: [f"is required for {kind}"] for field in sorted(missing)},
        **{field: [f"must be left out for {kind}, or cleared with null"] for field in sorted(misplaced)},
    }
    if faults:
        raise invalid_fields(faults)
