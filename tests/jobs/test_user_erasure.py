"""A deleted user is gone to the outside at once, and finally from the table, whatever dies on the way."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

import app as product
from chalicelib.action.registry import REGISTRY
from chalicelib.auth import codes
from chalicelib.core import clock, former_users
from chalicelib.dal import keys
from chalicelib.jobs import metrics_queue, reconciliation, stream, user_erasure
from chalicelib.models import users
from chalicelib.models.identity import credentials
from chalicelib.models.identity.credentials import CodePurpose
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.users import StoredUser
from infra.local import functions
from infra.local.lambda_events import invoke, scheduled_event
from infra.local.pump import Pump
from infra.local.stack import Stack
from tests.support import store as stores
from tests.support import streams
from tests.support.api import Answer, Api
from tests.support.arrange import WRITES, arrange
from tests.support.client_hooks import Fault, ProcessDied, broken, without_waiting
from tests.support.deliveries import Deliveries
from tests.support.factories import PASSWORD, Member, Organization, new_organization
from tests.support.queue_events import failed
from tests.support.store import Snapshot, Store
from tests.support.widget_helpers import chart_of, new_metric, new_widget

FIRST, LAST = "Zephyrine", "Quaddelbusch"
EMAIL = "zephyrine.quaddelbusch@example.com"
MARKS = ("zephyrin", "quaddel")
"""Parts of every name and address that the person has had."""
ENDING = {"deactivateUser", "deleteUser", "reactivateUser", "withdrawInvitation"}
OF_NAMES = {"updateProfile", "updateUser"}
"""Actions whose examples have other names: the person's are set apart."""
BY_USER = {
    "type": "simple",
    "source": "timeSessions",
    "aggregate": "sum",
    "field": "hours",
    "period": "last_7_days",
    "groupBy": ["userId"],
}


@dataclass
class World:
    organization: Organization
    person: Member
    project: str
    chart: str
    shared_widget: str
    personal_widget: str

    @property
    def owner(self) -> Member:
        return self.organization.owner


@pytest.fixture(scope="module")
def store(local_stack: Stack) -> Store:
    return stores.of(local_stack)


@pytest.fixture(scope="module")
def pump(local_stack: Stack) -> Pump:
    streams.turn_on(local_stack)
    return functions.pump(product, local_stack, schedules={"sweep_outbox": product.sweep_outbox}, from_now=True)


def _on(by: Member, action: str, user: Any, **parts: Any) -> Answer:
    answer = by.call(action, path={"userId": user}, **parts)
    assert answer.status == 200, answer.text
    return answer


def _code(purpose: CodePurpose) -> str:
    credential = credentials.get(EMAIL)
    code = codes.issue(credential, purpose) if credential else None
    assert code is not None
    return code


def _enter(api: Api, organization: Organization) -> Member:
    """Invite the person, who accepts, and whose password is reset: with keys, so that the answers are stored."""
    body = {"email": EMAIL, "firstName": "Zephyrina", "lastName": LAST, "role": "OWNER"}
    assert organization.owner.call("inviteUser", body=body, key="invite").status == 201
    code = _code(CodePurpose.INVITATION)
    accepted = {"email": EMAIL, "code": code, "password": PASSWORD}
    answer = api.call("acceptInvitation", body=accepted, key="accept", headers={"User-Agent": "Zephyrine's browser"})
    assert answer.status == 200, answer.text
    assert api.call("signIn", body={"email": EMAIL, "password": PASSWORD}, key="sign in").status == 200
    assert api.call("signIn", body={"email": EMAIL, "password": "wrong"}).code == "INVALID_CREDENTIALS"
    assert api.call("resetPassword", body={"email": EMAIL}, key="reset").status == 200
    user = users.get(organization.id, UUID(answer.data["user"]["id"]))
    return Member(api, user, answer.data["token"])


def _do_everything(organization: Organization, person: Member) -> None:
    """Send every write of the product as the person, each with a key and in a session of its own."""
    for name in WRITES:
        if name in ENDING | OF_NAMES or REGISTRY[name].is_public:
            continue
        sender = replace(person, token=organization.session(_current(organization, person)))
        arranged = arrange(name, organization, sender)
        answer = arranged.send(f"key of {name}")
        assert answer.status == arranged.action.status, answer.text


def _current(organization: Organization, person: Member) -> StoredUser:
    return users.get(organization.id, person.user.id)


