"""Concurrent requests, on an engine that supports them: the rules hold in every order."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from chalicelib.models.users import Role
from tests.support.api import Answer, Api
from tests.support.factories import PASSWORD, Member, Organization, address, new_organization
from tests.support.store import Store, audit_entries
from tests.support.threads import at_once

pytestmark = pytest.mark.usefixtures("on_a_safe_engine")

RIVALS = 20


def test_one_of_twenty_sign_ups_of_one_address_wins(api: Api, store: Store) -> None:
    # Given an address that nobody has
    before, email = store.items(), address("anna")
    request = {
        "password": PASSWORD,
        "firstName": "Anna",
        "lastName": "Berg",
        "organizationName": "Berg Staffing",
    }
    spellings = [email if number % 2 else email.upper() for number in range(RIVALS)]
    # When twenty sign up with it at once
    answers = at_once([lambda given=given: api.call("signUp", body={**request, "email": given}) for given in spellings])
    # Then one succeeds, the others are refused, and leave nothing
    assert Counter(_outcome(answer) for answer in answers) == {"201": 1, "DUPLICATE_ENTRY": RIVALS - 1}
    winner = next(answer for answer in answers if answer.status == 201)
    organization = winner.data["organization"]["id"]
    new = {pk.split("#")[1] for pk, _ in store.changes(before) if pk.startswith("ORG#")}
    assert new == {organization}
    assert len(audit_entries(store.changes(before))) == 1
    assert api.call("getOrganization", winner.data["token"]).data["userCount"] == 1


def test_one_of_twenty_clients_of_one_name_is_created(home: Organization, store: Store) -> None:
    before = store.items()
    names = ["Hansekontor" if number % 2 else "HANSEKONTOR" for number in range(RIVALS)]

    answers = at_once([lambda name=name: home.owner.call("createClient", body={"name": name}) for name in names])

    assert Counter(_outcome(answer) for answer in answers) == {"201": 1, "DUPLICATE_ENTRY": RIVALS - 1}
    kinds = Counter(pk.split("#")[2] + ("#UNIQUE" if "#UNIQUE#" in pk else "") for pk, _ in store.changes(before))
    assert kinds == {"CLIENT": 1, "CLIENT#UNIQUE": 1, "AUDIT": 1}


@pytest.mark.parametrize(("action", "body"), [("changeUserRole", {"role": "ADMIN"}), ("deactivateUser", None)])
def test_two_owners_cannot_demote_each_other(api: Api, action: str, body: dict[str, str] | None) -> None:
    # Given two OWNERs, and no other
    first, second = _two_owners(api)
    # When each demotes the other at the same moment
    answers = at_once(
        [
            lambda: first.call(action, path={"userId": second.user.id}, body=body),
            lambda: second.call(action, path={"userId": first.user.id}, body=body),
        ]
    )
    # Then one of them is still an OWNER
    assert sum(answer.status == 200 for answer in answers) == 1, [answer.text for answer in answers]
    roles = [member.call("getUserRole") for member in (first, second)]
    owners = [answer for answer in roles if answer.status == 200 and answer.data["role"] == "OWNER"]
    assert len(owners) == 1, [answer.text for answer in roles]


def _two_owners(api: Api) -> tuple[Member, Member]:
    organization = new_organization(api)
    return organization.owner, organization.enrol(Role.OWNER)


# -- the very next request -------------------------------------------------------------------------------------------


@pytest.fixture
def load(home: Organization) -> Iterator[list[Answer]]:
    """Run eight threads that keep the API busy; return the list of their answers."""
    is_over, answers = threading.Event(), []

    def send_requests(member: Member) -> None:
        while not is_over.is_set():
            answers.append(member.call("getClients"))
            answers.append(member.call("updateProfile", body={"firstName": "Busy"}))

    threads = [threading.Thread(target=send_requests, args=(home.enrol(Role.OWNER),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    yield answers
    is_over.set()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("turn", range(3))
def test_access_ends_with_the_very_next_request_under_load(home: Organization, load: list[Answer], turn: int) -> None:
    # Given three members who work
    leaver, visitor, admin = home.enrol(Role.ADMIN), home.enrol(Role.ADMIN), home.enrol(Role.ADMIN)
    for member in (leaver, visitor, admin):
        assert member.call("getUsers").status == 200
    # When one is deactivated, one signs out, one is demoted
    assert home.owner.call("deactivateUser", path={"userId": leaver.user.id}).status == 200
    refused = leaver.call("getUsers")
    assert visitor.call("signOut").status == 200
    ended = visitor.call("getUsers")
    assert home.owner.call("changeUserRole", path={"userId": admin.user.id}, body={"role": "VIEWER"}).status == 200
    demoted = admin.call("getUsers")
    # Then their very next requests are refused, while everybody else is served
    assert (refused.status, refused.code) == (403, "FORBIDDEN")
    assert (ended.status, ended.code) == (401, "SESSION_EXPIRED")
    assert (demoted.status, demoted.code) == (403, "FORBIDDEN")
    assert {answer.status for answer in load} <= {200}


# -- optimistic updates ----------------------------------------------------------------------------------------------


def test_concurrent_updates_all_count(home: Organization) -> None:
    client = home.owner.call("createClient", body={"name": "Contended"}).data
    path = {"id": client["id"]}

    answers = at_once(
        [lambda n=n: home.owner.call("updateClient", path=path, body={"address": f"{n} Quay"}) for n in range(6)]
    )

    assert [answer.status for answer in answers] == [200] * 6, [answer.text for answer in answers]
    assert home.owner.call("getClient", path=path).data["version"] == client["version"] + 6
    assert {answer.data["version"] for answer in answers} == {*range(client["version"] + 1, client["version"] + 7)}


def test_one_of_several_updates_of_one_version_wins(home: Organization) -> None:
    client = home.owner.call("createClient", body={"name": "Contended too"})
    path, tag = {"id": client.data["id"]}, client.headers["ETag"]

    def update(number: int) -> Answer:
        return home.owner.call("updateClient", path=path, body={"address": f"{number} Quay"}, headers={"If-Match": tag})

    answers = at_once([lambda n=n: update(n) for n in range(8)])

    assert Counter(_outcome(answer) for answer in answers) == {"200": 1, "PRECONDITION_FAILED": 7}
    assert home.owner.call("getClient", path=path).data["version"] == 2


def test_counts_are_exact_after_a_rush(home: Organization) -> None:
    before = home.owner.call("getOrganization").data["userCount"]
    people = [{"email": address("guest"), "firstName": "Jo", "lastName": "Weber", "role": "MEMBER"} for _ in range(8)]

    answers = at_once([lambda person=person: home.owner.call("inviteUser", body=person) for person in people])

    created = [answer for answer in answers if answer.status == 201]
    assert len(created) == 8, [answer.text for answer in answers]
    assert home.owner.call("getOrganization").data["userCount"] == before + len(created)


# -- read state ------------------------------------------------------------------------------------------------------


def test_concurrent_changes_of_read_state_are_all_stored(home: Organization) -> None:
    reader = home.enrol(Role.VIEWER)
    body = {"title": "News", "type": "SYSTEM_EVENT", "entityType": "kpi", "entityId": "1", "action": "NOTED"}
    recorded = [home.owner.call("recordActivity", body=body).data["id"] for _ in range(5)]
    both = ("markActivityAsRead", "archiveActivity")

    answers = at_once(
        [
            lambda action=action, identifier=identifier: reader.call(action, path={"id": identifier})
            for identifier in recorded[1:]
            for action in both
        ]
    )

    assert {answer.status for answer in answers} == {200}, [answer.text for answer in answers]
    marked = reader.call("getRecentActivities", query={"archived": "true"}).data["items"]
    assert [(row["id"], row["isRead"]) for row in marked] == [(identifier, True) for identifier in recorded[:0:-1]]
    assert reader.call("getUnreadCount").data["count"] == 1


def _outcome(answer: Answer) -> str:
    return answer.code if answer.status >= 400 else str(answer.status)
