"""Everything that says who a caller is, in one strongly consistent batch read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.collection import is_deleted
from chalicelib.dal.keys import Key
from chalicelib.models import users
from chalicelib.models.identity.sessions import StoredSession
from chalicelib.models.organizations import ORGANIZATIONS, StoredOrganization
from chalicelib.models.users import StoredUser


class Caller(NamedTuple):
    organization: StoredOrganization
    user: StoredUser
    session: StoredSession


def load(organization: OrganizationId, user: UUID, session: UUID, ahead: Iterable[Key] = ()) -> Caller | None:
    """None when any of the three does not exist, and for a user who was deleted.

    The ids come from an unverified token: check the session. `ahead`: keys that the request reads next.
    """
    session_key = keys.session(organization, user, session)
    user_key = users.key(organization, user)
    organization_key = ORGANIZATIONS.key(organization, organization)
    items = table.batch_get((session_key, user_key, organization_key), ahead=ahead)
    if not {session_key, user_key, organization_key} <= items.keys():
        return None
    user_of_session = StoredUser.of(items[user_key])
    if is_deleted(user_of_session):
        return None
    return Caller(StoredOrganization.of(items[organization_key]), user_of_session, StoredSession.of(items[session_key]))
