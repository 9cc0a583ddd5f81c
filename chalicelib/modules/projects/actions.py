"""Projects and their members."""

from __future__ import annotations

from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import CursorPage, CursorQuery
from chalicelib.core.errors import ErrorCode
from chalicelib.dal.collection import get_together, is_deleted
from chalicelib.dal.page_lists import Rows
from chalicelib.models.audit import AuditEvent
from chalicelib.models.time import members, projects
from chalicelib.models.time.projects import PROJECTS, Project, StoredProject
from chalicelib.models.users import USERS, UserRef
from chalicelib.modules.projects.contracts import (
    CreateProject,
    ListProjects,
    ProjectDetails,
    ProjectMember,
    UpdateProject,
)
from chalicelib.modules.projects.views import details
from chalicelib.modules.rates.contracts import require_currency


@action(
    "createProject",
    "POST /projects",
    permission=Permission.PROJECTS_WRITE,
    audit=AuditEvent.PROJECT_CREATED,
    status=201,
    errors=(ErrorCode.DUPLICATE_ENTRY, ErrorCode.NOT_FOUND),
)
def create_project(ctx: Context, data: CreateProject) -> Project:
    """Adds a project. Its name is unique among the active ones, whatever its case."""
    if data.budget is not None:
        require_currency(ctx, data.budget, "budget.currency")
    return projects.create(ctx.unit, StoredProject.new(**dict(data)))


@action("getProject", "GET /projects/{id}", permission=Permission.WORKSPACE_READ, entity=PROJECTS)
def get_project(ctx: Context, id_: UUID) -> ProjectDetails:
    """One project, with the time tracked on it and its tasks by status."""
    return details([PROJECTS.get(ctx.organization, id_)])[0]


@action("listProjects", "GET /projects", permission=Permission.WORKSPACE_READ)
def list_projects(ctx: Context, data: ListProjects) -> CursorPage[ProjectDetails]:
    """The projects, newest first; `search` looks at the name.

    With filters a page may hold fewer than `limit`; the list ends only where `nextCursor` is null.
    """
    facets = {"status": data.status and data.status.value, "clientId": data.client_id and str(data.client_id)}
    return PROJECTS.walk(
        ctx.organization,
        ctx.cursors,
        cursor=data.cursor,
        limit=data.limit,
        forward=False,
        include_deleted=False,
        facets={name: value for name, value in facets.items() if value is not None},
        search=data.search,
        rows=Rows(ProjectDetails, details),
    )


@action(
    "updateProject",
    "PATCH /projects/{id}",
    permission=Permission.PROJECTS_WRITE,
    entity=PROJECTS,
    audit=AuditEvent.PROJECT_UPDATED,
    errors=(ErrorCode.DUPLICATE_ENTRY,),
)
def update_project(ctx: Context, id_: UUID, data: UpdateProject) -> Project:
    """Changes a project. An archived one keeps its time and takes no more; its name is free for another."""
    changes = data.changes()
    if changes.get("budget") is not None:
        require_currency(ctx, changes["budget"], "budget.currency")
    return projects.update(ctx.unit, PROJECTS.get(ctx.organization, id_), changes)


@action(
    "deleteProject",
    "DELETE /projects/{id}",
    permission=Permission.PROJECTS_WRITE,
    entity=PROJECTS,
    audit=AuditEvent.PROJECT_DELETED,
    errors=(ErrorCode.HAS_DEPENDENCIES,),
)
def delete_project(ctx: Context, id_: UUID) -> Project:
    """Deletes a project softly, and its tasks with it. Refused while it has time sessions: archive it instead."""
    return projects.delete(ctx.unit, PROJECTS.get(ctx.organization, id_))


# -- members ---------------------------------------------------------------------------------------------------------


@action("listProjectMembers", "GET /projects/{id}/members", permission=Permission.PROJECTS_WRITE, entity=PROJECTS)
def list_project_members(ctx: Context, id_: UUID, data: CursorQuery) -> CursorPage[ProjectMember]:
    """The members of a project. They are suggested first and may have rates; others may track time on it, too."""
    PROJECTS.get(ctx.organization, id_)
    page = members.walk_members(ctx.organization, id_, ctx.cursors, cursor=data.cursor, limit=data.limit)
    [users] = get_together(ctx.organization, [(USERS, [member.user_id for member in page.items])], [ctx.user])
    rows = [
        ProjectMember(user=UserRef.of(users[member.user_id]), added_at=member.added_at)
        for member in page.items
        if member.user_id in users and not is_deleted(users[member.user_id])
    ]
    return CursorPage[ProjectMember](items=rows, next_cursor=page.next_cursor)


@action(
    "addProjectMember",
    "PUT /projects/{id}/members/{userId}",
    permission=Permission.PROJECTS_WRITE,
    audit=AuditEvent.PROJECT_MEMBER_ADDED,
)
def add_project_member(ctx: Context, id_: UUID, user_id: UUID) -> ProjectMember:
    """Makes a user a member of a project; one who is a member stays one."""
    membership = members.read(ctx.organization, id_, user_id, ctx.user)
    member = members.add(ctx.unit, membership, ctx.now)
    return ProjectMember(user=UserRef.of(membership.user), added_at=member.added_at)


@action(
    "removeProjectMember",
    "DELETE /projects/{id}/members/{userId}",
    permission=Permission.PROJECTS_WRITE,
    audit=AuditEvent.PROJECT_MEMBER_REMOVED,
)
def remove_project_member(ctx: Context, id_: UUID, user_id: UUID) -> ProjectMember:
    """Ends a membership. The user's rates in the project stay: they price the time that was tracked."""
    membership = members.read(ctx.organization, id_, user_id, ctx.user)
    member = members.remove(ctx.unit, membership)
    return ProjectMember(user=UserRef.of(membership.user), added_at=member.added_at)
