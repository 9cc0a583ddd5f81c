"""Audiences: who may read an activity, as names of groups that the activity is stored with.

A reader has groups, too, and may read what shares one with them. `auth.audiences` says which audience an event has, and
which groups a caller has.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from chalicelib.dal.expressions import Condition, Path
from chalicelib.models.users import Role, StoredUser


class Group(StrEnum):
    """Groups of users, by what they may do."""

    EVERYONE = "everyone"
    LOANS = "loans"
    METRICS = "metrics"
    """Those who may see the values of all metrics."""
    RATES = "rates"
    """Those who may read rates, and the amounts that follow from them."""
    TIME = "time"
    """Those who manage the time of others."""
    USERS = "users"
    """Those who manage users."""
    WIDGETS = "widgets"
    """Those who manage the widgets of the organization."""


Audience = frozenset[str]

EVERYONE: Audience = frozenset({Group.EVERYONE})


def group_of_user(user: UUID) -> str:
    """Return the group that one user alone is in."""
    return f"user:{user}"


def groups_of_roles(roles: Iterable[Role]) -> frozenset[str]:
    return frozenset(f"role:{role}" for role in roles)


@dataclass(frozen=True)
class Reader:
    """A user with the groups that they are in."""

    user: StoredUser
    groups: frozenset[str]

    def may_read(self, audience: Iterable[str]) -> bool:
        return not self.groups.isdisjoint(audience)

    def among(self, audience: Path) -> Condition:
        """Return the condition that a stored audience has the reader."""
        return functools.reduce(operator.or_, (audience.contains(str(group)) for group in sorted(self.groups)))
