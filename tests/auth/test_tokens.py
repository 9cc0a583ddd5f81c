"""Tokens carry their ids, and are worthless without their secret."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth.tokens import Token
from chalicelib.core import ids
from chalicelib.core.ids import OrganizationId
from tests.support.api import Api
from tests.support.factories import Organization, new_organization
from tests.support.hypothesis_profile import law

UUIDS = st.uuids()


@law()
@given(UUIDS, UUIDS, UUIDS)
def test_a_token_is_read_as_it_was_written(organization: UUID, user: UUID, session: UUID) -> None:
    token = Token.new(OrganizationId(organization), user, session)
    assert Token.parse(str(token)) == token
    assert len(token.secret) == 32


@law(300)
@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1")), st.text().map("wl_{}".format)))
def test_no_other_text_is_a_token(text: str) -> None:
    assert Token.parse(text) is None


def test_a_token_hides_its_secret_when_it_is_printed() -> None:
    token = Token.new(OrganizationId(ids.new_id()), ids.new_id(), ids.new_id())
    for shown in (repr(token), f"{token!r}", f"{[token]}"):
        assert str(token) not in shown
        assert token.secret.hex() not in shown
        assert repr(token.secret) not in shown


def test_no_two_tokens_are_alike() -> None:
    same = (OrganizationId(ids.new_id()), ids.new_id(), ids.new_id())
    assert len({Token.new(*same).hash for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer wl_",
        "Bearer wl_" + "A" * 107 + "=",
        "Basic {token}",
        "{token}",
        "Bearer {token}x",
        "Bearer {token} {token}",
        "Bearer {token}\x00",
        "Bearer wl_{token}",
    ],
)
def test_headers_that_do_not_authenticate(api: Api, organization: Organization, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.format(token=organization.owner.token)}
    answer = api.raw("GET", "/api/v1/auth/role", headers)
    assert (answer.status, answer.code) == (401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_case_of_the_scheme_does_not_matter(api: Api, organization: Organization, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {organization.owner.token}"}
    assert api.raw("GET", "/api/v1/auth/role", headers).status == 200


def test_ids_without_the_secret_do_not_authenticate(api: Api, organization: Organization) -> None:
    own = Token.parse(organization.owner.token)
    other = Token.parse(new_organization(api).owner.token)
    assert own is not None
    assert other is not None
    forged = [
        own._replace(secret=other.secret),
        own._replace(secret=bytes(32)),
        own._replace(organization=other.organization),
        own._replace(user=other.user),
        own._replace(session=other.session),
        own._replace(session=ids.new_id()),
        own._replace(secret=own.secret[:-1] + bytes([own.secret[-1] ^ 1])),
    ]
    for token in forged:
        answer = api.raw("GET", "/api/v1/auth/role", {"Authorization": f"Bearer {token}"})
        assert (answer.status, answer.code) == (401, "NOT_AUTHENTICATED")


def test_a_colleagues_user_id_in_ones_own_token_does_not_authenticate(api: Api, organization: Organization) -> None:
    from chalicelib.models.users import Role

    own, colleague = Token.parse(organization.member(Role.VIEWER).token), organization.owner.user
    assert own is not None
    answer = api.raw("GET", "/api/v1/auth/role", {"Authorization": f"Bearer {own._replace(user=colleague.id)}"})
    assert answer.code == "NOT_AUTHENTICATED"
