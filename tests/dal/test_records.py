"""Records: every kind is read as it was written."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chalicelib.core import clock, ids
from chalicelib.core.errors import ActionError
from chalicelib.core.field_types import MailedLine
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.collection import Collection
from chalicelib.dal.item import Item
from chalicelib.dal.records import Record
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.identity import sessions
from chalicelib.models.identity.sessions import StoredSession
from chalicelib.models.organizations import ORGANIZATIONS, LoanRole, WeekDay, new_organization
from chalicelib.models.staffing.clients import CLIENTS, StoredClient
from chalicelib.models.users import USERS, Notifications, Preferences, Role, StoredUser, Theme
from tests.support.hypothesis_profile import law

_NAME = TypeAdapter(MailedLine)


def _is_name(text: str) -> bool:
    try:
        return _NAME.validate_python(text) == text == text.strip()
    except ValidationError:
        return False


_CHARACTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Mn"))
WORDS = st.text(_CHARACTERS, min_size=1, max_size=40).filter(_is_name)
CLIENT = st.builds(
    StoredClient.new,
    name=WORDS,
    email=st.none() | st.just("anna.berg@example.com"),
    phone=st.none() | st.sampled_from(["+49 (30) 1", "112"]),
    address=st.none() | WORDS,
)
USER = st.builds(
    lambda **fields: StoredUser.new(email="anna.berg@example.com", **fields),
    first_name=WORDS,
    last_name=WORDS,
    role=st.sampled_from(Role),
    is_active=st.booleans(),
    accepted_at=st.none() | st.builds(clock.now),
    session_epoch=st.integers(0, 10**6),
    preferences=st.builds(
        Preferences,
        timezone=st.none() | st.just("Asia/Kathmandu"),
        week_start=st.none() | st.sampled_from(WeekDay),
        theme=st.sampled_from(Theme),
        default_project_id=st.none() | st.uuids(),
        notifications=st.builds(Notifications, email=st.booleans(), weekly_report=st.booleans()),
    ),
)
ORGANIZATION = st.builds(
    new_organization,
    name=WORDS,
    region=st.none() | st.just("DE"),
    loan_role=st.sampled_from(LoanRole),
    currency=st.sampled_from(["EUR", "JPY"]),
)


def _stored(collection: Collection[Any], organization: OrganizationId, identifier: UUID) -> Item:
    item = table.get(collection.key(organization, identifier))
    assert item is not None
    return item


@law(20)
@given(record=CLIENT | USER | ORGANIZATION)
def test_written_and_read_again_is_the_same(record: Record) -> None:
    collections: dict[type[Record], Collection[Any]] = {StoredClient: CLIENTS, StoredUser: USERS}
    collection = collections.get(type(record), ORGANIZATIONS)
    unit = UnitOfWork(OrganizationId(ids.new_id()))
    collection.create(unit, record)
    unit.commit()
    assert collection.get(unit.organization, record.id) == record


@law(15)
@given(before=CLIENT, after=CLIENT)
def test_changed_and_read_again_is_the_same(before: StoredClient, after: StoredClient) -> None:
    tenant = OrganizationId(ids.new_id())
    unit = UnitOfWork(tenant)
    CLIENTS.create(unit, before)
    unit.commit()
    unit = UnitOfWork(tenant)
    changes = {name: getattr(after, name) for name in ("name", "email", "phone", "address")}
    changed = CLIENTS.update(unit, before, changes)
    unit.commit()
    assert CLIENTS.get(tenant, before.id) == changed
    fresh = after.model_copy(update={"id": before.id})
    stored = _stored(CLIENTS, tenant, before.id)
    assert (stored.search, stored.version) == (CLIENTS.index(tenant, fresh)["search"], 2)


def test_a_session_is_read_as_it_was_written(tenant: OrganizationId) -> None:
    now = clock.now()
    session = StoredSession.new(
        last_seen_at=now, expires_at=now, user_agent="Safari", user_id=ids.new_id(), token_hashes=["a", "b"], epoch=3
    )
    unit = UnitOfWork(tenant)
    sessions.create(unit, session, is_target=False)
    unit.commit()
    item = next(iter(table.batch_get([keys.session(tenant, session.user_id, session.id)]).values()))
    assert StoredSession.of(item) == session


def test_fields_that_this_code_does_not_know_survive_an_update(tenant: OrganizationId) -> None:
    client = StoredClient.new(name="Future")
    unit = UnitOfWork(tenant)
    CLIENTS.create(unit, client)
    unit.commit()
    Item(*CLIENTS.key(tenant, client.id)).update([Item.version.set(1), Item.data["mood"].set("happy")])
    assert CLIENTS.get(tenant, client.id) == client
    unit = UnitOfWork(tenant)
    CLIENTS.update(unit, client, {"phone": "123"})
    unit.commit()
    data = _stored(CLIENTS, tenant, client.id).data
    assert data is not None
    assert (data["mood"], data["phone"]) == ("happy", "123")


def test_shown_fields_are_not_internal() -> None:
    user = StoredUser.new(email="a@example.com", first_name="A", last_name="B", role=Role.VIEWER)
    assert "sessionEpoch" not in user.shown()
    assert "cursorSecret" not in new_organization(name="X").shown()


def test_no_item_is_not_found() -> None:
    with pytest.raises(ActionError, match="no such client"):
        StoredClient.of(None, "client")
