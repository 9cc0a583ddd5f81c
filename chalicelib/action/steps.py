"""Steps that are the same for the action of a request and for one that it runs in turn: see `sub_action`."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.action.context import AnyContext, Request
from chalicelib.action.registry import Action
from chalicelib.auth.permissions import Permission
from chalicelib.auth.principal import Principal
from chalicelib.core.contracts import JsonCursorPage, JsonPage
from chalicelib.models import audit


def authorize(action: Action, principal: Principal) -> None:
    """Check the permission. FORBIDDEN for a caller who may not call the action."""
    if isinstance(action.permission, Permission):
        principal.require(action.permission)


def query_fingerprint(request: Request) -> str:
    """Return the fingerprint of a list's filters, for which its cursors are made."""
    filters = {name: values for name, values in request.query.items() if name not in {"cursor", "limit"}}
    return json.dumps([dict(request.path), filters], sort_keys=True)


def json_of(action: Action, result: Any) -> Any:
    """A result as JSON values."""
    if isinstance(result, JsonCursorPage | JsonPage):
        return result.json_values()
    # A result of another type than declared might carry internal fields: that is an error, not a warning.
    return action.output.dump_python(result, mode="json", warnings="error")


def record(action: Action, context: AnyContext) -> None:
    """Adds a write's audit entry to its unit."""
    if action.audit is not None:
        audit.record_change(context.unit, action.audit, context.actor, context.request.id)
