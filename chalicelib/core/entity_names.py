"""Names of entities: as values in the audit log and in activities, and in sentences."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from chalicelib.core.field_types import Line, matching


class EntityName(StrEnum):
    ORGANIZATION = "organization"
    USER = "user"
    SESSION = "session"
    CLIENT = "client"
    WORK_LOCATION = "workLocation"
    POSITION = "position"
    WORKER = "worker"
    ASSIGNMENT = "assignment"
    PROJECT = "project"
    TASK = "task"
    TIMER = "timer"
    TIME_SESSION = "timeSession"
    TIMESHEET = "timesheet"
    METRIC = "metric"
    WIDGET = "widget"
    ACTIVITY = "activity"
    QUICK_ACTION = "quickAction"
    LOAN = "loan"
    KPI = "kpi"


_TYPE = "[A-Za-z0-9_.:-]{1,50}"

EntityType = Annotated[
    str,
    StringConstraints(min_length=1, max_length=50),
    matching(_TYPE, "must be letters (A to Z), digits, and _ - . : alone"),
    Field(
        description="A kind of entity: one of the product's own, such as `client`, or any other, such as `invoice`.",
        examples=["client"],
        json_schema_extra={"pattern": f"^{_TYPE}$"},
    ),
]
"""The name of the product's entities and of the callers' own: one rule wherever one is given."""

EntityId = Annotated[Line, Field(max_length=255)]
"""The id of an entity: those of other systems have any form."""


def in_words(name: str) -> str:
    """Return a name of the code as a sentence spells it: "work location" for `workLocation`."""
    return re.sub("(?<=[a-z])[A-Z]", lambda capital: f" {capital[0].lower()}", name)
