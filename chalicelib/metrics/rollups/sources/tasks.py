"""Tasks, from creation to deletion, and the instant at which they were done."""

from __future__ import annotations

from chalicelib.auth.permissions import Permission
from chalicelib.core.clock import milliseconds
from chalicelib.metrics.rollups.formulas import within
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.base import CREATED, Inputs, Row, Source, created_row, lifetime
from chalicelib.metrics.rollups.sources.fields import TimeBinding, enum_field, fields, instant_field, text_field
from chalicelib.models.rollups.buckets import Contribution, LevelChange
from chalicelib.models.time.tasks import TASKS, Task, TaskStatus

DONE = "d"


def contribution_of(task: Task, _: Inputs) -> Contribution:
    dimensions = (("status", task.status.value),)
    changes = lifetime(task, dimensions)
    if task.done_at is not None:
        changes.append(LevelChange(milliseconds(task.done_at), ((DONE, 1),), dimensions=dimensions))
    return tuple(changes)


def row_of(task: Task, _: Inputs, over: Range) -> Row:
    values = {"title": task.title, "status": task.status.value, "doneAt": task.done_at}
    is_done = task.done_at is not None and over.start <= task.done_at < over.end
    return created_row(task, values, over, instants=frozenset({"doneAt"} if is_done else ()))


TASK_SOURCE = Source(
    name="tasks",
    label="Tasks",
    permission=Permission.WORKSPACE_READ,
    time=TimeBinding.INSTANT,
    time_field="createdAt",
    fields=fields(
        text_field("title", "Title"),
        enum_field("status", "Status", tuple(TaskStatus)),
        instant_field("createdAt", "Created"),
        instant_field("doneAt", "Done", nullable=True),
    ),
    collection=TASKS,
    contribution=contribution_of,
    row=row_of,
    counts={"": CREATED, "createdAt": CREATED, "doneAt": (within(DONE),)},
)
