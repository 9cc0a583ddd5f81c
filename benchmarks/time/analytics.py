"""Analytics of an organization with 200,000 sessions in a year, and the price of writing one session."""

from __future__ import annotations

import base64
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from benchmarks.seed import put_items
from benchmarks.staffing.measured import Measured, measured
from benchmarks.tables import show
from chalicelib.core import clock
from chalicelib.dal.item import Item
from chalicelib.models.staffing.attributes import SPANS
from chalicelib.models.time import packed_months
from chalicelib.models.time.packed_months import Group
from chalicelib.models.time.spans import Seconds
from chalicelib.models.users import Role
from infra.local.stack import Stack
from tests.support import streams
from tests.support.api import Api
from tests.support.client_hooks import Call, recorded
from tests.support.factories import Member, Organization, new_organization
from tests.support.project_helpers import new_project
from tests.support.staffing import created

_MEMBERS, _PROJECTS, _CLIENTS, _DAYS, _A_DAY = 100, 12, 5, 250, 8
_FIRST = datetime(2025, 1, 1, tzinfo=UTC)
_YEAR = {"from": "2025-01-01", "to": "2025-12-31"}
_TAGS: tuple[tuple[str, ...], ...] = ((), ("Büro",), ("Kunde", "Telefon"))


def run(api: Api, stack: Stack) -> None:
    streams.turn_off(stack)
    organization = new_organization(api, timezone="Europe/Berlin")
    owner = organization.owner
    rate = {"amount": 6500, "currency": "EUR"}
    assert owner.call("setOrganizationRate", path={"effectiveFrom": "2025-07-01"}, body=rate).status == 200
    members = [organization.enrol(Role.MEMBER) for _ in range(_MEMBERS)]
    clients = [created(owner, "createClient", name=f"Client {number}")["id"] for number in range(_CLIENTS)]
    projects = [UUID(new_project(owner, clientId=clients[number % _CLIENTS])["id"]) for number in range(_PROJECTS)]
    for project in projects[:6]:
        path = {"id": str(project), "effectiveFrom": "2024-01-01"}
        assert owner.call("setProjectRate", path=path, body={**rate, "amount": 8000}).status == 200
    seconds, sessions = write_months(stack, organization, members, projects)
    rows = []
    for name, member, query, expected in (
        ("everybody's year, by day and project", owner, {"groupBy": "day,project"}, seconds),
        ("... by client and user", owner, {"groupBy": "client,user"}, seconds),
        ("... by tag", owner, {"groupBy": "tag"}, seconds),
        ("... without groups", owner, {}, seconds),
        ("one member's year, by day and project", members[0], {"groupBy": "day,project"}, None),
    ):
        cost = measured(lambda m=member, q=query: m.call("getAnalyticsSummary", query={**_YEAR, **q}), repeats=3)
        assert cost.result.status == 200, cost.result.text
        assert expected in {None, cost.data["totals"]["seconds"]}
        rows.append((name, *_figures(cost)))
    for name, action, query in (
        ("one member's heatmap of a year", "getActivityHeatmap", _YEAR),
        ("one member's streak", "getTrackingStreak", {}),
    ):
        cost = measured(lambda a=action, q=query: members[0].call(a, query=q), repeats=3)
        assert cost.result.status == 200, cost.result.text
        rows.append((name, *_figures(cost)))
    show(
        f"Analytics of {sessions:,} time sessions of {_MEMBERS} members in a year",
        ("", "round trips", "RCU", "CPU ms"),
        rows,
    )
    measure_writes(organization, members[1], str(projects[0]))


def _figures(cost: Measured) -> tuple[object, ...]:
    return cost.round_trips, cost.capacity, cost.milliseconds


def write_months(
    stack: Stack, organization: Organization, members: list[Member], projects: list[UUID]
) -> tuple[int, int]:
    """Write the packed months of a year; return the seconds and the number of their sessions."""
    chance = random.Random(200_000)
    items, total, number = [], 0, 0
    for member in members:
        months: dict[str, dict[Group, list[Seconds]]] = defaultdict(lambda: defaultdict(list))
        own, tags = chance.sample(projects, 4), chance.sample(_TAGS, 2)
        for day in range(_DAYS):
            start = round((_FIRST + timedelta(days=day * 365 // _DAYS, hours=7)).timestamp()) + chance.randrange(3600)
            for _ in range(_A_DAY):
                length = chance.randrange(1200, 4800)
                project = chance.choice(own)
                billable = project.int % 10 < 7  # the project's default, which few sessions differ from
                group = Group(project, None, billable, chance.choice(tags))
                spans = [(start, start + length)]
                if chance.random() < 0.1:
                    spans = [(start, start + length // 2), (start + length // 2 + 300, start + length + 300)]
                months[packed_months.label_of(datetime.fromtimestamp(start, UTC))][group].append(spans)
                start, total, number = spans[-1][1] + 60, total + length, number + 1
        for label, sessions in months.items():
            key = packed_months.key(organization.id, label, member.user.id)
            packed = base64.b64encode(packed_months.pack(label, sessions)).decode()
            items.append({**Item(*key, derived=1).serialize(), SPANS.attr_name: {"B": packed}})
    put_items(stack.engine.table_endpoint, stack.table, items)
    return total, number


def measure_writes(organization: Organization, member: Member, project: str) -> None:
    """Show what `createTimeSession` writes, item by item."""
    body: dict[str, Any] = {"projectId": project, "tags": ["Büro"], "description": "Wareneingang Block C"}

    def create(number: int) -> list[Call]:
        start = clock.now() - timedelta(hours=number + 1)
        times = {"startAt": clock.to_text(start), "endAt": clock.to_text(start + timedelta(minutes=45))}
        with recorded() as recording:
            answer = member.api.call("createTimeSession", member.token, body={**body, **times}, key=f"bench-{number}")
        assert answer.status == 201, answer.text
        return recording.calls

    create(1)
    calls = create(2)
    rows = []
    for call in calls:
        kinds = sorted(pk.split("#", 2)[2].partition("#")[0] for pk in call.partitions())
        rows.append((call.operation, float(call.capacity), " ".join(kinds)))
    show("createTimeSession, with an Idempotency-Key", ("request", "capacity units", "items"), rows)
