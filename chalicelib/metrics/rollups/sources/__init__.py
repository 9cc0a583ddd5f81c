"""The sources of queries: one module and one entry per source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.metrics.rollups.sources.activities import ACTIVITY_SOURCE
from chalicelib.metrics.rollups.sources.assignments import ASSIGNMENT_SOURCE
from chalicelib.metrics.rollups.sources.base import Source
from chalicelib.metrics.rollups.sources.clients import CLIENT_SOURCE
from chalicelib.metrics.rollups.sources.loans import LOAN_SOURCE
from chalicelib.metrics.rollups.sources.positions import POSITION_SOURCE
from chalicelib.metrics.rollups.sources.projects import PROJECT_SOURCE
from chalicelib.metrics.rollups.sources.tasks import TASK_SOURCE
from chalicelib.metrics.rollups.sources.time_sessions import TIME_SESSION_SOURCE
from chalicelib.metrics.rollups.sources.users import USER_SOURCE
from chalicelib.metrics.rollups.sources.workers import WORKER_SOURCE

_ALL: tuple[Source[Any], ...] = (
    ACTIVITY_SOURCE,
    ASSIGNMENT_SOURCE,
    CLIENT_SOURCE,
    LOAN_SOURCE,
    POSITION_SOURCE,
    PROJECT_SOURCE,
    TASK_SOURCE,
    TIME_SESSION_SOURCE,
    USER_SOURCE,
    WORKER_SOURCE,
)

SOURCES: Mapping[str, Source[Any]] = {source.name: source for source in _ALL}
"""Sources by name: the catalogue."""
