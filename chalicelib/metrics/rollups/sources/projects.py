"""Projects, from creation to deletion."""

from __future__ import annotations

from chalicelib.auth.permissions import Permission
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.base import Inputs, Row, Source, created_row, dimension_of, lifetime
from chalicelib.metrics.rollups.sources.fields import (
    TimeBinding,
    enum_field,
    fields,
    flag_field,
    id_field,
    instant_field,
    text_field,
)
from chalicelib.models.rollups.buckets import Contribution, Dimensions
from chalicelib.models.time.projects import PROJECTS, ProjectStatus, StoredProject


def dimensions_of(project: StoredProject) -> Dimensions:
    return (
        dimension_of("clientId", project.client_id),
        ("status", project.status.value),
        ("isBillable", "true" if project.is_billable else "false"),
    )


def contribution_of(project: StoredProject, _: Inputs) -> Contribution:
    return tuple(lifetime(project, dimensions_of(project)))


def row_of(project: StoredProject, _: Inputs, over: Range) -> Row:
    values = {
        "name": project.name,
        "clientId": None if project.client_id is None else str(project.client_id),
        "status": project.status.value,
        "isBillable": project.is_billable,
    }
    return created_row(project, values, over)


PROJECT_SOURCE = Source(
    name="projects",
    label="Projects",
    permission=Permission.WORKSPACE_READ,
    time=TimeBinding.INSTANT,
    time_field="createdAt",
    fields=fields(
        text_field("name", "Name"),
        id_field("clientId", "Client", "client", nullable=True),
        enum_field("status", "Status", tuple(ProjectStatus)),
        flag_field("isBillable", "Billable by default"),
        instant_field("createdAt", "Created"),
    ),
    collection=PROJECTS,
    contribution=contribution_of,
    row=row_of,
)
