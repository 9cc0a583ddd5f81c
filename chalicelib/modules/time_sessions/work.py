"""Work that time is tracked on: a project and a task of it, checked together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from chalicelib.core.errors import invalid_field, not_found
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.collection import is_deleted
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.models.time.projects import PROJECTS, StoredProject
from chalicelib.models.time.tasks import TASKS, Task


class Work(NamedTuple):
    project: StoredProject | None
    task: Task | None

    @property
    def project_id(self) -> UUID | None:
        return None if self.project is None else self.project.id

    @property
    def task_id(self) -> UUID | None:
        return None if self.task is None else self.task.id

    @property
    def is_billable(self) -> bool:
        return self.project is not None and self.project.is_billable


def keys_of(organization: OrganizationId, project: UUID | None, task: UUID | None) -> list[Key]:
    return [
        *([] if project is None else [PROJECTS.key(organization, project)]),
        *([] if task is None else [TASKS.key(organization, task)]),
    ]


def project_of_task(items: Mapping[Key, Item]) -> UUID | None:
    """Return the project of the task among items that were read; None for no task."""
    return next((TASKS.record.of(item, TASKS.entity).project_id for item in items.values()), None)


def chosen(
    organization: OrganizationId,
    items: Mapping[Key, Item],
    project_id: UUID | None,
    task_id: UUID | None,
    *,
    unchanged_project: UUID | None = None,
) -> Work:
    """Return the work from items that `keys_of` named. A task without a project says the project.

    NOT_FOUND for what is not live, VALIDATION_ERROR for an archived project and a task of another one. A session keeps
    an archived project that it has: `unchanged_project`.
    """
    task = None
    if task_id is not None:
        task = TASKS.record.of(items.get(TASKS.key(organization, task_id)), TASKS.entity)
        if is_deleted(task):
            raise not_found(TASKS.entity)
        if project_id is not None and task.project_id != project_id:
            # The task of a deleted project is gone with it.
            _live(organization, items, project_id)
            raise invalid_field("taskId", "is a task of another project")
    project: StoredProject | None
    if project_id is None and task is not None:
        project = PROJECTS.get(organization, task.project_id)
    else:
        project = None if project_id is None else _live(organization, items, project_id)
    if project is not None and not project.is_active and project.id != unchanged_project:
        raise invalid_field("projectId", "is an archived project")
    return Work(project, task)


def _live(organization: OrganizationId, items: Mapping[Key, Item], project: UUID) -> StoredProject:
    record = PROJECTS.record.of(items.get(PROJECTS.key(organization, project)), PROJECTS.entity)
    if is_deleted(record):
        raise not_found(PROJECTS.entity)
    return record
