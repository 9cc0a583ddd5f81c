"""Factories of organizations, members and sessions, through the product's own code."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from chalicelib.auth import passwords, sessions
from chalicelib.core import clock
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models import organizations, users
from chalicelib.models.identity import credentials
from chalicelib.models.users import Role, StoredUser
from tests.support.api import Answer, Api

PASSWORD = "quiet-harbour-42"
_numbers = itertools.count(1)


def unique(word: str) -> str:
    return f"{word}-{next(_numbers)}"


def address(word: str = "person") -> str:
    return f"{unique(word)}@example.com"


@dataclass
class Member:
    """A signed-in user."""

    api: Api
    user: StoredUser
    token: str

    def call(self, action: str, **parts: Any) -> Answer:
        return self.api.call(action, self.token, **parts)

    def call_on(self, action: str, identifier: Any, **parts: Any) -> Answer:
        """Call an action of the entity with an id."""
        return self.call(action, path={"id": identifier}, **parts)

    def post(self, action: str, **fields: Any) -> Answer:
        """Call an action whose body has the fields."""
        return self.call(action, body=fields)


@dataclass(eq=False)
class Organization:
    api: Api
    id: OrganizationId
    owner: Member
    members: dict[Role, Member] = field(default_factory=dict)

    def member(self, role: Role) -> Member:
        """Return the organization's one member of a role; create it at the first use."""
        if role is Role.OWNER:
            return self.owner
        if role not in self.members:
            self.members[role] = self.enrol(role)
        return self.members[role]

    def enrol(self, role: Role, password: str | None = None) -> Member:
        """Create a further accepted member, without invitation mail."""
        unit = UnitOfWork(self.id)
        user = _user(role)
        users.create(unit, user)
        credentials.take(unit, user.email, user.id, hash_of(password))
        opened = sessions.open_session(unit, user, "tests")
        unit.commit()
        return Member(self.api, user, opened.token)

    def session(self, user: StoredUser) -> str:
        """Open another session of a user; return its token."""
        unit = UnitOfWork(self.id)
        opened = sessions.open_session(unit, user, "tests")
        unit.commit()
        return opened.token


def new_organization(api: Api, name: str | None = None, **fields: Any) -> Organization:
    """Create an organization whose OWNER has no password, which saves the cost of a hash."""
    owner = _user(Role.OWNER)
    organization = organizations.new_organization(name=name or unique("Organization"), **fields)
    unit = UnitOfWork(organization.tenant)
    credentials.take(unit, owner.email, owner.id, None)
    organizations.create(unit, organization, users.founding_counts(owner))
    users.create_founder(unit, owner)
    opened = sessions.open_session(unit, owner, "tests")
    unit.commit()
    return Organization(api, organization.tenant, Member(api, owner, opened.token))


def _user(role: Role) -> StoredUser:
    return StoredUser.new(
        email=address(role.lower()),
        first_name="Test",
        last_name=role.title(),
        role=role,
        accepted_at=clock.now(),
        email_confirmed=True,
    )


@cache
def hash_of(password: str | None) -> str | None:
    """Return the hash of a password, computed once: hashing is slow by design."""
    return None if password is None else passwords.hash_secret(password)
