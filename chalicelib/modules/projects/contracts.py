"""Contracts of projects and of their members."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Body, Contract, CursorQuery, Patch, Search, optional
from chalicelib.core.field_types import Instant
from chalicelib.models.dashboards.metrics import Color
from chalicelib.models.time.projects import (
    Budget,
    BudgetPeriod,
    EstimatedMinutes,
    Project,
    ProjectName,
    ProjectStatus,
)
from chalicelib.models.users import UserRef


class BudgetInput(Budget, Body):
    """Money that a project may cost, in the organization's currency."""


class CreateProject(Body):
    name: ProjectName
    status: Annotated[ProjectStatus, Field(strict=False)] = ProjectStatus.ACTIVE
    color: Color = "blue"
    client_id: UUID | None = None
    is_billable: Annotated[bool, Field(description="The default of its time sessions.")] = True
    estimated_minutes: EstimatedMinutes | None = None
    budget: BudgetInput | None = None
    budget_period: Annotated[
        BudgetPeriod, Field(strict=False, description="The time that budget and estimate are for.")
    ] = BudgetPeriod.TOTAL


class UpdateProject(Patch, of=CreateProject):
    status: Annotated[ProjectStatus, Field(strict=False, examples=["ARCHIVED"])] = optional()


class ListProjects(CursorQuery):
    status: ProjectStatus | None = None
    client_id: UUID | None = None
    search: Search | None = None


class TaskCounts(Contract):
    """Live tasks by status."""

    todo: Annotated[int, Field(alias="TODO", examples=[3])]
    in_progress: Annotated[int, Field(alias="IN_PROGRESS", examples=[2])]
    done: Annotated[int, Field(alias="DONE", examples=[12])]


class ProjectDetails(Project):
    tracked_seconds: Annotated[int, Field(description="Net seconds of all its time sessions.", examples=[28800])]
    task_counts: TaskCounts


class ProjectMember(Contract):
    user: UserRef
    added_at: Instant
