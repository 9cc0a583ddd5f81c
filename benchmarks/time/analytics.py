"""Analytics of an organization with 200,000 sessions in a year, and the price of writing one session."""

from __future__ import annotations

import base64
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from benchmarks.seed import put_items
from benchmarks.staffing.measured import Measured, measured
from benchmarks.tables import show
from chalicelib.core import clock, text
from chalicelib.dal.item import Item
from chalicelib.models.staffing.attributes import SPANS
from chalicelib.models.time import accounts, packed_months
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
from tests.support.store import Snapshot, Store

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
    year = write_year(stack, organization, members, projects, _FIRST)
    # Of a change that has just been, or is ahead, no answer is kept.
    write_accounts(stack, organization, year.months, clock.now() + timedelta(days=1))
    rows = [
        _of_everybody(owner, "everybody's year, by day and project", {"groupBy": "day,project"}, year.seconds),
        _of_everybody(owner, "... by client and user", {"groupBy": "client,user"}, year.seconds),
        _of_everybody(owner, "... by tag", {"groupBy": "tag"}, year.seconds),
        _of_everybody(owner, "... without groups", {}, year.seconds),
    ]
    write_accounts(stack, organization, year.months, _FIRST)
    rows += [
        _of_everybody(
            owner, "everybody's year, where nobody works", {"groupBy": "day,project"}, year.seconds, repeats=1
        ),
        _of_everybody(owner, "... once more, cached", {"groupBy": "day,project"}, year.seconds),
        *_of_members(stack, organization, members, projects, year),
    ]
    show(
        f"Analytics of {year.sessions:,} time sessions of {_MEMBERS} members in a year",
        ("", "round trips", "requests", "RCU", "WCU", "CPU ms"),
        rows,
    )
    measure_writes(stack, organization, members[1], str(projects[0]))


def _of_everybody(
    owner: Member, name: str, query: dict[str, str], seconds: int, repeats: int = 3
) -> tuple[object, ...]:
    cost = measured(lambda: owner.call("getAnalyticsSummary", query={**_YEAR, **query}), repeats=repeats)
    assert cost.data["totals"]["seconds"] == seconds
    return _figures(name, cost)


def _of_members(
    stack: Stack, organization: Organization, members: list[Member], projects: list[UUID], year: Year
) -> list[tuple[object, ...]]:
    one, two = members[0], members[2]
    earlier = write_year(stack, organization, [two], projects, _FIRST - timedelta(days=366))
    both = {**year.months, two.user.id: [*earlier.months[two.user.id], *year.months[two.user.id]]}
    write_accounts(stack, organization, both, _FIRST)

    def summary(name: str, member: Member = one, group_by: str = "day,project", repeats: int = 3) -> tuple[object, ...]:
        query = {**_YEAR, "groupBy": group_by}
        return _figures(name, measured(lambda: member.call("getAnalyticsSummary", query=query), repeats=repeats))

    rows = [
        summary("one member's year, by day and project, for the first time", repeats=1),
        summary("... from then on"),
        summary("... by task", group_by="task"),
    ]
    track(one, projects[0], _FIRST + timedelta(days=200))
    rows.append(summary("... after a new session"))
    rate = {"amount": 7000, "currency": "EUR"}
    path = {"effectiveFrom": "2025-08-01"}
    assert organization.owner.call("setOrganizationRate", path=path, body=rate).status == 200
    rows.append(summary("... after a new rate", repeats=1))
    assert organization.owner.call("updateProject", path={"id": str(projects[0])}, body={"name": "Umzug"}).status == 200
    rows += [
        summary("... after a new name of a project", repeats=1),
        summary("of two full years, for the first time", two, repeats=1),
        summary("... from then on", two),
        _figures("a heatmap of a year", measured(lambda: one.call("getActivityHeatmap", query=_YEAR), repeats=3)),
        _figures("a streak of two years", measured(lambda: two.call("getTrackingStreak"), repeats=3)),
    ]
    return rows


def track(member: Member, project: UUID, start: datetime) -> None:
    times = {"startAt": clock.to_text(start), "endAt": clock.to_text(start + timedelta(hours=1))}
    answer = member.post("createTimeSession", **times, projectId=str(project))
    assert answer.status == 201, answer.text


