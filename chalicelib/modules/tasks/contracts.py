"""Contracts of tasks."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Body, CursorQuery, Patch
from chalicelib.core.days import Day
from chalicelib.models.time.projects import EstimatedMinutes
from chalicelib.models.time.tasks import SortOrder, TaskDescription, TaskStatus, TaskTitle


class CreateTask(Body):
    title: TaskTitle
    description: TaskDescription | None = None
    status: Annotated[TaskStatus, Field(strict=False)] = TaskStatus.TODO
    assignee_id: UUID | None = None
    due_date: Day | None = None
    estimated_minutes: EstimatedMinutes | None = None
    sort_order: SortOrder = 0


class UpdateTask(Patch, of=CreateTask):
    """The fields to change."""


class ListTasks(CursorQuery):
    status: TaskStatus | None = None
    assignee_id: UUID | None = None
