"""Running a quick action: its target, an action of this API, runs as the caller, in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.action import sub_action
from chalicelib.action.context import Context
from chalicelib.core.errors import ActionError, ErrorCode, forbidden, invalid_field, invalid_state
from chalicelib.models.dashboards import quick_actions
from chalicelib.models.dashboards.quick_actions import QUICK_ACTIONS, ActionType, QuickAction
from chalicelib.modules.quick_actions import availability, forms, targets
from chalicelib.modules.quick_actions.contracts import Executed, Navigated, Running

MAX_RESULT_CHARACTERS = 300_000
"""Size of a result as it is stored under an idempotency key: an item takes 400 KB."""


def execute(ctx: Context, quick_action: QuickAction, payload: dict[str, Any]) -> Navigated | Executed:
    """Run a quick action. FORBIDDEN for who may not, VALIDATION_ERROR while it is disabled; else as its action."""
    quick_actions.require_version(ctx.unit, quick_action)
    refusal = availability.refusal(quick_action, ctx.principal)
    if refusal is not None:
        raise forbidden(refusal)
    if not quick_action.is_enabled:
        raise invalid_state("this quick action is disabled")
    kind = quick_action.action_type
    if kind is ActionType.NAVIGATION:
        return _navigate(ctx, quick_action, payload)
    return _run(ctx, quick_action, kind, payload)


def _navigate(ctx: Context, quick_action: QuickAction, payload: Mapping[str, Any]) -> Navigated:
    if payload:
        raise invalid_field("payload", "a NAVIGATION takes none")
    url = quick_action.target_url or ""
    _tell(ctx, quick_action, {"url": url})
    return Navigated(type=ActionType.NAVIGATION, url=url)


def _run(ctx: Context, quick_action: QuickAction, kind: Running, payload: dict[str, Any]) -> Executed:
    target = targets.of(quick_action)
    if quick_action.form_config is not None:
        forms.require_payload(quick_action.form_config, payload, "payload")
    result = sub_action.run(ctx, target, payload, "payload")
    if len(json.dumps(json.dumps(result))) > MAX_RESULT_CHARACTERS:
        raise ActionError(
            ErrorCode.VALIDATION_ERROR,
            f"the answer of {target.name} is too large for a quick action: call it by itself",
            details={"use": target.name},
        )
    _tell(ctx, quick_action, {"action": target.name})
    return Executed(type=kind, action=target.name, status=target.status, result=result)


def _tell(ctx: Context, quick_action: QuickAction, run: Mapping[str, Any]) -> None:
    """Declare the run for the audit log. Its changes are in the target's own entry."""
    ctx.unit.audit_target(QUICK_ACTIONS.entity, quick_action.id, {}, {"executed": run}, name=quick_action.name)
