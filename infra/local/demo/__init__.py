"""The demo organization, created through the product's own HTTP actions. A second run adds only missing parts."""

from __future__ import annotations

from infra.local.demo import (
    activities,
    assignments,
    loans,
    metrics,
    positions,
    quick_actions,
    team,
    tracked_time,
    widgets,
    workers,
)
from infra.local.demo.api import Api, DemoFailed, Refused
from infra.local.demo.loans import LENDER, LENDER_ORGANIZATION
from infra.local.demo.metrics import METRICS
from infra.local.demo.team import ORGANIZATION, OWNER, PASSWORD, TEAM, LatestCode, Person

__all__ = [
    "LENDER",
    "LENDER_ORGANIZATION",
    "METRICS",
    "ORGANIZATION",
    "OWNER",
    "PASSWORD",
    "TEAM",
    "Api",
    "DemoFailed",
    "Person",
    "Refused",
    "seed_data",
    "seed_people",
]


def seed_people(api: Api, latest_code: LatestCode) -> str:
    """Create the organization and its members; return a token of the owner. Raises DemoFailed."""
    token = team.owner_token(api)
    owner = api.with_token(token)
    team.confirm_address(owner, latest_code)
    team.confirm_address(api.with_token(loans.lender_token(api)), latest_code)
    team.seed_settings(owner)
    team.seed_members(api, owner, latest_code)
    return token


def seed_data(owner: Api, *, past_weeks: int) -> None:
    """Create the data of the organization, with the shifts of some past weeks. Raises DemoFailed."""
    # First what makes a dashboard: it fills while the rest is created.
    quick_actions.seed_quick_actions(owner)
    widgets.seed_widgets(owner, metrics.seed_metrics(owner))
    position_ids = positions.seed_positions(owner)
    assignments.seed_assignments(owner, workers.seed_workers(owner), position_ids, past_weeks)
    tracked_time.seed_tracked_time(owner)
    loans.seed_loans(owner)
    activities.seed_activities(owner)
