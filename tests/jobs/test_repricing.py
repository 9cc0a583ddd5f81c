"""Rates that change, whenever they hold, price again the assignments that overlap those days, and no others."""

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
from tests.jobs.rolled import calls_of, cells, cut_off, deaths, held, told, wanted
from tests.metrics.measuring import days, stored, sync_entities, total, value, values
from tests.modules.reports.crew import Crew, minute_of
from tests.support import store
from tests.support.api import Api
from tests.support.deliveries import Deliveries
from tests.support.store import Store
from tests.support.threads import at_once
from tests.support.wire import ProcessDied, recorded

Json = dict[str, Any]

DAY = 24 * 60
LATER = "2026-06-01T00:00Z"


@pytest.fixture(scope="module")
def deliveries(local_stack: Stack) -> Deliveries:
    return Deliveries(local_stack)


@pytest.fixture
def table(local_stack: Stack) -> Store:
    return store.of(local_stack)


@pytest.fixture(autouse=True)
def _as_it_was(table: Store, deliveries: Deliveries) -> Iterator[None]:
    """A small table, and nothing in the queue."""
    before = table.items()
    yield
    table.restore(before)
    deliveries.messages()


def _hired(api: Api, zone: str = "UTC", **rates: int) -> Crew:
    """The first position has hourly bill rates from 2020 and, say, `m03` (of 2026) on."""
    bill = {
        date(2020, 1, 1) if name == "always" else date(2026, int(name[1:]), 1): Money(amount=each, currency="EUR")
        for name, each in rates.items()
    }
    return Crew.hired(api, zone, [{}, {}, bill])


def _monthly(crew: Crew, *months: int, worker: int = 0, position: int = 0) -> list[str]:
    """Eight hours on the tenth of each."""
    starts = [minute_of(f"2026-{month:02}-10T08:00Z") for month in months]
    ids = [crew.assign(worker, position, start, start + 480) for start in starts]
    sync_entities(crew.organization.id, "assignments", ids)
    return ids


def _rate(
    crew: Crew, day: str, amount: int | None, *, of: str = "Position", currency: str = "EUR"
) -> Callable[[], Any]:
    identifier = (crew.positions if of == "Position" else crew.workers)[0]
    path = {"id": identifier, "effectiveFrom": day}
    if amount is None:
        return lambda: crew.done(f"delete{of}Rate", path=path)
    return lambda: crew.done(f"set{of}Rate", path=path, body={"amount": amount, "currency": currency})


def _ordered(table: Store, deliveries: Deliveries, act: Callable[[], Any]) -> list[Json]:
    for change in told(table, act):
        repricing.order(change)
    return deliveries.messages()


def _work_off(deliveries: Deliveries, messages: list[Json]) -> int:
    """Works until there are no more; how many it took."""
    worked = 0
    while messages:
        for message in messages:
            repricing.work(message)
            worked += 1
        messages = deliveries.messages()
    return worked


def _followed(deliveries: Deliveries, messages: list[Json]) -> set[str]:
    with recorded() as recording:
        _work_off(deliveries, messages)
    reads = [
        key
        for call in recording.calls
        if call.operation == "BatchGetItem"
        for (table,) in [call.parameters["RequestItems"].values()]
        for key in table["Keys"]
    ]
    return {key["sk"]["S"] for key in reads if key["pk"]["S"].endswith("#APPLIED#ASSIGNMENTS")}


# -- what is ordered ------------------------------------------------------------------------------------------------


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
@pytest.mark.parametrize("of", ["Position", "Worker"])
def test_a_rate_is_about_its_days(
    api: Api, table: Store, deliveries: Deliveries, of: str, day: str, amount: int | None, since: str, until: str | None
) -> None:
    crew = Crew.hired(api, "Europe/Berlin")
    for each in ("2020-01-01", "2026-04-01"):
        _rate(crew, each, 4000, of=of)()
    identifier = (crew.positions if of == "Position" else crew.workers)[0]
    ordered = _ordered(table, deliveries, _rate(crew, day, amount, of=of))
    assert ordered == [
        {
            "kind": "reprice",
            "organizationId": str(crew.organization.id),
            f"{of.lower()}Id": identifier,
            "since": since,
            **({} if until is None else {"until": until}),
        }
    ]


