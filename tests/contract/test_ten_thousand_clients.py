"""Page lists at their limit: 10,000 clients in at most five round trips, exactly; with one more, a way out."""

from __future__ import annotations

import math

import pytest

from benchmarks.seed import Item, clients, put_clients, row_bytes
from chalicelib.core.text import fold
from chalicelib.models.staffing.clients import Client
from infra.local.engine import Store
from infra.local.stack import Stack
from tests.support.api import Api
from tests.support.factories import Organization, new_organization

LIMIT = 10_000
ROUND_TRIPS = 5
_PAGE_BYTES = 1024 * 1024


@pytest.fixture(scope="module")
def rows(local_stack: Stack) -> list[Client]:
    if local_stack.engine.store is Store.MOTO:
        pytest.skip("moto looks at every item for every query: `make test-strict` runs this on dynoxide")
    return list(clients(LIMIT))


@pytest.fixture(scope="module")
def stored(api: Api, local_stack: Stack, rows: list[Client]) -> tuple[Organization, list[Item]]:
    organization = new_organization(api)
    return organization, put_clients(local_stack.engine.table_endpoint, local_stack.table, organization.id, rows)


@pytest.fixture(scope="module")
def full(stored: tuple[Organization, list[Item]]) -> Organization:
    return stored[0]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("page", [1, 51, 100])
@pytest.mark.parametrize("sort", ["name", "createdAt"])
def test_any_page_in_any_order(full: Organization, rows: list[Client], sort: str, page: int, order: str) -> None:
    query = {"page": page, "pageSize": 100, "sortBy": sort, "sortOrder": order}

    answer = full.owner.call("getClients", query=query)

    ordered = sorted(rows, key=lambda row: fold(row.name) if sort == "name" else row.id, reverse=order == "desc")
    assert [row["name"] for row in answer.data["data"]] == [row.name for row in ordered[(page - 1) * 100 : page * 100]]
    assert answer.data["pagination"]["totalItems"] == LIMIT
    assert answer.data["pagination"]["totalPages"] == 100
    assert answer.round_trips <= ROUND_TRIPS


@pytest.mark.parametrize("search", ["KOLN mess", "dispo-0042", "Tor 7", "nobody has this"])
def test_any_search(full: Organization, rows: list[Client], search: str) -> None:
    answer = full.owner.call("getClients", query={"search": search})

    matching = [row for row in rows if any(fold(search) in fold(text or "") for text in _texts(row))]
    assert answer.data["pagination"]["totalItems"] == len(matching)
    assert [row["name"] for row in answer.data["data"]] == sorted((row.name for row in matching), key=fold)[:20]
    assert answer.round_trips <= ROUND_TRIPS


def test_a_slim_row_leaves_room_for_longer_texts(stored: tuple[Organization, list[Item]]) -> None:
    """Three queries of 1 MB, the caller and the page: five round trips."""
    sizes = [row_bytes(item) for item in stored[1]]

    assert math.ceil(sum(sizes) / _PAGE_BYTES) <= ROUND_TRIPS - 2


def test_one_more_names_what_serves_instead(full: Organization) -> None:
    assert full.owner.call("createClient", body={"name": "One too many"}).status == 201

    answer = full.owner.call("getClients", query={"search": "one too many"})

    assert answer.code == "VALIDATION_ERROR"
    assert "limit" in answer.error["details"]["use"]
    assert answer.round_trips <= ROUND_TRIPS
    assert len(full.owner.call("getClients", query={"limit": 100}).data["items"]) == 100


def _texts(row: Client) -> tuple[str | None, ...]:
    return row.name, row.email, row.phone, row.address