@pytest.fixture(scope="module")
def world(api: Api, pump: Pump, _fresh_table: None, _cheap_hashes: None) -> World:
    """An organization in which the person has done everything, and everything was done to them."""
    organization = new_organization(api)
    owner, person = organization.owner, _enter(api, organization)
    _do_everything(organization, person)
    person = replace(person, token=organization.session(_current(organization, person)))
    names = {"firstName": FIRST, "lastName": LAST}
    assert person.call("updateProfile", body=names, key="rename").status == 200
    _on(owner, "updateUser", person.user.id, body={"firstName": "Zephyrinchen", "lastName": LAST}, key="rename")
    _on(owner, "updateUser", person.user.id, body=names)
    _on(owner, "changeUserRole", person.user.id, body={"role": "ADMIN"}, key="role")
    project = owner.post("createProject", name="Umzug").data["id"]
    path = {"id": project, "userId": person.user.id}
    assert owner.call("addProjectMember", path=path, key="member").status == 200
    person.call("discardTimer")
    with clock.shifted(timedelta(hours=-14)):
        assert person.post("startTimer", description="Abbau").status == 201
    invoke(product.remind_timers, "remind_timers", scheduled_event("remind_timers"))
    shared = new_widget(person, "ACTIVITY_FEED", scope="ORGANIZATION")
    personal = new_widget(person, "CALENDAR", scope="PERSONAL", name="My shifts")
    chart = chart_of(owner, new_metric(owner, BY_USER))
    pump.pump_once()
    return World(organization, person, project, chart, shared["id"], personal["id"])


@pytest.fixture(scope="module")
def full(world: World, store: Store) -> Snapshot:
    return store.items()


def _delete(world: World, key: str | None = None) -> Answer:
    return world.owner.call("deleteUser", path={"userId": world.person.user.id}, key=key)


def _told(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text.lower()]


def _left(store: Store) -> list[tuple[str, str]]:
    """Return the items that name the person, in any attribute, index or key."""
    return [key for key, item in store.items().items() if _told(json.dumps(item, default=repr, ensure_ascii=False))]


def _walked(member: Member, action: str, **query: Any) -> Iterator[str]:
    cursor: str | None = None
    while True:
        parameters = {**query, "limit": 100, **({} if cursor is None else {"cursor": cursor})}
        answer = member.call(action, query=parameters)
        assert answer.status == 200, answer.text
        yield answer.text
        cursor = answer.data["nextCursor"]
        if cursor is None:
            return


def _shown(world: World) -> Iterator[tuple[str, str]]:
    """Yield everything that the OWNER can see, with the name of the action."""
    owner, user = world.owner, world.person.user.id
    for action in ("getAuditLog", "getRecentActivities", "getUsers"):
        yield from ((action, text) for text in _walked(owner, action))
    yield from (("of the actor", text) for text in _walked(owner, "getAuditLog", actorId=str(user)))
    yield from (("archived", text) for text in _walked(owner, "getRecentActivities", archived="true"))
    about = {"entityType": "user", "entityId": str(user)}
    yield "getActivitiesByEntity", owner.call("getActivitiesByEntity", path=about).text
    yield "getUsers", owner.call("getUsers", query={"search": "quaddel"}).text
    yield "listProjectMembers", owner.call("listProjectMembers", path={"id": world.project}).text
    yield "data of a chart", owner.call("getWidgetData", path={"id": world.chart}).text
    yield "getWidgetData", owner.call("getWidgetData", path={"id": world.shared_widget}).text
    yield "getWidgetById", owner.call("getWidgetById", path={"id": world.shared_widget}).text
    days = {"from": str((clock.now() - timedelta(days=300)).date()), "to": str(clock.now().date())}
    yield "getAnalyticsSummary", owner.call("getAnalyticsSummary", query={**days, "groupBy": "user"}).text
    yield "exportTimeSessionsToCsv", owner.call("exportTimeSessionsToCsv", query={**days}).text
    for action in ("getAssignments", "listTimeSessions", "getDashboardWidgets", "listTimesheets"):
        yield from ((action, text) for text in _walked(owner, action))
    for key, action, path, body in (
        ("role", "changeUserRole", {"userId": user}, {"role": "ADMIN"}),
        ("rename", "updateUser", {"userId": user}, {"firstName": "Zephyrinchen", "lastName": LAST}),
        ("member", "addProjectMember", {"id": world.project, "userId": user}, None),
    ):
        replay = owner.call(action, path=path, body=body, key=key)
        assert replay.is_replay, replay.text
        yield f"replay of {action}", replay.text


def test_everything_shows_the_person_first(world: World, store: Store, full: Snapshot) -> None:
    """Hold the other tests to looking where there is something to see."""
    store.restore(full)
    blind = {"listTimesheets", "listTimeSessions", "archived"}
    shown = {action for action, text in _shown(world) if _told(text)}
    assert {action for action, _ in _shown(world)} - shown <= blind


