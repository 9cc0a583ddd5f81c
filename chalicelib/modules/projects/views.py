"""Projects as they are read: with the time tracked on them and their tasks by status."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.models.time.projects import StoredProject
from chalicelib.modules.projects.contracts import ProjectDetails, TaskCounts


def details(projects: Sequence[StoredProject]) -> list[ProjectDetails]:
    return [
        ProjectDetails.extending(
            project,
            task_counts=TaskCounts(todo=project.todo, in_progress=project.in_progress, done=project.done),
        )
        for project in projects
    ]