def test_two_changes_told_as_one_are_about_the_days_of_both(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=4000, m03=4000, m05=4000)

    def act() -> None:
        _rate(crew, "2026-02-01", 5000)()
        _rate(crew, "2026-04-01", 5000)()

    (message,) = _ordered(table, deliveries, act)
    assert (message["since"], message["until"]) == ("2026-02-01T00:00:00.000Z", "2026-05-01T00:00:00.000Z")


@pytest.mark.parametrize("body", [{"timezone": "Asia/Tokyo"}, {"currency": "USD"}])
def test_zone_and_currency_are_about_everybody(api: Api, table: Store, deliveries: Deliveries, body: Json) -> None:
    crew = _hired(api, always=4000)
    ordered = _ordered(table, deliveries, lambda: crew.done("updateOrganization", body=body))
    assert ordered == [{"kind": "reprice", "organizationId": str(crew.organization.id)}]


def test_other_changes_are_about_nobody(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=4000)
    assignment = crew.assign(0, 0, minute_of("2026-03-10T08:00Z"), None)
    for act in (
        lambda: crew.done("updateOrganization", body={"name": "Renamed"}),
        lambda: crew.done("updatePosition", path={"id": crew.positions[0]}, body={"headcount": 9}),
        lambda: crew.done("updateWorker", path={"id": crew.workers[0]}, body={"firstName": "Renamed"}),
        lambda: crew.end(assignment, minute_of("2026-03-10T09:00Z")),
        lambda: crew.delete(assignment),
        _rate(crew, "2020-01-01", 4000),  # as it is
        lambda: crew.done(
            "createPosition", body={"workLocationId": crew.places[crew.positions[0]].location, "name": "Another"}
        ),
        lambda: crew.done("deletePosition", path={"id": crew.positions[0]}),
    ):
        assert _ordered(table, deliveries, act) == []


# -- what is worked off ---------------------------------------------------------------------------------------------


def _billed(crew: Crew) -> list[Any]:
    """In January to May."""
    months = [days(f"2026-{month:02}-01", f"2026-{month:02}-28") for month in range(1, 6)]
    return values(stored(crew.organization.id), LATER, [total("billed", period=month) for month in months])


def test_a_rate_of_the_past_prices_its_days_again(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=1000, m04=2000)
    ids = _monthly(crew, 1, 2, 3, 4, 5)
    crew.assign(0, 1, minute_of("2026-02-10T08:00Z"), None)  # elsewhere, and not rolled up
    assert _billed(crew) == [80, 80, 80, 160, 160]
    # Set in between
    messages = _ordered(table, deliveries, _rate(crew, "2026-02-01", 3000))
    assert _followed(deliveries, messages) == {ids[1], ids[2]}
    assert _billed(crew) == [80, 240, 240, 160, 160]
    # Replaced at the end
    messages = _ordered(table, deliveries, _rate(crew, "2026-04-01", 0))
    assert _followed(deliveries, messages) == {ids[3], ids[4]}
    assert _billed(crew) == [80, 240, 240, 0, 0]
    # Taken away at the beginning, so that there is none
    messages = _ordered(table, deliveries, _rate(crew, "2020-01-01", None))
    assert _followed(deliveries, messages) == {ids[0]}
    assert _billed(crew) == [None, 240, 240, 0, 0]


def test_what_only_touches_the_days_is_left_alone(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, "Europe/Berlin", always=1000, m04=2000)
    first, last = minute_of("2026-02-28T23:00Z"), minute_of("2026-03-31T22:00Z")
    touching = [crew.assign(0, 0, first - 60, first), crew.assign(0, 0, last, None)]
    overlapping = [crew.assign(0, 0, first - 60, first + 1), crew.assign(0, 0, last - 1, last + 400 * DAY)]
    sync_entities(crew.organization.id, "assignments", [*touching, *overlapping])
    messages = _ordered(table, deliveries, _rate(crew, "2026-03-01", 3000))
    assert _followed(deliveries, messages) == {*overlapping}
    assert cells(table, crew.organization.id, "assignments") == wanted(crew.organization.id, "assignments")


def test_pay_is_priced_again_too(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api)
    ids = _monthly(crew, 1, 2)
    _monthly(crew, 2, worker=1)
    messages = _ordered(table, deliveries, _rate(crew, "2026-02-01", 1500, of="Worker"))
    assert _followed(deliveries, messages) == {ids[1]}
    seen = stored(crew.organization.id)
    asked = [total("paid", period=days("2026-02-01", "2026-02-28")), total("paid", period=days("2026-01-10"))]
    assert [value(seen, LATER, each) for each in asked] == [120, None]
    assert cells(table, crew.organization.id, "assignments") == wanted(crew.organization.id, "assignments")


