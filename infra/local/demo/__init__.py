"""The demo organization, made through the product's own HTTP actions. Run again, it adds only what is missing."""

from __future__ import annotations

from infra.local.demo import places, team
from infra.local.demo.api import Api, DemoFailed, Refused
from infra.local.demo.team import ORGANIZATION, OWNER, PASSWORD, TEAM, LatestCode, Person

__all__ = ["ORGANIZATION", "OWNER", "PASSWORD", "TEAM", "Api", "DemoFailed", "Person", "Refused", "seed"]


def seed(api: Api, latest_code: LatestCode) -> str:
    """A token of the owner. Raises DemoFailed."""
    token = team.owner_token(api)
    owner = api.with_token(token)
    team.settle(owner)
    team.gather(api, owner, latest_code)
    places.furnish(owner)
    return token
