"""The demo organization, made through the product's own HTTP actions. Run again, it adds only what is missing."""

from __future__ import annotations

from infra.local.demo import activities, crew, metrics, places, shifts, shortcuts, team, widgets
from infra.local.demo.api import Api, DemoFailed, Refused
from infra.local.demo.metrics import METRICS
from infra.local.demo.team import ORGANIZATION, OWNER, PASSWORD, TEAM, LatestCode, Person

__all__ = [
    "METRICS",
    "ORGANIZATION",
    "OWNER",
    "PASSWORD",
    "TEAM",
    "Api",
    "DemoFailed",
    "Person",
    "Refused",
    "furnish",
    "open_doors",
]


def open_doors(api: Api, latest_code: LatestCode) -> str:
    """The organization and who is in it: a token of the owner. Raises DemoFailed."""
    token = team.owner_token(api)
    owner = api.with_token(token)
    team.settle(owner)
    team.gather(api, owner, latest_code)
    return token


def furnish(owner: Api) -> None:
    """What the organization works with. Raises DemoFailed."""
    positions = places.furnish(owner)
    shifts.assign(owner, crew.hire(owner), positions)
    activities.tell(owner)
    shortcuts.furnish(owner)
    widgets.arrange(owner, metrics.define(owner))
