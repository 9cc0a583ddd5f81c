"""A changed rate reprices the assignments that overlap its days, and no others."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from chalicelib.core.money import Money
from chalicelib.jobs import queues, repricing
from infra.local.engine import Store as Engines
from infra.local.stack import Stack
from tests.support.api import Api
from tests.support.client_hooks import ProcessDied, recorded
from tests.support.deliveries import Deliveries
from tests.support.measuring import days, stored, sync_entities, total, value, values
from tests.support.rollup_state import (
    buckets,
    calls_of,
    changes_of,
    cut_off,
    deaths,
    expected_buckets,
    stored_rollups,
)
from tests.support.shift_helpers import Crew, minute_of
from tests.support.store import Store
from tests.support.threads import at_once

Json = dict[str, Any]

DAY = 24 * 60
LATER = "2026-06-01T00:00Z"


@pytest.fixture(autouse=True)
def _restored(table: Store, deliveries: Deliveries) -> Iterator[None]:
    """Restore table and queue after each test."""
    before = table.items()
    yield
    table.restore(before)
    deliveries.messages()


def _hired(api: Api, zone: str = "UTC", **rates: int) -> Crew:
    """Return a crew whose first position has hourly bill rates: `always` since 2020, `m03` since March 2026."""
    bill = {
        date(2020, 1, 1) if name == "always" else date(2026, int(name[1:]), 1): Money(amount=amount, currency="EUR")
        for name, amount in rates.items()
    }
    return Crew.hired(api, zone, [{}, {}, bill])


def _monthly(crew: Crew, *months: int, worker: int = 0, position: int = 0) -> list[str]:
    """Assign eight hours on the tenth of each month."""
    starts = [minute_of(f"2026-{month:02}-10T08:00Z") for month in months]
    ids = [crew.assign(worker, position, start, start + 480) for start in starts]
    sync_entities(crew.organization.id, "assignments", ids)
    return ids


def _rate(
    crew: Crew, day: str, amount: int | None, *, entity: str = "Position", currency: str = "EUR"
) -> Callable[[], Any]:
    identifier = (crew.positions if entity == "Position" else crew.workers)[0]
    path = {"id": identifier, "effectiveFrom": day}
    if amount is None:
        return lambda: crew.done(f"delete{entity}Rate", path=path)
    return lambda: crew.done(f"set{entity}Rate", path=path, body={"amount": amount, "currency": currency})


def _enqueued(table: Store, deliveries: Deliveries, act: Callable[[], Any]) -> list[Json]:
    for change in changes_of(table, act):
        repricing.enqueue(change)
    return deliveries.messages()


def _process(deliveries: Deliveries, messages: list[Json]) -> int:
    """Process all messages and their successors; return their number."""
    processed = 0
    while messages:
        for message in messages:
            repricing.work(message)
            processed += 1
        messages = deliveries.messages()
    return processed


def _synced(deliveries: Deliveries, messages: list[Json]) -> set[str]:
    with recorded() as recording:
        _process(deliveries, messages)
    reads = [
        key
        for call in recording.calls
        if call.operation == "BatchGetItem"
        for (table,) in [call.parameters["RequestItems"].values()]
        for key in table["Keys"]
    ]
    return {key["sk"]["S"] for key in reads if key["pk"]["S"].endswith("#APPLIED#ASSIGNMENTS")}


# -- enqueued messages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "amount", "since", "until"),
    [
        ("2026-02-01", 5000, "2026-01-31T23:00:00.000Z", "2026-03-31T22:00:00.000Z"),  # up to the next rate
        ("2026-04-01", 5000, "2026-03-31T22:00:00.000Z", None),  # the last one, replaced
        ("2026-05-01", 5000, "2026-04-30T22:00:00.000Z", None),  # a new last one
        ("2026-04-01", None, "2026-03-31T22:00:00.000Z", None),
        ("2020-01-01", None, "2019-12-31T23:00:00.000Z", "2026-03-31T22:00:00.000Z"),
        ("2019-01-01", 5000, "2018-12-31T23:00:00.000Z", "2019-12-31T23:00:00.000Z"),
    ],
)
@pytest.mark.parametrize("entity", ["Position", "Worker"])
def test_a_rate_reprices_its_days(
    api: Api,
    table: Store,
    deliveries: Deliveries,
    entity: str,
    day: str,
    amount: int | None,
    since: str,
    until: str | None,
) -> None:
    crew = Crew.hired(api, "Europe/Berlin")
    for earlier in ("2020-01-01", "2026-04-01"):
        _rate(crew, earlier, 4000, entity=entity)()
    identifier = (crew.positions if entity == "Position" else crew.workers)[0]
    enqueued = _enqueued(table, deliveries, _rate(crew, day, amount, entity=entity))
    assert enqueued == [
        {
            "kind": "reprice",
            "entities": "assignments",
            "organizationId": str(crew.organization.id),
            f"{entity.lower()}Id": identifier,
            "since": since,
            **({} if until is None else {"until": until}),
        }
    ]


def test_two_changes_in_one_record_reprice_the_days_of_both(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=4000, m03=4000, m05=4000)

    def act() -> None:
        _rate(crew, "2026-02-01", 5000)()
        _rate(crew, "2026-04-01", 5000)()

    (message,) = _enqueued(table, deliveries, act)
    assert (message["since"], message["until"]) == ("2026-02-01T00:00:00.000Z", "2026-05-01T00:00:00.000Z")


@pytest.mark.parametrize("body", [{"timezone": "Asia/Tokyo"}, {"currency": "USD"}])
def test_zone_and_currency_reprice_all(api: Api, table: Store, deliveries: Deliveries, body: Json) -> None:
    crew = _hired(api, always=4000)
    enqueued = _enqueued(table, deliveries, lambda: crew.done("updateOrganization", body=body))
    assert enqueued == [
        {"kind": "reprice", "entities": entities, "organizationId": str(crew.organization.id)}
        for entities in ("assignments", "timeSessions", "timers")
    ]


def test_other_changes_reprice_nothing(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=4000)
    assignment = crew.assign(0, 0, minute_of("2026-03-10T08:00Z"), None)
    for act in (
        lambda: crew.done("updateOrganization", body={"name": "Renamed"}),
        lambda: crew.done("updatePosition", path={"id": crew.positions[0]}, body={"headcount": 9}),
        lambda: crew.done("updateWorker", path={"id": crew.workers[0]}, body={"firstName": "Renamed"}),
        lambda: crew.end(assignment, minute_of("2026-03-10T09:00Z")),
        lambda: crew.delete(assignment),
        _rate(crew, "2020-01-01", 4000),  # unchanged
        lambda: crew.done(
            "createPosition", body={"workLocationId": crew.places[crew.positions[0]].location, "name": "Another"}
        ),
        lambda: crew.done("deletePosition", path={"id": crew.positions[0]}),
    ):
        assert _enqueued(table, deliveries, act) == []


# -- processing ------------------------------------------------------------------------------------------------------


def _billed(crew: Crew) -> list[Any]:
    """Return the billed amounts of January to May."""
    months = [days(f"2026-{month:02}-01", f"2026-{month:02}-28") for month in range(1, 6)]
    return values(stored(crew.organization.id), LATER, [total("billed", period=month) for month in months])


def test_a_rate_of_the_past_reprices_its_days(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=1000, m04=2000)
    ids = _monthly(crew, 1, 2, 3, 4, 5)
    crew.assign(0, 1, minute_of("2026-02-10T08:00Z"), None)  # at another position, and not rolled up
    assert _billed(crew) == [80, 80, 80, 160, 160]
    # Set in between
    messages = _enqueued(table, deliveries, _rate(crew, "2026-02-01", 3000))
    assert _synced(deliveries, messages) == {ids[1], ids[2]}
    assert _billed(crew) == [80, 240, 240, 160, 160]
    # Replaced at the end
    messages = _enqueued(table, deliveries, _rate(crew, "2026-04-01", 0))
    assert _synced(deliveries, messages) == {ids[3], ids[4]}
    assert _billed(crew) == [80, 240, 240, 0, 0]
    # Deleted at the beginning, so that there is none
    messages = _enqueued(table, deliveries, _rate(crew, "2020-01-01", None))
    assert _synced(deliveries, messages) == {ids[0]}
    assert _billed(crew) == [None, 240, 240, 0, 0]


def test_adjacent_assignments_are_not_repriced(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, "Europe/Berlin", always=1000, m04=2000)
    first, last = minute_of("2026-02-28T23:00Z"), minute_of("2026-03-31T22:00Z")
    adjacent = [crew.assign(0, 0, first - 60, first), crew.assign(0, 0, last, None)]
    overlapping = [crew.assign(0, 0, first - 60, first + 1), crew.assign(0, 0, last - 1, last + 400 * DAY)]
    sync_entities(crew.organization.id, "assignments", [*adjacent, *overlapping])
    messages = _enqueued(table, deliveries, _rate(crew, "2026-03-01", 3000))
    assert _synced(deliveries, messages) == {*overlapping}
    assert buckets(table, crew.organization.id, "assignments") == expected_buckets(crew.organization.id, "assignments")


def test_pay_is_repriced_too(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api)
    ids = _monthly(crew, 1, 2)
    _monthly(crew, 2, worker=1)
    messages = _enqueued(table, deliveries, _rate(crew, "2026-02-01", 1500, entity="Worker"))
    assert _synced(deliveries, messages) == {ids[1]}
    seen = stored(crew.organization.id)
    queries = [total("paid", period=days("2026-02-01", "2026-02-28")), total("paid", period=days("2026-01-10"))]
    assert [value(seen, LATER, query) for query in queries] == [120, None]
    assert buckets(table, crew.organization.id, "assignments") == expected_buckets(crew.organization.id, "assignments")


def test_a_currency_reprices_all(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=1000)
    ids = [*_monthly(crew, 1, 5), *_monthly(crew, 2, worker=1, position=1)]
    messages = _enqueued(table, deliveries, lambda: crew.done("updateOrganization", body={"currency": "JPY"}))
    assert _synced(deliveries, messages) == {*ids}
    assert _billed(crew) == [None, None, 0, 0, None]
    messages = _enqueued(table, deliveries, _rate(crew, "2026-03-01", 1000, currency="JPY"))
    _process(deliveries, messages)
    assert _billed(crew) == [None, None, 0, 0, 8000]


def test_a_zone_moves_the_days_of_rates(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=1000, m03=2000)
    start = minute_of("2026-02-28T20:00Z")
    sync_entities(crew.organization.id, "assignments", [crew.assign(0, 0, start, start + 480)])
    whole = days("2026-02-28", "2026-03-01")
    assert value(stored(crew.organization.id), LATER, total("billed", period=whole)) == 4 * 10 + 4 * 20
    messages = _enqueued(table, deliveries, lambda: crew.done("updateOrganization", body={"timezone": "Europe/Berlin"}))
    _process(deliveries, messages)
    assert value(stored(crew.organization.id), LATER, total("billed", period=whole)) == 3 * 10 + 5 * 20


# -- page by page ----------------------------------------------------------------------------------------------------


@pytest.fixture
def one_per_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repricing, "_A_MESSAGE", 1)


@pytest.mark.usefixtures("one_per_message")
def test_many_assignments_are_processed_page_by_page(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=1000)
    _monthly(crew, 1, 2, 3)
    (first,) = _enqueued(table, deliveries, _rate(crew, "2026-01-01", 3000))
    repricing.work(first)
    assert _billed(crew)[:3] == [240, 80, 80]
    (following,) = deliveries.messages()
    assert following == {**first, "after": following["after"]}
    assert _process(deliveries, [following]) == 2
    assert _billed(crew)[:3] == [240, 240, 240]


@pytest.mark.usefixtures("one_per_message")
def test_an_interrupted_and_repeated_repricing_has_the_same_effect(
    api: Api, table: Store, deliveries: Deliveries
) -> None:
    crew = _hired(api, always=1000)
    _monthly(crew, 1, 2)
    messages = _enqueued(table, deliveries, _rate(crew, "2026-01-01", 3000))
    before = table.items()
    operations = calls_of(lambda: repricing.work(messages[0]))
    _process(deliveries, deliveries.messages())
    undisturbed = stored_rollups(table, crew.organization.id)
    for fault in deaths(operations, "TransactWriteItems"):
        table.restore(before)
        cut_off(lambda: repricing.work(messages[0]), fault)
        _process(deliveries, messages)
        assert stored_rollups(table, crew.organization.id) == undisturbed, fault
    for moment in ("before-send", "after-call"):
        table.restore(before)
        with _dying_at_sqs(moment), contextlib.suppress(ProcessDied):
            repricing.work(messages[0])
        sent = deliveries.messages()
        assert len(sent) == (moment == "after-call")
        _process(deliveries, [*messages, *sent])
        assert stored_rollups(table, crew.organization.id) == undisturbed, moment


@contextlib.contextmanager
def _dying_at_sqs(moment: str) -> Iterator[None]:
    events = queues._sqs().meta.events  # type: ignore[attr-defined]  # the client's hooks
    name = f"{moment}.sqs.SendMessageBatch"

    def die(**_: Any) -> None:
        raise ProcessDied

    events.register(name, die)
    try:
        yield
    finally:
        events.unregister(name, die)


def test_a_repeated_message_writes_once(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=1000)
    _monthly(crew, 1, 2)
    (message,) = _enqueued(table, deliveries, _rate(crew, "2026-01-01", 3000))
    writes = [calls_of(lambda: repricing.work(message)).count("TransactWriteItems") for _ in range(2)]
    assert writes == [1, 0]


def test_concurrent_workers_have_the_same_effect_as_one(
    api: Api, table: Store, deliveries: Deliveries, local_stack: Stack
) -> None:
    if local_stack.engine.store is Engines.MOTO:
        pytest.skip("moto loses acknowledged writes when its calls overlap")
    crew = _hired(api, always=1000)
    _monthly(crew, 1, 2, 3)
    messages = [
        *_enqueued(table, deliveries, _rate(crew, "2026-01-01", 3000)),
        *_enqueued(table, deliveries, _rate(crew, "2026-01-01", 1500, entity="Worker")),
    ]
    at_once([lambda message=message: repricing.work(message) for message in messages * 2])
    assert buckets(table, crew.organization.id, "assignments") == expected_buckets(crew.organization.id, "assignments")
    assert _billed(crew)[:3] == [240] * 3