def test_a_currency_prices_everybody_again(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=1000)
    ids = [*_monthly(crew, 1, 5), *_monthly(crew, 2, worker=1, position=1)]
    messages = _ordered(table, deliveries, lambda: crew.done("updateOrganization", body={"currency": "JPY"}))
    assert _followed(deliveries, messages) == {*ids}
    assert _billed(crew) == [None, None, 0, 0, None]
    messages = _ordered(table, deliveries, _rate(crew, "2026-03-01", 1000, currency="JPY"))
    _work_off(deliveries, messages)
    assert _billed(crew) == [None, None, 0, 0, 8000]


def test_a_zone_moves_the_days_of_rates(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=1000, m03=2000)
    start = minute_of("2026-02-28T20:00Z")
    sync_entities(crew.organization.id, "assignments", [crew.assign(0, 0, start, start + 480)])
    whole = days("2026-02-28", "2026-03-01")
    assert value(stored(crew.organization.id), LATER, total("billed", period=whole)) == 4 * 10 + 4 * 20
    messages = _ordered(table, deliveries, lambda: crew.done("updateOrganization", body={"timezone": "Europe/Berlin"}))
    _work_off(deliveries, messages)
    assert value(stored(crew.organization.id), LATER, total("billed", period=whole)) == 3 * 10 + 5 * 20


# -- page by page ---------------------------------------------------------------------------------------------------


@pytest.fixture
def one_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repricing, "_A_MESSAGE", 1)


@pytest.mark.usefixtures("one_a_message")
def test_many_are_worked_off_page_by_page(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=1000)
    _monthly(crew, 1, 2, 3)
    (first,) = _ordered(table, deliveries, _rate(crew, "2026-01-01", 3000))
    repricing.work(first)
    assert _billed(crew)[:3] == [240, 80, 80]
    (following,) = deliveries.messages()
    assert following == {**first, "after": following["after"]}
    assert _work_off(deliveries, [following]) == 2
    assert _billed(crew)[:3] == [240, 240, 240]


@pytest.mark.usefixtures("one_a_message")
def test_who_dies_on_the_way_and_begins_again_leaves_the_same(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=1000)
    _monthly(crew, 1, 2)
    messages = _ordered(table, deliveries, _rate(crew, "2026-01-01", 3000))
    before = table.items()
    operations = calls_of(lambda: repricing.work(messages[0]))
    _work_off(deliveries, deliveries.messages())
    undisturbed = held(table, crew.organization.id)
    for fault in deaths(operations, "TransactWriteItems"):
        table.restore(before)
        cut_off(lambda: repricing.work(messages[0]), fault)
        _work_off(deliveries, messages)
        assert held(table, crew.organization.id) == undisturbed, fault
    for moment in ("before-send", "after-call"):
        table.restore(before)
        with _dying_at_sqs(moment), contextlib.suppress(ProcessDied):
            repricing.work(messages[0])
        sent = deliveries.messages()
        assert len(sent) == (moment == "after-call")
        _work_off(deliveries, [*messages, *sent])
        assert held(table, crew.organization.id) == undisturbed, moment


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


def test_a_message_that_comes_twice_writes_once(api: Api, table: Store, deliveries: Deliveries) -> None:
    crew = _hired(api, always=1000)
    _monthly(crew, 1, 2)
    (message,) = _ordered(table, deliveries, _rate(crew, "2026-01-01", 3000))
    writes = [calls_of(lambda: repricing.work(message)).count("TransactWriteItems") for _ in range(2)]
    assert writes == [1, 0]


def test_workers_at_once_leave_what_one_does(
    api: Api, table: Store, deliveries: Deliveries, local_stack: Stack
) -> None:
    if local_stack.engine.store is Engines.MOTO:
        pytest.skip("moto loses acknowledged writes when its calls overlap")
    crew = _hired(api, always=1000)
    _monthly(crew, 1, 2, 3)
    messages = [
        *_ordered(table, deliveries, _rate(crew, "2026-01-01", 3000)),
        *_ordered(table, deliveries, _rate(crew, "2026-01-01", 1500, of="Worker")),
    ]
    at_once([lambda message=message: repricing.work(message) for message in messages * 2])
    assert cells(table, crew.organization.id, "assignments") == wanted(crew.organization.id, "assignments")
    assert _billed(crew)[:3] == [240] * 3