def test_a_deleted_user_is_gone_at_once_and_finally_from_the_table(
    world: World, store: Store, full: Snapshot, pump: Pump
) -> None:
    store.restore(full)
    # When the person is deleted, before any job has run
    assert _delete(world, "delete").status == 200
    # Then no answer names them, and their sessions have ended
    assert {action: _told(text) for action, text in _shown(world) if _told(text)} == {}
    assert world.person.call("getCurrentUser").code == "NOT_AUTHENTICATED"
    _hold_to_history(world)
    # When the jobs have run
    pump.pump_once()
    # Then nothing in the table names them, except limits of the address: without them, deleting and inviting
    # by turns would mail an address without end
    left = _left(store)
    assert {sk.partition("#")[0] for _, sk in left} <= {"LIMIT", "ANSWER"}, left
    assert all(pk == keys.credential(EMAIL).pk or "#CACHE#" in pk for pk, _ in left), left
    assert {action: _told(text) for action, text in _shown(world) if _told(text)} == {}
    _hold_to_history(world)
    own = f"ORG#{world.organization.id}#"
    assert (f"{own}WIDGET", world.personal_widget) not in store.items()
    assert not [pk for pk, _ in store.items() if pk.endswith(f"#{world.person.user.id}") and "#SESSION#" in pk]
    # When a night has passed
    with clock.shifted(timedelta(hours=3)):
        reconciliation.schedule([world.organization.id])
        pump.pump_once()
    # Then there is nothing to mask any more
    assert ORGANIZATIONS.get(world.organization.id, world.organization.id).erasing == frozenset()
    assert {action: _told(text) for action, text in _shown(world) if _told(text)} == {}
    assert _delete(world, "delete").is_replay


def _hold_to_history(world: World) -> None:
    """Assert that what the person did is there, as a former user's."""
    owner, user = world.owner, str(world.person.user.id)
    [entry, *_] = owner.call("getAuditLog", query={"actorId": user}).data["items"]
    assert entry["actor"] == {"id": user, "name": former_users.NAME, "email": None}
    activities = owner.call("getRecentActivities", query={"limit": 100}).data["items"]
    titles = [activity["title"] for activity in activities if activity["actor"]["id"] == user]
    assert any(title.startswith(f"{former_users.NAME} created") for title in titles), titles
    creator = owner.call("getWidgetById", path={"id": world.shared_widget}).data["creator"]
    assert creator == {"id": user, "name": former_users.NAME, "email": None}
    authors = [row["createdBy"] for row in owner.call("getAssignments").data["items"]]
    assert {"id": user, "firstName": "former", "lastName": "user"} in authors


def test_what_others_have_stays(world: World, store: Store, full: Snapshot, api: Api, pump: Pump) -> None:
    """The address may be somebody else's before the erasure has run."""
    store.restore(full)
    assert _delete(world).status == 200
    with clock.shifted(timedelta(seconds=2)):
        names = {"firstName": "Zephyrine", "lastName": "Zweite", "organizationName": "Quaddel & Co"}
        body = {"email": EMAIL, "password": PASSWORD, **names}
        signed_up = api.call("signUp", body=body, key="again")
        assert signed_up.status == 201, signed_up.text
        pump.pump_once()
        again = api.call("signUp", body=body, key="again")
        assert again.is_replay, again.text
        me = api.call("getCurrentUser", again.data["token"]).data["user"]
        assert (me["email"], me["lastName"]) == (EMAIL, "Zweite")


def test_an_erasure_that_dies_anywhere_is_completed(
    world: World, store: Store, full: Snapshot, deliveries: Deliveries
) -> None:
    store.restore(full)
    deliveries.changes()
    deliveries.messages()
    assert _delete(world).status == 200
    with without_waiting():
        for at_call in range(1, 60, 7):
            # When the work dies at one of its calls, again and again
            message = {"kind": "eraseUser", "organizationId": str(world.organization.id)}
            with broken(Fault(at_call, "process dies after")), contextlib.suppress(ProcessDied):
                user_erasure.work({**message, "userId": str(world.person.user.id)})
        deliveries.messages()
        # Then what the change has ordered completes it
        _work(deliveries)
    left = [key for key in _left(store) if "LIMIT#" not in key[1] and "#CACHE#" not in key[0]]
    assert left == []


def _work(deliveries: Deliveries) -> None:
    while True:
        records, messages = deliveries.changes(), deliveries.messages()
        if not records and not messages:
            return
        if records:
            assert invoke(stream.consume, "consume_stream", {"Records": records}) == {"batchItemFailures": []}
        assert not messages or failed(metrics_queue.work, *messages) == []
