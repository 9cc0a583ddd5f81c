"""Work of an import: the clients, projects and tasks that rows name, in any case, and those that are missing.

A project is an active one with the name; names of archived projects may belong to several. Of tasks with one title the
first in the project's order is meant.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from chalicelib.auth.permissions import Permission
from chalicelib.core import text
from chalicelib.core.errors import ActionError, ErrorCode, invalid_field, invalid_fields
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.collection import is_deleted
from chalicelib.models.staffing.clients import CLIENTS, StoredClient
from chalicelib.models.time.projects import PROJECTS, StoredProject
from chalicelib.models.time.tasks import TASKS, Task
from chalicelib.modules.time_sessions.importing.contracts import RowWarning, RowWarningCode
from chalicelib.modules.time_sessions.importing.rows import RowTexts, SessionRow

NAME, CLIENT, TASK = "project", "client", "task"
MAX_TASKS = 10_000
"""Tasks of one project among which a title is looked for."""

TaskName = tuple[str, str]
"""The forms of a project's name and of a task's title."""


@dataclass
class WorkIds:
    """Ids of existing entities, by the unique forms of their names."""

    clients: dict[str, UUID] = field(default_factory=dict)
    projects: dict[str, UUID] = field(default_factory=dict)
    tasks: dict[TaskName, UUID] = field(default_factory=dict)


@dataclass
class Missing:
    """Clients, projects and tasks that rows need and there are not yet, as they are to be created."""

    billable: Mapping[str, bool]
    """The `isBillable` of new projects, by the forms of their names."""
    clients: dict[str, StoredClient] = field(default_factory=dict)
    projects: dict[str, StoredProject] = field(default_factory=dict)
    client_of: dict[str, str] = field(default_factory=dict)
    """The form of the client's name by that of the project's."""
    tasks: dict[TaskName, Task] = field(default_factory=dict)

    def numbers(self) -> dict[str, int]:
        """Return how much is missing, as the report names it."""
        return {
            "new_clients": len(self.clients),
            "new_projects": len(self.projects),
            "new_tasks": len(self.tasks),
        }


class Work(NamedTuple):
    project: StoredProject | None = None
    task: Task | None = None
    warnings: tuple[RowWarning, ...] = ()


def task_name(texts: RowTexts) -> TaskName | None:
    if texts.project is None or texts.task is None:
        return None
    return text.unique_form(texts.project), text.unique_form(texts.task)


def find(organization: OrganizationId, rows: Sequence[SessionRow]) -> WorkIds:
    """Find the entities that the rows name. A query for each project with tasks; everything else in batches."""
    forms = {row.project_form for row in rows if row.project_form is not None}
    clients = {text.unique_form(row.texts.client) for row in rows if row.texts.client is not None}
    ids = WorkIds(CLIENTS.owners(organization, "name", clients), PROJECTS.owners(organization, "name", forms))
    with_tasks = {name[0] for row in rows if (name := task_name(row.texts)) is not None}
    for form in sorted(with_tasks & {*ids.projects}):
        listing = keys.timeline(organization, TASKS.kind, "PROJECT", ids.projects[form])
        for row in itertools.islice(table.query_all(listing), MAX_TASKS):
            title = table.plain(row, "facets")["title"]
            ids.tasks.setdefault((form, title), UUID(row["sk"]["S"]))
    return ids


def missing_of(rows: Sequence[SessionRow]) -> Missing:
    """Return a collector of the entities that the rows lack. A new project is billable unless none of its rows is."""
    billable: dict[str, bool] = {}
    for row in rows:
        if (form := row.project_form) is not None:
            billable[form] = billable.get(form, False) or row.billable is not False
    return Missing(billable)


@dataclass
class WorkFinder:
    """Finds the project and task of each row, from the ids of names and the records as they were read."""

    ids: WorkIds
    projects: Mapping[UUID, StoredProject]
    tasks: Mapping[UUID, Task]
    creates_missing: bool
    permissions: Collection[Permission]
    missing: Missing | None = None
    """Collects the entities that rows lack, to be created."""

    def work_of(self, texts: RowTexts) -> Work:
        """Return the work of a row. NOT_FOUND, FORBIDDEN or VALIDATION_ERROR on the role of a column."""
        if texts.project is None:
            return Work()
        form = text.unique_form(texts.project)
        project = self._project(form)
        warnings: tuple[RowWarning, ...] = ()
        if project is None:
            project = self._new_project(form, texts)
        elif texts.client is not None:
            warnings = self._compare_client(project, form, texts.client)
        return Work(project, self._task(project, texts), warnings)

    def _project(self, form: str) -> StoredProject | None:
        if self.missing is not None and form in self.missing.projects:
            return self.missing.projects[form]
        identifier = self.ids.projects.get(form)
        project = None if identifier is None else self.projects.get(identifier)
        return project if project is not None and project.is_active else None

    def _new_project(self, form: str, texts: RowTexts) -> StoredProject:
        client = None if texts.client is None or not self.creates_missing else self._client(texts.client)
        if self.missing is None:
            raise _absent(NAME, "no active project has this name")
        if texts.client is not None:
            self.missing.client_of[form] = text.unique_form(texts.client)
        project = StoredProject.new(name=texts.project, client_id=client, is_billable=self.missing.billable[form])
        self.missing.projects[form] = project
        return project

    def _client(self, name: str) -> UUID:
        form = text.unique_form(name)
        if form in self.ids.clients:
            return self.ids.clients[form]
        if Permission.CLIENTS_WRITE not in self.permissions:
            raise invalid_fields({CLIENT: ["is a new client, which you may not create"]}, ErrorCode.FORBIDDEN)
        if self.missing is None:
            raise _no_client()
        return self.missing.clients.setdefault(form, StoredClient.new(name=name)).id

    def _compare_client(self, project: StoredProject, form: str, name: str) -> tuple[RowWarning, ...]:
        """Refuse the client of another project; that of a project without one is ignored, with a warning."""
        client = text.unique_form(name)
        if self.missing is not None and form in self.missing.projects:
            is_same = self.missing.client_of.get(form) == client
        else:
            known = self.ids.clients.get(client)
            if known is None and not self.creates_missing:
                raise _no_client()
            if project.client_id is None:
                return (
                    RowWarning(code=RowWarningCode.CLIENT_IGNORED, field=CLIENT, message="the project has no client"),
                )
            is_same = known == project.client_id
        if not is_same:
            raise invalid_field(CLIENT, "is not the client of the project with this name")
        return ()

    def _task(self, project: StoredProject, texts: RowTexts) -> Task | None:
        name = task_name(texts)
        if name is None:
            return None
        if self.missing is not None and name in self.missing.tasks:
            return self.missing.tasks[name]
        identifier = self.ids.tasks.get(name)
        task = None if identifier is None else self.tasks.get(identifier)
        if task is not None and task.project_id == project.id and not is_deleted(task):
            return task
        if self.missing is None:
            raise _absent(TASK, "the project has no task with this title")
        created = Task.new(project_id=project.id, title=texts.task)
        self.missing.tasks[name] = created
        return created


def _absent(field_: str, message: str) -> ActionError:
    return invalid_fields({field_: [message]}, ErrorCode.NOT_FOUND)


def _no_client() -> ActionError:
    return _absent(CLIENT, "no client has this name")
