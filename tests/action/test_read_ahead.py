"""The entity that a path names comes in the round trip that reads the caller."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.dal import table
from chalicelib.dal.keys import Key
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.users import Role
from tests.support.client_hooks import overtaken, recorded
from tests.support.factories import Organization
from tests.support.staffing import new_client, new_position, new_worker


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


def _assignment(organization: Organization) -> dict[str, Any]:
    worker, position = new_worker(organization.owner)["id"], new_position(organization.owner, headcount=9)["id"]
    return {
        "workerId": worker,
        "positionId": position,
        "startAt": "2030-03-02T08:00:00.000Z",
        "endAt": "2030-03-02T16:00:00.000Z",
    }


def test_what_a_body_names_comes_with_the_caller(organization: Organization) -> None:
    body = _assignment(organization)

    answer = organization.owner.call("createAssignment", body=body)
    again = organization.owner.call("createAssignment", body=body)

    assert answer.status == 201
    assert answer.recording.operations == ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]
    assert again.data["warnings"]
    assert again.round_trips == 3, "the other assignment is looked for as the names are read"
    assert not again.recording.repeated_reads()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"startAt": "soon"}, 400),
        ({"endAt": "2030-03-02T08:00:00.000Z"}, 400),
        ({"startAt": "9999-12-31T23:00:00.000Z", "endAt": None}, 201),
    ],
)
def test_a_faulty_body_is_told_once_the_caller_is_known(
    organization: Organization, changes: dict[str, Any], status: int
) -> None:
    body = _assignment(organization) | changes
    owner, viewer = organization.owner, organization.member(Role.VIEWER)

    assert owner.call("createAssignment", body=body).status == status
    assert viewer.call("createAssignment", body=body).code == "FORBIDDEN"
    token = owner.token[:-8] + "AAAAAAA="
    assert owner.api.call("createAssignment", token, body=body).code == "NOT_AUTHENTICATED"
    assert owner.call("createAssignment", body={}).code == "VALIDATION_ERROR"


def test_a_create_that_is_overtaken_reads_anew(organization: Organization) -> None:
    body, owner = _assignment(organization), organization.owner

    with overtaken(lambda: owner.call_on("deleteWorker", body["workerId"])):
        answer = owner.call("createAssignment", body=body)

    assert answer.code == "NOT_FOUND"


def test_a_timer_comes_with_its_user(organization: Organization) -> None:
    first, second = organization.owner, organization.member(Role.MEMBER)
    started = first.call("startTimer", body={"description": "Mine"})

    assert second.call("getCurrentTimer").data["timer"] is None
    answer = first.call("getCurrentTimer")
    assert answer.data["timer"] == started.data["timer"]
    assert answer.recording.operations == ["BatchGetItem"]
