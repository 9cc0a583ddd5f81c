"""Creation of the clients, projects and tasks that the rows of an import lack: once, however many imports need them.

They come before the rows, in chunks of their own. Which names a chunk has follows from the input alone; which of them
are created follows from the data, so that a repetition has the same chunks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from chalicelib.action.chunked_write import ChunkedWrite
from chalicelib.action.context import Context
from chalicelib.core import text
from chalicelib.dal import table
from chalicelib.dal.collection import is_deleted
from chalicelib.dal.item import Item
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models import audit
from chalicelib.models.audit import AuditEvent
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.time import keys as time_keys
from chalicelib.models.time.projects import PROJECTS
from chalicelib.models.time.tasks import TASKS
from chalicelib.modules.time_sessions.importing.rows import SessionRow
from chalicelib.modules.time_sessions.importing.work import Missing, TaskName, WorkIds, task_name

_NAMES = 20
"""Names in a chunk: a task is four writes (itself, its claim, its audit entry, its project's counter)."""

N = TypeVar("N", bound=Hashable)


def create(
    ctx: Context, parts: ChunkedWrite, rows: Sequence[SessionRow], missing: Missing, ids: WorkIds
) -> dict[str, int]:
    """Create the missing entities; add the ids to those that there are. Return the numbers as the report names them."""
    creation = _Creation(ctx, missing, ids)
    texts = [row.texts for row in rows]
    clients = (text.unique_form(row.client) for row in texts if row.client is not None)
    projects = (text.unique_form(row.project) for row in texts if row.project is not None)
    tasks = (name for row in texts if (name := task_name(row)) is not None)
    return {
        "new_clients": _run(parts, clients, creation.clients, ids.clients),
        "new_projects": _run(parts, projects, creation.projects, ids.projects),
        "new_tasks": _run(parts, tasks, creation.tasks, ids.tasks),
    }


def _run(
    parts: ChunkedWrite,
    names: Iterable[N],
    perform: Callable[[UnitOfWork, Sequence[N]], tuple[Mapping[N, UUID], Mapping[N, UUID]]],
    ids: dict[N, UUID],
) -> int:
    """Run a function that returns the ids that it found, and those that it made, over all names; gather them."""
    distinct = [*dict.fromkeys(names)]
    number = 0
    for start in range(0, len(distinct), _NAMES):
        chunk = distinct[start : start + _NAMES]

        def run(unit: UnitOfWork, chunk: Sequence[N] = chunk) -> dict[str, Any]:
            existing, created = perform(unit, chunk)
            known = {**existing, **created}
            return {"ids": [str(known[name]) if name in known else None for name in chunk], "new": len(created)}

        stored = parts.run(run)
        ids.update({name: UUID(id_) for name, id_ in zip(chunk, stored["ids"], strict=True) if id_ is not None})
        number += stored["new"]
    return number


@dataclass(frozen=True)
class _Creation:
    ctx: Context
    missing: Missing
    ids: WorkIds

    def clients(self, unit: UnitOfWork, names: Sequence[str]) -> tuple[dict[str, UUID], dict[str, UUID]]:
        owners = CLIENTS.owners(unit.organization, "name", names)
        clients = self.missing.clients
        created = {form: clients[form] for form in names if form in clients and form not in owners}
        for client in created.values():
            CLIENTS.create(unit, client)
            self._record(unit, AuditEvent.CLIENT_CREATED)
        return owners, {form: client.id for form, client in created.items()}

    def projects(self, unit: UnitOfWork, names: Sequence[str]) -> tuple[dict[str, UUID], dict[str, UUID]]:
        owners = PROJECTS.owners(unit.organization, "name", names)
        created: dict[str, UUID] = {}
        by_client: Counter[UUID] = Counter()
        for form in names:
            if form not in self.missing.projects or form in owners:
                continue
            client = self.ids.clients[self.missing.client_of[form]] if form in self.missing.client_of else None
            project = self.missing.projects[form].model_copy(update={"client_id": client})
            PROJECTS.create(unit, project)
            self._record(unit, AuditEvent.PROJECT_CREATED)
            created[form] = project.id
            by_client.update([] if client is None else [client])
        for client, number in by_client.items():
            CLIENTS.count_children(unit, client, {PROJECTS.entity: number})
        return owners, created

    def tasks(self, unit: UnitOfWork, names: Sequence[TaskName]) -> tuple[dict[TaskName, UUID], dict[TaskName, UUID]]:
        """Create tasks with a claim of their titles: of imports at once, one makes the task."""
        needed = [name for name in names if name in self.missing.tasks]
        project_of = {name: self.ids.projects[name[0]] for name in needed}
        keys = {name: time_keys.imported_task(unit.organization, project_of[name], name[1]) for name in needed}
        items = table.batch_get(keys.values())
        claims = {name: UUID((items[key].data or {})["id"]) for name, key in keys.items() if key in items}
        claimed = TASKS.get_many(unit.organization, claims.values())
        existing: dict[TaskName, UUID] = {}
        created: dict[TaskName, UUID] = {}
        by_project: dict[UUID, Counter[str]] = defaultdict(Counter)
        for name in needed:
            before = None if name not in claims else claimed.get(claims[name])
            if before is not None and not is_deleted(before) and text.unique_form(before.title) == name[1]:
                existing[name] = before.id
                continue
            task = self.missing.tasks[name].model_copy(update={"project_id": project_of[name]})
            TASKS.create(unit, task)
            self._record(unit, AuditEvent.TASK_CREATED)
            # A claim whose task was deleted or renamed since is taken over.
            is_free = Item.data["id"] == str(claims[name]) if name in claims else Item.pk.does_not_exist()
            unit.put(Item(*keys[name], data={"id": str(task.id)}), is_free, stale)
            created[name] = task.id
            by_project[task.project_id][task.status.counter] += 1
        for project, counts in by_project.items():
            PROJECTS.count_children(unit, project, counts)
        return existing, created

    def _record(self, unit: UnitOfWork, event: AuditEvent) -> None:
        audit.record_change(unit, event, self.ctx.actor, self.ctx.request.id)
