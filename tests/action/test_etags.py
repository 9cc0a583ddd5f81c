"""ETags: derived from the response data and parsed by RFC 9110."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.action.etags import MAX_LENGTH, PATTERN, etag_of, expected_tags, matches
from chalicelib.core import clock
from chalicelib.core.entity_tags import full_tag, is_tag_of
from chalicelib.core.errors import ActionError
from tests.support.api import Answer
from tests.support.factories import Organization, unique
from tests.support.hypothesis_profile import law

VERSIONED = st.fixed_dictionaries({"version": st.integers(1, 10**6), "name": st.text(), "count": st.integers()})


@law()
@given(VERSIONED)
def test_a_tag_matches_its_own_version_and_itself(data: dict[str, Any]) -> None:
    tag = etag_of(data)
    assert tag is not None
    assert expected_tags(tag) == {tag.strip('"')}
    assert all(matches(header, tag) for header in (tag, f"W/{tag}", f'"other", {tag}', f' {tag} , "x"', "*"))


@law()
@given(VERSIONED, VERSIONED)
def test_tags_are_equal_exactly_if_the_data_is(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (etag_of(one) == etag_of(other)) == (one == other)


@law(200)
@given(st.text() | st.from_regex(PATTERN, fullmatch=True))
def test_a_header_is_valid_exactly_if_it_matches_the_documented_pattern(text: str) -> None:
    is_documented = re.fullmatch(PATTERN, text.strip(" \t")) is not None and len(text.strip(" \t")) <= MAX_LENGTH
    for read in (expected_tags, lambda header: matches(header, '"1-0"')):
        try:
            read(text)
        except ActionError:
            assert not is_documented
        else:
            assert is_documented


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        (None, None),
        ("*", None),
        (' "3-abc" ', {"3-abc"}),
        ('"3-abc", W/"4-def"', {"3-abc", "4-def"}),
        ('""', {""}),
    ],
)
def test_tags_of_if_match(header: str | None, tags: set[str] | None) -> None:
    assert expected_tags(header) == tags


INSTANTS = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))


@law(200)
@given(st.integers(1, 10**6), INSTANTS, st.text(), st.integers(1, 10**6), INSTANTS)
def test_a_tag_is_of_one_state_of_an_entity(
    version: int, at: datetime, shown: str, other_version: int, other_at: datetime
) -> None:
    tag = full_tag(version, clock.to_text(at), shown)
    assert is_tag_of(tag, version, at)
    assert is_tag_of(tag, version, None)
    assert is_tag_of(tag, other_version, other_at) == ((version, at) == (other_version, other_at))
    assert not any(is_tag_of(changed, version, at) for changed in (tag[:-1], f"{tag}0", f"0{tag}", "", f"{version}-"))


MALFORMED = ["", "3", "3-abc", '"3', "*, *", '"1-a" "2-b"', '"1-a",', "W/", '"a b"', '"ü"', "x" + " " * 9_000 + "y"]


@pytest.mark.parametrize("header", MALFORMED, ids=lambda header: header[:12])
def test_the_error_of_a_malformed_condition_names_its_header(header: str) -> None:
    with pytest.raises(ActionError, match=r"^If-Match: must"):
        expected_tags(header)
    with pytest.raises(ActionError, match=r"^If-None-Match: must"):
        matches(header, '"1-0"')


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
def test_a_condition_has_at_most_255_characters(organization: Organization, name: str) -> None:
    longest = '"' + "1" * (MAX_LENGTH - 2) + '"'
    for header, status in [(longest, {200, 412}), (longest + ', "1-a"', {400}), ("x" + " " * 60_000 + "y", {400})]:
        headers = {name: header}
        if name == "If-Match":
            answer = organization.owner.call("updateOrganization", body={"name": "Renamed"}, headers=headers)
        else:
            answer = organization.owner.call("getOrganization", headers=headers)
        assert answer.status in status, answer.text
        if status == {400}:
            assert list(answer.error["details"]["fieldErrors"]) == [name]


@pytest.mark.parametrize("data", [None, [], "x", {}, {"version": "1"}, {"items": []}])
def test_data_without_a_version_has_no_tag(data: Any) -> None:
    assert etag_of(data) is None


# -- through the runner ----------------------------------------------------------------------------------------------


@pytest.fixture
def client(organization: Organization) -> str:
    answer = organization.owner.call("createClient", body={"name": unique("Tagged")})
    return str(answer.data["id"])


def _get(organization: Organization, client: str, **headers: str) -> Answer:
    return organization.owner.call("getClient", path={"id": client}, headers=headers)


def _update(organization: Organization, client: str, tag: str) -> Answer:
    body = {"phone": "123"}
    return organization.owner.call("updateClient", path={"id": client}, body=body, headers={"If-Match": tag})


def test_unchanged_data_is_not_sent_again(organization: Organization, client: str) -> None:
    first = _get(organization, client)
    tag = first.headers["ETag"]
    again = _get(organization, client, **{"If-None-Match": tag})
    assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag)
    assert again.headers["X-Request-Id"]
    updated = _update(organization, client, tag)
    assert updated.headers["ETag"] not in {tag, None}
    assert _get(organization, client, **{"If-None-Match": tag}).status == 200
    assert _get(organization, client, **{"If-None-Match": updated.headers["ETag"]}).status == 304


def test_a_stale_version_writes_nothing(organization: Organization, client: str) -> None:
    tag = _get(organization, client).headers["ETag"]
    assert _update(organization, client, tag).status == 200
    log = organization.owner.call("getAuditLog").data["items"]
    stale = _update(organization, client, tag)
    assert (stale.status, stale.code) == (412, "PRECONDITION_FAILED")
    deleted = organization.owner.call("deleteClient", path={"id": client}, headers={"If-Match": tag})
    assert deleted.code == "PRECONDITION_FAILED"
    assert organization.owner.call("getAuditLog").data["items"] == log
    assert _get(organization, client).data["version"] == 2


@pytest.mark.parametrize("form", ["*", '"1"', 'W/"{0}"', '"7-x", "{0}"', '"{0}"'])
def test_if_match_accepts_the_current_version(organization: Organization, client: str, form: str) -> None:
    tag = _get(organization, client).headers["ETag"].strip('"')
    assert _update(organization, client, form.format(tag)).status == 200


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        ('"2"', 412),
        ('"1-0000000000000000"', 412),
        ('"1-any"', 412),
        ('"other"', 412),
        ('""', 412),
        ("1", 400),
        ("", 400),
    ],
)
def test_if_match_rejects_other_versions_and_malformed_tags(
    organization: Organization, client: str, tag: str, status: int
) -> None:
    assert _update(organization, client, tag).status == status
    assert _get(organization, client).data["version"] == 1


def test_a_repeated_update_is_replayed_although_its_tag_is_stale(organization: Organization, client: str) -> None:
    tag = _get(organization, client).headers["ETag"]
    body, headers = {"phone": "123"}, {"If-Match": tag}
    answers = [
        organization.owner.call("updateClient", path={"id": client}, body=body, headers=headers, key="u")
        for _ in range(2)
    ]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].data == answers[1].data
    assert answers[1].is_replay
    assert answers[1].headers["ETag"] == answers[0].headers["ETag"]


def test_the_tag_of_the_organization_depends_on_its_counts(organization: Organization) -> None:
    first = organization.owner.call("getOrganization")
    body = {"email": f"{unique('new')}@example.com", "firstName": "I", "lastName": "H"}
    organization.owner.call("inviteUser", body=body)
    headers = {"If-None-Match": first.headers["ETag"]}
    assert organization.owner.call("getOrganization", headers=headers).status == 200


def test_what_follows_from_others_is_no_change_of_the_entity(organization: Organization) -> None:
    """Given a tag of the organization, when a user is invited, then the tag is still good for a change of its name."""
    tag = organization.owner.call("getOrganization").headers["ETag"]
    body = {"email": f"{unique('new')}@example.com", "firstName": "I", "lastName": "H"}
    organization.owner.call("inviteUser", body=body)
    renamed = organization.owner.call("updateOrganization", body={"name": "Renamed"}, headers={"If-Match": tag})
    assert renamed.status == 200
