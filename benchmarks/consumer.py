"""The stream consumer under a flood: new assignments of an organization, processed in batches."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from benchmarks.tables import show
from chalicelib.core import clock, ids
from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import Money
from chalicelib.dal import keys
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.jobs import stream
from chalicelib.models.staffing.clients import CLIENTS, StoredClient
from chalicelib.models.staffing.positions import POSITIONS, StoredPosition
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS, WorkLocation
from chalicelib.models.staffing.workers import WORKERS, StoredWorker
from chalicelib.models.staffing.workload import new_workload
from infra.local.lambda_events import invoke
from infra.local.stack import Stack
from infra.local.template import load
from tests.support import store, streams
from tests.support.api import Api
from tests.support.client_hooks import Call, recorded
from tests.support.factories import Organization, new_organization
from tests.support.store import Store

_WORKERS, _DAYS = 40, 10
_CLIENTS, _LOCATIONS, _POSITIONS = 5, 10, 20
_WRITES = {"TransactWriteItems", "PutItem", "UpdateItem"}

Record = dict[str, Any]


def run(api: Api, stack: Stack) -> None:
    streams.turn_off(stack)
    table = store.of(stack)
    organization = new_organization(api)
    create_assignments(organization)
    first, rest = stream_records(table, organization.id)
    chance = random.Random(9)
    orders = {
        "worker by worker": sorted(first, key=lambda group: _field(group, "workerId")),
        "day by day": sorted(first, key=lambda group: _field(group, "startAt")),
        "in random order": chance.sample(first, len(first)),
    }
    rows = []
    for name, groups in orders.items():
        remove_derived(table, organization.id)
        rows.append(measure_flood(name, len(first), [record for group in groups for record in group] + rest))
    show(
        f"{len(first):,} new assignments through the stream's main consumer, with their positions",
        (
            "",
            "assignments per second",
            "CPU ms per assignment",
            "requests",
            "WCU",
            "WCU of assignment rollups",
            "RCU",
        ),
        rows,
    )
    remove_derived(table, organization.id)


def measure_flood(
    name: str, entities: int, records: Sequence[Record], source: str = "assignments"
) -> tuple[object, ...]:
    """Process the records of so many entities in batches; return the cost of each."""
    started, cpu = time.monotonic(), time.process_time()
    calls: list[Call] = []
    for batch in split_batches(records):
        calls += consume(batch)
    spent, cpu = time.monotonic() - started, time.process_time() - cpu
    written = [call for call in calls if call.operation in _WRITES]
    of_rollups = [call for call in written if any(f"#ROLLUP#{source.upper()}" in pk for pk in call.partitions())]
    read = [call for call in calls if call.operation not in _WRITES]
    return (
        name,
        entities / spent,
        f"{cpu * 1000 / entities:.2f}",
        f"{len(calls) / entities:.3f}",
        capacity_of(written) / entities,
        capacity_of(of_rollups) / entities,
        capacity_of(read) / entities,
    )


def split_batches(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    source = load()["Resources"]["ConsumeStream"]["Properties"]["Events"]["ConsumeStreamDynamodbEventSource"]
    size = source["Properties"]["BatchSize"]
    return (records[start : start + size] for start in range(0, len(records), size))


def consume(batch: Sequence[Record]) -> list[Call]:
    with recorded() as recording:
        answer = invoke(stream.consume, "consume_stream", {"Records": list(batch)})
    assert answer == {"batchItemFailures": []}, answer
    return recording.calls


def capacity_of(calls: Sequence[Call]) -> float:
    return float(sum(call.capacity for call in calls))


# -- the records -----------------------------------------------------------------------------------------------------


def create_assignments(organization: Organization) -> None:
    """Create future shifts: each worker starts at another minute, on alternating days early and late."""
    clients = [StoredClient.new(name=f"Client {number}") for number in range(_CLIENTS)]
    locations = [
        WorkLocation.new(client_id=clients[number % _CLIENTS].id, name=f"Location {number}", timezone="UTC")
        for number in range(_LOCATIONS)
    ]
    positions = []
    for number in range(_POSITIONS):
        location = locations[number % _LOCATIONS]
        fields = {"name": f"Position {number}", "headcount": 3}
        positions.append(StoredPosition.new(work_location_id=location.id, client_id=location.client_id, **fields))
    workers = []
    for number in range(_WORKERS):
        phone = f"+4930{number:07}"
        fields = {"first_name": "Mehmet", "last_name": f"Yılmaz {number}", "phone": phone, "normalized_phone": phone}
        workers.append(StoredWorker.new(**fields))
    unit = UnitOfWork(organization.id)
    for client in clients:
        CLIENTS.create(unit, client)
    for location in locations:
        WORK_LOCATIONS.create(unit, location)
    unit.commit()
    for group in (positions[:20], workers[:20], workers[20:]):
        unit = UnitOfWork(organization.id)
        for number, entity in enumerate(group):
            attributes = {"workload": new_workload(), "rates": _rates(2000 + number)}
            if isinstance(entity, StoredPosition):
                POSITIONS.create(unit, entity, attributes=attributes)
            else:
                WORKERS.create(unit, entity, attributes={**attributes, "long_running": {}})
        unit.commit()
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(_DAYS):
        for number, worker in enumerate(workers):
            start = today + timedelta(days=day + 2, hours=13 if (day + number) % 2 else 5, minutes=number * 7 % 60)
            position = positions[(number * 7 + day) % _POSITIONS]
            body = {"workerId": str(worker.id), "positionId": str(position.id)}
            body |= {"startAt": clock.to_text(start), "endAt": clock.to_text(start + timedelta(hours=8))}
            answer = organization.owner.call("createAssignment", body=body)
            assert answer.status == 201, answer.text


def _rates(amount: int) -> dict[str, Any]:
    return {date(2020, 1, 1).isoformat(): Money(amount=amount, currency="EUR").model_dump(mode="json")}


def stream_records(table: Store, organization: OrganizationId) -> tuple[list[list[Record]], list[Record]]:
    """Return the records of each assignment (itself, its position's workload, its audit entry), then all others."""
    items = table.items()
    of_assignments: list[list[Record]] = []
    others: list[Record] = []
    assignments = {sk: item for (pk, sk), item in items.items() if pk == keys.partition(organization, "ASSIGNMENT")}
    entries = {
        item["data"]["M"]["entityId"]["S"]: (key, item)
        for key, item in items.items()
        if key[0] == keys.audit(organization) and item["data"]["M"]["entityType"]["S"] == "assignment"
    }
    for sk, item in assignments.items():
        position = POSITIONS.key(organization, UUID(item["data"]["M"]["positionId"]["S"]))
        before = {**items[position], "workload": {"M": {}}}
        of_assignments.append(
            [
                stream_record((item["pk"]["S"], sk), item),
                stream_record(position, items[position], before),
                stream_record(*entries[sk]),
            ]
        )
    for key, item in items.items():
        if key[0] in {keys.partition(organization, kind) for kind in ("CLIENT", "WORKER")}:
            others.append(stream_record(key, item))
    return of_assignments, others


def stream_record(key: Any, item: dict[str, Any] | None, before: dict[str, Any] | None = None) -> Record:
    """Return the record of an item that was written, changed or, without one, removed."""
    change: dict[str, Any] = {"Keys": {"pk": {"S": key[0]}, "sk": {"S": key[1]}}}
    if item is not None:
        change["NewImage"] = item
    if before is not None:
        change["OldImage"] = before
    kind = "INSERT" if before is None else "REMOVE" if item is None else "MODIFY"
    return {
        "eventID": str(ids.new_id()),
        "eventName": kind,
        "eventSource": "aws:dynamodb",
        "dynamodb": {**change, "SequenceNumber": str(ids.new_id().int), "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


def _field(group: list[Record], name: str) -> Any:
    return group[0]["dynamodb"]["NewImage"]["data"]["M"][name]["S"]


def remove_derived(table: Store, organization: OrganizationId) -> None:
    """Remove all derived items, as if no record had been processed."""
    derived = tuple(f"{keys.tenant(organization)}{kind}" for kind in ("ROLLUP#", "APPLIED#", "ACTIVITY", "TAG"))
    table.remove([key for key in table.items() if key[0].startswith(derived)])
