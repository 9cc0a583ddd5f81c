"""A change of a session, checked: its fields as they will be, and the data that the write needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from chalicelib.action.context import Context
from chalicelib.models.time import timers
from chalicelib.models.time.sessions import TimeSession, WriteContext, read_context
from chalicelib.models.time.spans import net_seconds, require_valid
from chalicelib.modules.time_sessions import work
from chalicelib.modules.time_sessions.views import price_keys


class Change(NamedTuple):
    fields: dict[str, Any]
    context: WriteContext


def changed(ctx: Context, before: TimeSession, changes: Mapping[str, Any]) -> Change:
    """Check changes by attribute name. The errors are those of creating the session as it would be."""
    fields = dict(changes)
    if "project_id" in fields and fields["project_id"] is None and "task_id" not in fields:
        fields["task_id"] = None
    after = before.model_copy(update=fields)
    require_valid(after.start_at, after.end_at, after.pauses, ctx.now)
    fields["duration_seconds"] = net_seconds(after.start_at, after.end_at, after.pauses)
    context = read_context(
        ctx.organization,
        before.user_id,
        [(before.start_at, before.end_at), (after.start_at, after.end_at)],
        {*before.tags, *after.tags},
        [
            timers.key(ctx.organization, before.user_id),
            *work.keys_of(ctx.organization, after.project_id, after.task_id),
            *price_keys(ctx, before.user_id, after.project_id),
        ],
    )
    chosen = work.chosen(
        ctx.organization,
        context.items,
        after.project_id,
        after.task_id,
        unchanged_project=before.project_id,
    )
    fields |= {"project_id": chosen.project_id, "task_id": chosen.task_id}
    if "tags" in fields:
        fields["tags"] = context.spelled(fields["tags"])
    return Change(fields, context)
