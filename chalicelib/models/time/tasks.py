"""Tasks: the work of a project. A task belongs to one project and is gone with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core import clock, text
from chalicelib.core.contracts import CursorPage
from chalicelib.core.days import Day
from chalicelib.core.errors import not_found
from chalicelib.core.field_types import Instant, Line, Lines
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys
from chalicelib.dal.collection import Collection, get_together, is_deleted
from chalicelib.dal.cursors import Cursors, walk
from chalicelib.dal.item import Item
from chalicelib.dal.records import DeletableRecord
from chalicelib.dal.table import all_of
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models import labels
from chalicelib.models.time.projects import PROJECTS, EstimatedMinutes

TaskTitle = Annotated[Line, Field(max_length=200, examples=["Regale im Block C umsetzen"])]
TaskDescription = Annotated[Lines, Field(max_length=5000, examples=["Erst Block C, dann D; die Tore bleiben frei."])]
SortOrder = Annotated[int, Field(ge=0, le=1_000_000, examples=[10])]


class TaskStatus(StrEnum):
    TODO = "TODO"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"

    @property
    def counter(self) -> str:
        """The counter on the project of its tasks with this status."""
        return f"task{self.value}"


class Task(DeletableRecord):
    project_id: UUID
    title: TaskTitle
    description: TaskDescription | None = None
    status: TaskStatus = TaskStatus.TODO
    done_at: Instant | None = None
    """When it became DONE; null in other states."""
    assignee_id: UUID | None = None
    due_date: Day | None = None
    estimated_minutes: EstimatedMinutes | None = None
    sort_order: SortOrder = 0


@dataclass(frozen=True, kw_only=True)
class _Tasks(Collection[Task]):
    def index(self, organization: OrganizationId, record: Task) -> dict[str, Any]:
        """Add the place in the list of the project's tasks: by sort order, then by age."""
        listing = keys.timeline(organization, self.kind, "PROJECT", record.project_id)
        facets = {"status": record.status.value, "title": text.unique_form(record.title)}
        if record.assignee_id is not None:
            facets["assigneeId"] = str(record.assignee_id)
        return {
            **super().index(organization, record),
            listing.attribute: None if is_deleted(record) else listing.pk,
            "at": f"{record.sort_order:07}#{record.id}",
            "facets": facets,
        }


TASKS = _Tasks(entity="task", record=Task, children=("timeSession", "timer"), called=lambda task: task.title)


def get(organization: OrganizationId, identifier: UUID) -> Task:
    """Return a live task. NOT_FOUND for absent and deleted ones, and for those of a deleted project."""
    task = TASKS.get(organization, identifier)
    PROJECTS.get(organization, task.project_id)
    return task


def create(unit: UnitOfWork, task: Task) -> Task:
    """Add a task. NOT_FOUND for a project that is not live."""
    TASKS.create(unit, task)
    PROJECTS.count_children(unit, task.project_id, {task.status.counter: 1})
    return task


def update(unit: UnitOfWork, task: Task, changes: Mapping[str, Any]) -> Task:
    status = changes.get("status", task.status)
    if status is not task.status:
        changes = {**changes, "done_at": clock.now() if status is TaskStatus.DONE else None}
    after = TASKS.update(unit, task, changes)
    if after.title != task.title:
        labels.move_names(unit)
    moves = Counter({after.status.counter: 1})
    moves.subtract({task.status.counter: 1})
    PROJECTS.count_children(unit, task.project_id, {name: by for name, by in moves.items() if by})
    return after


def delete(unit: UnitOfWork, task: Task) -> Task:
    """Delete a task. HAS_DEPENDENCIES while it has time sessions."""
    deleted = TASKS.delete(unit, task)
    PROJECTS.count_children(unit, task.project_id, {task.status.counter: -1})
    return deleted


def walk_tasks(
    organization: OrganizationId,
    project: UUID,
    cursors: Cursors,
    *,
    status: TaskStatus | None,
    assignee: UUID | None,
    cursor: str | None,
    limit: int,
) -> CursorPage[Task]:
    """The live tasks of a project in their order, read consistently after the index found them."""
    facets = {"status": status and status.value, "assigneeId": assignee and str(assignee)}

    def read(rows: list[dict[str, Any]]) -> list[Task]:
        ids = [UUID(row["sk"]["S"]) for row in rows]
        records = TASKS.get_many(organization, ids)
        return [records[id_] for id_ in ids if id_ in records and not is_deleted(records[id_])]

    return walk(
        keys.timeline(organization, TASKS.kind, "PROJECT", project),
        cursors,
        CursorPage[Task],
        read,
        cursor=cursor,
        limit=limit,
        forward=True,
        condition=all_of(Item.facets[name] == value for name, value in facets.items() if value is not None),
    )


def of_project(organization: OrganizationId, task: UUID, project: UUID) -> Task:
    """Return a task of one project, which both are live. NOT_FOUND for the one or the other."""
    projects, tasks = get_together(organization, [(PROJECTS, [project]), (TASKS, [task])])
    for collection, record in ((PROJECTS, projects.get(project)), (TASKS, tasks.get(task))):
        if record is None or is_deleted(record):
            raise not_found(collection.entity)
    result: Task = tasks[task]
    return result
