"""Names of the product's entities: as values in the audit log and in activities, and in sentences."""

from __future__ import annotations

import re
from enum import StrEnum


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


def in_words(name: str) -> str:
    """Return a name of the code as a sentence spells it: "work location" for `workLocation`."""
    return re.sub("(?<=[a-z])[A-Z]", lambda capital: f" {capital[0].lower()}", name)
