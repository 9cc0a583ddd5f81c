"""Quick actions: buttons of a dashboard, and running them."""

from __future__ import annotations

import json
from uuid import UUID

from chalicelib.action import lists
from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import CursorPage
from chalicelib.core.errors import ErrorCode
from chalicelib.models.audit import AuditEvent
from chalicelib.models.dashboards import quick_actions
from chalicelib.models.dashboards.quick_actions import QUICK_ACTIONS, QuickAction
from chalicelib.modules.quick_actions import availability, execution
from chalicelib.modules.quick_actions.contracts import (
    CreateQuickAction,
    Executed,
    ExecuteQuickAction,
    GetQuickActions,
    Navigated,
    UpdateQuickAction,
)
from chalicelib.modules.quick_actions.rules import require_whole
from chalicelib.modules.quick_actions.system import refuse_change


@action(
    "createQuickAction",
    "POST /quick-actions",
    permission=Permission.QUICK_ACTIONS_WRITE,
    audit=AuditEvent.QUICK_ACTION_CREATED,
    status=201,
)
def create_quick_action(ctx: Context, data: CreateQuickAction) -> QuickAction:
    """Adds a quick action, of up to 200.

    A NAVIGATION goes to `targetUrl`. An API_CALL and a FORM run `apiAction` with a payload; `formConfig` describes it.
    """
    definition = QuickAction.new(**dict(data))
    require_whole(definition)
    return quick_actions.create(ctx.unit, definition)


@action("getQuickActions", "GET /quick-actions", permission=Permission.WORKSPACE_READ)
def get_quick_actions(ctx: Context, data: GetQuickActions) -> CursorPage[QuickAction]:
    """The quick actions that the caller may run, by `sortOrder`, then by name. The product's own are among them.

    Left out are those that are disabled, and those that the caller's role or the organization's tier may not run.
    """
    if data.include_disabled:
        ctx.principal.require(Permission.QUICK_ACTIONS_WRITE)
        rows = availability.everything(ctx.organization)
    else:
        rows = availability.offered(ctx.principal)
    if data.cursor is not None:
        after = tuple(json.loads(ctx.cursors.decode(data.cursor)))
        rows = [row for row in rows if availability.position(row) > after]
    page = rows[: data.limit]
    last = _position(page[-1]) if len(page) < len(rows) else None
    return lists.cursor_page(ctx, CursorPage[QuickAction], page, last, _position)


@action("getQuickActionById", "GET /quick-actions/{id}", permission=Permission.WORKSPACE_READ, entity=QUICK_ACTIONS)
def get_quick_action_by_id(ctx: Context, id_: UUID) -> QuickAction:
    """One quick action, whether or not the caller may run it."""
    return availability.get(ctx.organization, id_)


@action(
    "updateQuickAction",
    "PATCH /quick-actions/{id}",
    permission=Permission.QUICK_ACTIONS_WRITE,
    entity=QUICK_ACTIONS,
    audit=AuditEvent.QUICK_ACTION_UPDATED,
)
def update_quick_action(ctx: Context, id_: UUID, data: UpdateQuickAction) -> QuickAction:
    """Changes a quick action. Those that come with the product can't be changed."""
    refuse_change(id_)
    before = QUICK_ACTIONS.get(ctx.organization, id_)
    require_whole(before.changed(**data.changes()))
    return QUICK_ACTIONS.update(ctx.unit, before, data.changes())


@action(
    "deleteQuickAction",
    "DELETE /quick-actions/{id}",
    permission=Permission.QUICK_ACTIONS_WRITE,
    entity=QUICK_ACTIONS,
    audit=AuditEvent.QUICK_ACTION_DELETED,
)
def delete_quick_action(ctx: Context, id_: UUID) -> QuickAction:
    """Deletes a quick action softly. Those that come with the product can't be deleted."""
    refuse_change(id_)
    return quick_actions.delete(ctx.unit, QUICK_ACTIONS.get(ctx.organization, id_))


@action(
    "executeQuickAction",
    "POST /quick-actions/{id}/execute",
    permission=Permission.QUICK_ACTIONS_RUN,
    entity=QUICK_ACTIONS,
    audit=AuditEvent.QUICK_ACTION_EXECUTED,
    errors=(ErrorCode.DUPLICATE_ENTRY, ErrorCode.HAS_DEPENDENCIES, ErrorCode.INVALID_DATE_RANGE),
)
def execute_quick_action(ctx: Context, id_: UUID, data: ExecuteQuickAction) -> Navigated | Executed:
    """Runs a quick action as the caller.

    A NAVIGATION answers where to go. An API_CALL or a FORM runs its action, for which the caller needs that action's
    permission too: the payload must satisfy the form and the action's contract, and all of it is one transaction.
    `If-Match` is about the quick action.
    """
    return execution.execute(ctx, availability.get(ctx.organization, id_), data.payload)


def _position(quick_action: QuickAction) -> str:
    """Return its place in lists, as a cursor has it."""
    return json.dumps(availability.position(quick_action))
