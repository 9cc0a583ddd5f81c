"""Projects that time is tracked on, with their client, estimate and budget."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core.field_types import Line
from chalicelib.core.money import Money
from chalicelib.dal.collection import Unique
from chalicelib.dal.page_lists import ListedCollection
from chalicelib.dal.records import DeletableRecord, Stored
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models import labels
from chalicelib.models.dashboards.metrics import Color
from chalicelib.models.staffing.clients import CLIENTS

TRACKED_SECONDS = "trackedSeconds"
"""Counter on the project: net seconds of all its sessions."""

ProjectName = Annotated[Line, Field(max_length=120, examples=["Lagerumzug Hansekontor"])]
EstimatedMinutes = Annotated[int, Field(ge=1, le=10_000_000, examples=[7200])]


class ProjectStatus(StrEnum):
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


class BudgetPeriod(StrEnum):
    TOTAL = "TOTAL"
    MONTHLY = "MONTHLY"


class Budget(Money):
    amount: Annotated[int, Field(ge=1, le=100_000_000_000, description="In minor units.", examples=[1200000])]


class Project(DeletableRecord):
    name: ProjectName
    status: ProjectStatus = ProjectStatus.ACTIVE
    color: Color = "blue"
    client_id: UUID | None = None
    is_billable: bool = True
    estimated_minutes: EstimatedMinutes | None = None
    budget: Budget | None = None
    budget_period: BudgetPeriod = BudgetPeriod.TOTAL

    @property
    def is_active(self) -> bool:
        return self.status is ProjectStatus.ACTIVE and self.deleted_at is None


class StoredProject(Project):
    tracked_seconds: Annotated[int, Stored(counter=TRACKED_SECONDS)] = 0
    todo: Annotated[int, Stored(counter="taskTODO")] = 0
    in_progress: Annotated[int, Stored(counter="taskIN_PROGRESS")] = 0
    done: Annotated[int, Stored(counter="taskDONE")] = 0
    """Live tasks by status; `models.time.tasks` counts them."""


PROJECTS = ListedCollection(
    entity="project",
    record=StoredProject,
    shown_as=Project,
    search=lambda project: (project.name,),
    sort_fields=("name",),
    facets=lambda project: {
        "status": project.status.value,
        **({} if project.client_id is None else {"clientId": str(project.client_id)}),
    },
    cursor_list="listProjects",
    reference=lambda project: {"name": project.name},
    # Archived projects give their name free: the next year's project may have it.
    unique=(
        Unique(
            "name",
            lambda project: project.name if project.status is ProjectStatus.ACTIVE else None,
            "another active project has this name",
        ),
    ),
    children=("timeSession", "timer"),
)


def create(unit: UnitOfWork, project: StoredProject) -> StoredProject:
    """Add a project. NOT_FOUND for a client that is not live, DUPLICATE_ENTRY for an active project's name."""
    PROJECTS.create(unit, project)
    if project.client_id is not None:
        CLIENTS.count_child(unit, project.client_id, PROJECTS.entity, 1)
    return project


def update(unit: UnitOfWork, project: StoredProject, changes: Mapping[str, Any]) -> StoredProject:
    """The errors of `create`."""
    after = PROJECTS.update(unit, project, changes)
    if (after.name, after.client_id) != (project.name, project.client_id):
        labels.move_names(unit)
    if after.client_id != project.client_id:
        if project.client_id is not None:
            CLIENTS.count_child(unit, project.client_id, PROJECTS.entity, -1)
        if after.client_id is not None:
            CLIENTS.count_child(unit, after.client_id, PROJECTS.entity, 1)
    return after


def delete(unit: UnitOfWork, project: StoredProject) -> StoredProject:
    """Delete a project, and with it its tasks. HAS_DEPENDENCIES while it has time sessions."""
    deleted = PROJECTS.delete(unit, project)
    if project.client_id is not None:
        CLIENTS.count_child(unit, project.client_id, PROJECTS.entity, -1)
    return deleted
