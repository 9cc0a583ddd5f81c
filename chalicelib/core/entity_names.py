"""Names of the product's entities, as values in the audit log and in activities."""

from __future__ import annotations

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
