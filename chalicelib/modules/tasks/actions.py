"""Tasks of projects."""

from __future__ import annotations

from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import CursorPage
from chalicelib.core.errors import ErrorCode, invalid_field, not_found
from chalicelib.dal.collection import get_together, is_deleted
from chalicelib.models.audit import AuditEvent
from chalicelib.models.time import tasks
from chalicelib.models.time.projects import PROJECTS
from chalicelib.models.time.tasks import TASKS, Task, TaskStatus
from chalicelib.models.users import USERS
from chalicelib.modules.tasks.contracts import CreateTask, ListTasks, UpdateTask


@action(
    "createTask",
    "POST /projects/{id}/tasks",
    permission=Permission.PROJECTS_WRITE,
    audit=AuditEvent.TASK_CREATED,
    status=201,
)
def create_task(ctx: Context, id_: UUID, data: CreateTask) -> Task:
    """Adds a task to a project, for good: it never moves to another."""
    _require(ctx, id_, data.assignee_id)
    done_at = ctx.now if data.status is TaskStatus.DONE else None
    return tasks.create(ctx.unit, Task.new(**dict(data), project_id=id_, done_at=done_at))


@action("getTask", "GET /tasks/{id}", permission=Permission.WORKSPACE_READ, entity=TASKS)
def get_task(ctx: Context, id_: UUID) -> Task:
    """One task."""
    return tasks.get(ctx.organization, id_)


@action("listTasks", "GET /projects/{id}/tasks", permission=Permission.WORKSPACE_READ, entity=PROJECTS)
def list_tasks(ctx: Context, id_: UUID, data: ListTasks) -> CursorPage[Task]:
    """The tasks of a project by `sortOrder`, equal ones by age.

    With filters a page may hold fewer than `limit`; the list ends only where `nextCursor` is null.
    """
    PROJECTS.get(ctx.organization, id_)
    return tasks.walk_tasks(
        ctx.organization,
        id_,
        ctx.cursors,
        status=data.status,
        assignee=data.assignee_id,
        cursor=data.cursor,
        limit=data.limit,
    )


@action(
    "updateTask", "PATCH /tasks/{id}", permission=Permission.PROJECTS_WRITE, entity=TASKS, audit=AuditEvent.TASK_UPDATED
)
def update_task(ctx: Context, id_: UUID, data: UpdateTask) -> Task:
    """Changes a task. `doneAt` follows from its status."""
    task, changes = TASKS.get(ctx.organization, id_), data.changes()
    _require(ctx, task.project_id, changes.get("assignee_id"))
    return tasks.update(ctx.unit, task, changes)


@action(
    "deleteTask",
    "DELETE /tasks/{id}",
    permission=Permission.PROJECTS_WRITE,
    entity=TASKS,
    audit=AuditEvent.TASK_DELETED,
    errors=(ErrorCode.HAS_DEPENDENCIES,),
)
def delete_task(ctx: Context, id_: UUID) -> Task:
    """Deletes a task softly. Refused while it has time sessions."""
    return tasks.delete(ctx.unit, tasks.get(ctx.organization, id_))


def _require(ctx: Context, project: UUID, assignee: UUID | None) -> None:
    """Refuse a project that is not live and an unknown user: NOT_FOUND; a task is for an active one."""
    assignees = [] if assignee is None else [assignee]
    projects, users = get_together(ctx.organization, [(PROJECTS, [project]), (USERS, assignees)], [ctx.user])
    if project not in projects or is_deleted(projects[project]):
        raise not_found(PROJECTS.entity)
    if assignee is not None and (assignee not in users or is_deleted(users[assignee])):
        raise not_found(USERS.entity)
    if assignee is not None and not users[assignee].is_active:
        raise invalid_field("assigneeId", "is a user who is deactivated")
