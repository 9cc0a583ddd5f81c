"""Growing data at its limit: it works up to the limit, and one more is refused with a message, never with 500.

The limits of assignments are tested in tests/modules/assignments/test_many.py.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chalicelib.action.row_import import MAX_ROWS
from chalicelib.core import ids
from chalicelib.dal import table
from chalicelib.dal.collection import Collection
from chalicelib.dal.item import Item
from chalicelib.metrics.language.query import MAX_QUERY_BYTES, parse
from chalicelib.models.dashboards.quick_actions import MAX_FORM_BYTES
from chalicelib.models.staffing.assignments import MAX_LONG_RUNNING
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.rates import MAX_RATES
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.models.staffing.workload import LongRunning
from tests.support.api import Answer
from tests.support.factories import Organization
from tests.support.staffing import new_position, new_worker
from tests.support.store import Store

ITEM_BYTES = 400_000
EMOJI = "🏗"
"""4 bytes unescaped, 12 escaped, 14 escaped twice."""


def filled(organization: Organization, collection: Collection[Any], identifier: str, name: str, values: Any) -> None:
    key = collection.key(organization.id, UUID(identifier))
    table.update(key, [getattr(Item, name).set(table.encoded(values))])


def refused(answer: Answer, message: str) -> None:
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), answer.text
    assert message in answer.text


def largest(store: Store) -> int:
    return max(len(repr(item).encode()) for item in store.items().values())


# -- rates and assignments -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [WORKERS, POSITIONS], ids=["worker", "position"])
def test_rates(home: Organization, of: Collection[Any]) -> None:
    new = new_worker if of is WORKERS else new_position
    entity, action = new(home.owner)["id"], f"set{of.entity.title()}Rate"
    first = date(2026, 1, 1)
    rate = {"amount": 2650, "currency": "EUR"}
    days = [(first + timedelta(days=number)).isoformat() for number in range(MAX_RATES - 1)]
    filled(home, of, entity, "rates", dict.fromkeys(days, rate))
    later = {"effectiveFrom": "2030-01-01"}
    assert home.owner.call("updateOrganization", body={"currency": "EUR"}).status == 200
    last = home.owner.call(action, path={"id": entity, **later}, body=rate)
    assert last.status == 200, last.text
    more = home.owner.call(action, path={"id": entity, "effectiveFrom": "2030-01-02"}, body=rate)
    refused(more, f"a {of.entity} has at most {MAX_RATES} rates")


def test_assignments_without_an_end(home: Organization) -> None:
    worker, position = new_worker(home.owner)["id"], new_position(home.owner, headcount=10_000)["id"]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    entry = LongRunning(position_id=UUID(position), start_at=start).model_dump(mode="json", exclude_none=True)
    filled(home, WORKERS, worker, "long_running", {str(ids.new_id()): entry for _ in range(MAX_LONG_RUNNING - 1)})
    body = {"workerId": worker, "positionId": position, "startAt": "2026-01-01T00:00:00Z"}
    assert home.owner.call("createAssignment", body=body).status == 201
    refused(home.owner.call("createAssignment", body=body), f"a worker can have {MAX_LONG_RUNNING} assignments")


# -- definitions -----------------------------------------------------------------------------------------------------


def query_of(size: int) -> dict[str, Any]:
    """Return a query of `size` bytes as JSON text."""

    def query(number: int, rest: int) -> dict[str, Any]:
        texts = [EMOJI * 60] * number + ["x" * rest]
        lists = [texts[first : first + 50] for first in range(0, len(texts), 50)]
        where = [{"field": "name", "op": "in", "value": values} for values in lists]
        counted = {"version": 1, "type": "simple", "source": "workers", "aggregate": "count", "period": "today"}
        return {**counted, "where": where}

    def bytes_of(query: dict[str, Any]) -> int:
        return len(parse(query).model_dump_json(exclude_none=True).encode())

    number = next(number for number in range(1000) if bytes_of(query(number, 1)) > MAX_QUERY_BYTES - 250)
    return query(number, 1 + size - bytes_of(query(number, 1)))


def test_metric_queries(home: Organization, store: Store) -> None:
    """The audit entry has the query before and after, and the idempotency record has it escaped twice."""
    metric = {"name": "Many", "category": "OPERATIONAL", "query": query_of(MAX_QUERY_BYTES)}
    created = home.owner.call("createDashboardMetric", body=metric, key="grown")
    assert created.status == 201, created.text
    changed = query_of(MAX_QUERY_BYTES)
    changed["where"][0]["value"][0] = EMOJI * 59 + "xxxx"
    answer = home.owner.call(
        "updateDashboardMetric", path={"id": created.data["id"]}, body={"query": changed}, key="changed"
    )
    assert answer.status == 200, answer.text
    assert largest(store) < ITEM_BYTES
    too_large = {**metric, "query": query_of(MAX_QUERY_BYTES + 1)}
    message = f"must be at most {MAX_QUERY_BYTES} bytes as JSON text"
    refused(home.owner.call("createDashboardMetric", body=too_large), message)


def test_forms(home: Organization, store: Store) -> None:
    def form(size: int) -> dict[str, Any]:
        rest = len('{"type":"object","title":""}')
        return {"type": "object", "title": EMOJI * ((size - rest) // 4) + "x" * ((size - rest) % 4)}

    quick_action = {"name": "Log", "actionType": "FORM", "apiAction": "recordActivity"}
    body = {**quick_action, "formConfig": form(MAX_FORM_BYTES)}
    created = home.owner.call("createQuickAction", body=body, key="form")
    assert created.status == 201, created.text
    other = {"formConfig": form(MAX_FORM_BYTES - 1)}
    changed = home.owner.call("updateQuickAction", path={"id": created.data["id"]}, body=other, key="other")
    assert changed.status == 200, changed.text
    assert largest(store) < ITEM_BYTES
    body["formConfig"] = form(MAX_FORM_BYTES + 1)
    refused(home.owner.call("createQuickAction", body=body), f"must be at most {MAX_FORM_BYTES} bytes")


# -- idempotency records ---------------------------------------------------------------------------------------------


def test_an_import_of_invalid_rows(home: Organization, store: Store) -> None:
    """Its answer has the errors of each row, and is stored for 24 hours."""
    row = {"firstName": "Mehmet", "lastName": "x" * 101, "phone": "+49 151 2345678", "x" * 500: None}
    body = {"rows": [row] * MAX_ROWS}
    answers = [home.owner.call("importWorkers", body=body, key="import") for _ in range(2)]
    assert [(answer.status, answer.data["errors"]) for answer in answers] == [(200, MAX_ROWS)] * 2
    assert largest(store) < ITEM_BYTES
    body["rows"].append(row)
    refused(home.owner.call("importWorkers", body=body), "rows")