def _figures(name: str, cost: Measured) -> tuple[object, ...]:
    assert cost.result.status == 200, cost.result.text
    written = sum(call.capacity for call in cost.calls if call.operation == "PutItem")
    return name, cost.round_trips, len(cost.calls), cost.capacity - written, written, cost.milliseconds


class Year(NamedTuple):
    months: dict[UUID, list[str]]
    """Months that have sessions, by user."""
    seconds: int
    sessions: int


def write_accounts(
    stack: Stack, organization: Organization, months: dict[UUID, list[str]], modified_at: datetime
) -> None:
    items = []
    tags = {text.fold(tag): 100 for names in _TAGS for tag in names}
    for user, labels in months.items():
        data = {"modifiedAt": clock.to_text(modified_at), "months": dict.fromkeys(labels, 1), "tags": tags}
        items.append(Item(*accounts.key(organization.id, user), version=1, data=data).serialize())
    put_items(stack.engine.table_endpoint, stack.table, items)


def write_year(
    stack: Stack, organization: Organization, members: list[Member], projects: list[UUID], first: datetime
) -> Year:
    """Write the packed months of a year."""
    chance = random.Random(200_000)
    items, total, number = [], 0, 0
    written: dict[UUID, list[str]] = {}
    for member in members:
        months: dict[str, dict[Group, list[Seconds]]] = defaultdict(lambda: defaultdict(list))
        own, tags = chance.sample(projects, 4), chance.sample(_TAGS, 2)
        for day in range(_DAYS):
            start = round((first + timedelta(days=day * 365 // _DAYS, hours=7)).timestamp()) + chance.randrange(3600)
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
        written[member.user.id] = [*months]
        for label, sessions in months.items():
            key = packed_months.key(organization.id, label, member.user.id)
            packed = base64.b64encode(packed_months.pack(label, sessions)).decode()
            items.append({**Item(*key, derived=1, version=1).serialize(), SPANS.attr_name: {"B": packed}})
    put_items(stack.engine.table_endpoint, stack.table, items)
    return Year(written, total, number)


def measure_writes(stack: Stack, organization: Organization, member: Member, project: str) -> None:
    """Show what `createTimeSession` costs, and each of its writes alone."""
    body: dict[str, Any] = {"projectId": project, "tags": ["Büro"], "description": "Wareneingang Block C"}

    def create(number: int) -> list[Call]:
        start = clock.now() - timedelta(hours=number + 1)
        times = {"startAt": clock.to_text(start), "endAt": clock.to_text(start + timedelta(minutes=45))}
        with recorded() as recording:
            answer = member.api.call("createTimeSession", member.token, body={**body, **times}, key=f"bench-{number}")
        assert answer.status == 201, answer.text
        return recording.calls

    create(1)
    before = Store(stack.engine.client("dynamodb"), stack.table).items()
    calls = create(2)
    rows = []
    for call in calls:
        kinds = sorted(pk.split("#", 2)[2].partition("#")[0] for pk in call.partitions())
        rows.append((call.operation, float(call.capacity), " ".join(kinds)))
    show("createTimeSession, with an Idempotency-Key", ("request", "capacity units", "items"), rows)
    show("Its writes, each alone", ("item", "WCU"), _writes_alone(stack, before, calls[-1]))


def _writes_alone(stack: Stack, before: Snapshot, transaction: Call) -> list[tuple[object, ...]]:
    """Return the write units of each item of a transaction, by writing it on its own to the table as it was."""
    client = stack.engine.client("dynamodb")
    Store(client, stack.table).restore(before)
    rows = []
    for write, pk in zip(transaction.parameters["TransactItems"], transaction.partitions(), strict=True):
        answer = client.transact_write_items(TransactItems=[write], ReturnConsumedCapacity="TOTAL")
        units = sum(entry["CapacityUnits"] for entry in answer["ConsumedCapacity"])
        rows.append((pk.split("#", 2)[2].partition("#")[0], float(units)))
    assert sum(units for _, units in rows) == transaction.capacity
    return sorted(rows)
