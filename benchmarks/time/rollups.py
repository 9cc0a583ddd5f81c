"""The stream consumer under a flood of time sessions; and the write units of one session, and of a timer, alone."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from benchmarks.consumer import Record, capacity_of, consume, measure_flood, remove_derived, stream_record
from benchmarks.tables import show
from chalicelib.core import clock
from chalicelib.dal import keys
from chalicelib.models.users import Role
from infra.local.stack import Stack
from tests.support import store, streams
from tests.support.api import Api
from tests.support.client_hooks import Call
from tests.support.factories import Member, Organization, new_organization
from tests.support.project_helpers import new_project
from tests.support.staffing import created
from tests.support.store import Store

_MEMBERS, _DAYS, _CLIENTS, _PROJECTS = 40, 10, 5, 20


def run(api: Api, stack: Stack) -> None:
    streams.turn_off(stack)
    table = store.of(stack)
    organization = new_organization(api)
    members = track(organization)
    records = records_of(table, organization)
    chance = random.Random(9)
    orders = {
        "member by member": sorted(records, key=lambda group: _field(group, "userId")),
        "day by day": sorted(records, key=lambda group: _field(group, "startAt")),
        "in random order": chance.sample(records, len(records)),
    }
    rows = []
    for name, groups in orders.items():
        remove_derived(table, organization.id)
        flood = [record for group in groups for record in group]
        rows.append(measure_flood(name, len(records), flood, "timeSessions"))
    show(
        f"{len(records):,} new time sessions, each with a pause, through the stream's consumer",
        ("", "sessions per second", "CPU ms per session", "requests", "WCU", "WCU of session rollups", "RCU"),
        rows,
    )
    show(
        "The rollups of one session, and of one timer, alone in a batch",
        ("", "requests", "WCU", "RCU"),
        [*alone(table, records), *alone_of_timer(table, organization, members[0])],
    )


def track(organization: Organization) -> list[Member]:
    """Create two weeks of sessions: each member starts at another minute, and works on two projects a day."""
    owner = organization.owner
    owner.call("setOrganizationRate", path={"effectiveFrom": "2020-01-01"}, body={"amount": 6000, "currency": "EUR"})
    clients = [created(owner, "createClient", name=f"Client {number}")["id"] for number in range(_CLIENTS)]
    projects = [new_project(owner, clientId=clients[number % _CLIENTS])["id"] for number in range(_PROJECTS)]
    members = [organization.enrol(Role.MEMBER) for _ in range(_MEMBERS)]
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(_DAYS):
        for number, member in enumerate(members):
            start = midnight - timedelta(days=day + 1) + timedelta(hours=8 + number % 3, minutes=number * 7 % 60)
            pause = start + timedelta(hours=4, minutes=number % 11)
            body = {
                "projectId": projects[(number * 7 + day) % _PROJECTS],
                "billable": number % 4 != 0,
                "startAt": clock.to_text(start),
                "endAt": clock.to_text(start + timedelta(hours=8, minutes=number % 13)),
                "pauses": [{"startAt": clock.to_text(pause), "endAt": clock.to_text(pause + timedelta(minutes=30))}],
            }
            answer = member.call("createTimeSession", body=body)
            assert answer.status == 201, answer.text
    return members


def records_of(table: Store, organization: Organization) -> list[list[Record]]:
    """Return the records of each session: itself, and its audit entry."""
    items = table.items()
    sessions = {key: item for key, item in items.items() if key[0] == keys.partition(organization.id, "TIMESESSION")}
    entries = {
        item["data"]["M"]["entityId"]["S"]: stream_record(key, item)
        for key, item in items.items()
        if key[0] == keys.audit(organization.id)
    }
    return [[stream_record(key, item), entries[key[1]]] for key, item in sessions.items()]


def alone(table: Store, records: list[list[Record]]) -> list[tuple[object, ...]]:
    """Measure a session without, and one with a pause, among the rollups of all others."""
    plain, paused = records[0][0], records[1][0]
    before = table.items()
    rows = []
    for name, record in (("a session with a pause", paused), ("a session without one", _without_pauses(plain))):
        image = record["dynamodb"]["NewImage"]
        applied = f"{keys.partition(keys.organization_of(image['pk']['S']), 'APPLIED')}#TIMESESSIONS"
        table.remove([(applied, image["sk"]["S"])])
        _put(table, image)
        rows.append((name, *_cost(consume([record]))))
    table.restore(before)
    return rows


def _without_pauses(record: Record) -> Record:
    image = record["dynamodb"]["NewImage"]
    data = {**image["data"]["M"], "pauses": {"L": []}}
    return stream_record((image["pk"]["S"], image["sk"]["S"]), {**image, "data": {"M": data}})


def _put(table: Store, item: dict[str, Any]) -> None:
    items = table.items()
    table.restore({**items, (item["pk"]["S"], item["sk"]["S"]): item})


def alone_of_timer(table: Store, organization: Organization, member: Member) -> list[tuple[object, ...]]:
    rows = []
    for name, act in (
        ("a timer that starts", lambda: member.post("startTimer")),
        ("a timer that is paused", lambda: member.post("pauseTimer")),
        ("a timer that is resumed", lambda: member.post("resumeTimer")),
        ("a timer that becomes a session", lambda: member.post("stopTimer")),
    ):
        before = table.items()
        act()
        after = table.items()
        kinds = {keys.partition(organization.id, kind) for kind in ("TIMER", "TIMESESSION")}
        changed = [key for key in {*before, *after} if key[0] in kinds and before.get(key) != after.get(key)]
        records = [stream_record(key, after.get(key), before.get(key)) for key in sorted(changed)]
        rows.append((name, *_cost(consume(records))))
    return rows


def _cost(calls: list[Call]) -> tuple[object, ...]:
    written = [call for call in calls if call.operation == "TransactWriteItems"]
    read = [call for call in calls if call.operation != "TransactWriteItems"]
    return len(calls), capacity_of(written), capacity_of(read)


def _field(group: list[Record], name: str) -> Any:
    return group[0]["dynamodb"]["NewImage"]["data"]["M"][name]["S"]
