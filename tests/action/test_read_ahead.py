"""The entity that a path names comes in the round trip that reads the caller."""

from __future__ import annotations

import pytest

from chalicelib.dal import table
from chalicelib.dal.keys import Key
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.users import Role
from tests.support.client_hooks import overtaken, recorded
from tests.support.factories import Organization
from tests.support.staffing import new_client


def test_a_get_is_one_round_trip(organization: Organization) -> None:
    client = new_client(organization.owner)

    answer = organization.owner.call_on("getClient", client["id"])

    assert answer.data == client
    assert answer.recording.operations == ["BatchGetItem"]


@pytest.mark.parametrize(("identifier", "code"), [("x", "VALIDATION_ERROR"), ("0" * 32, "NOT_FOUND")])
def test_ids_of_nothing_are_told_as_ever(organization: Organization, identifier: str, code: str) -> None:
    assert organization.owner.call_on("getClient", identifier).code == code


def test_what_came_is_nothing_to_those_without_the_permission(organization: Organization) -> None:
    client = new_client(organization.owner)

    answer = organization.member(Role.VIEWER).call_on("updateClient", client["id"], body={"name": "Mine"})

    assert answer.code == "FORBIDDEN"
    assert client["name"] not in answer.text


def test_a_write_that_is_overtaken_reads_anew(organization: Organization) -> None:
    client, owner = new_client(organization.owner, phone="+49 40 1"), organization.owner

    with overtaken(lambda: owner.call_on("updateClient", client["id"], body={"phone": "+49 40 2"})):
        answer = owner.call_on("updateClient", client["id"], body={"address": "Kai 3"})

    assert (answer.data["phone"], answer.data["address"], answer.data["version"]) == ("+49 40 2", "Kai 3", 3)


def test_what_came_is_taken_once(organization: Organization) -> None:
    stored = CLIENTS.key(organization.id, CLIENTS.record.model_validate(new_client(organization.owner)).id)
    absent, other = Key(stored.pk, "absent"), Key(stored.pk, "other")

    with table.counted() as traffic, recorded() as recording:
        assert table.batch_get([other], ahead=[stored, absent]) == {}
        first = table.get(stored)
        assert table.get(absent) is None
        assert table.batch_get([absent]) == {}
        again = table.get(stored)

    assert first is not None
    assert again is not None
    assert first is not again
    assert recording.operations == ["BatchGetItem", "BatchGetItem", "GetItem"]
    assert traffic.round_trips == 3
