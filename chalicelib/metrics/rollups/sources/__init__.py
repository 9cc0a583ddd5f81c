"""Sources of rollups: one module and one entry per source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.metrics.rollups.sources.activities import ACTIVITY_SOURCE
from chalicelib.metrics.rollups.sources.assignments import ASSIGNMENT_SOURCE
from chalicelib.metrics.rollups.sources.base import SourceRollup
from chalicelib.metrics.rollups.sources.people import CLIENT_SOURCE, USER_SOURCE, WORKER_SOURCE
from chalicelib.metrics.rollups.sources.positions import POSITION_SOURCE

SOURCES: Mapping[str, SourceRollup[Any]] = {
    "activities": ACTIVITY_SOURCE,
    "assignments": ASSIGNMENT_SOURCE,
    "clients": CLIENT_SOURCE,
    "positions": POSITION_SOURCE,
    "users": USER_SOURCE,
    "workers": WORKER_SOURCE,
}
"""Rollup definitions by catalogue name."""
