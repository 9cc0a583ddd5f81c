"""Many clients, written directly in the form in which the product stores them."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from typing import Any

from chalicelib.core.ids import OrganizationId
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.staffing.clients import CLIENTS, StoredClient

Item = dict[str, Any]
"""DynamoDB JSON: {name: {type: value}}."""

_BATCH = 25
_HEADERS = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260301/eu-central-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=none",
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Date": "20260301T000000Z",
    "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem",
}
_TOWNS = ("Hamburg", "Bremerhaven", "Köln", "Leipzig", "Düsseldorf", "Nürnberg")
_TRADES = ("Logistik", "Catering", "Facility", "Spedition", "Gebäudetechnik", "Messebau")
_STREETS = ("Hafenstraße", "Bahnhofsallee", "Industriepark", "Am Güterbahnhof")


def clients(number: int) -> Iterator[StoredClient]:
    """Yield clients of usual size: names of 25 characters, e-mail addresses of 28, phones of 16, addresses of 45."""
    chance = random.Random(10_000)
    for index in range(number):
        town, trade = chance.choice(_TOWNS), chance.choice(_TRADES)
        name = f"{town} {trade} {index:05d} GmbH"
        yield StoredClient.new(
            name=name,
            email=f"dispo-{index:05d}@{trade.lower().replace('ä', 'ae')}.example",
            phone=f"+49 40 {chance.randrange(10**8):08d}",
            address=f"{chance.choice(_STREETS)} {index % 99}, {chance.randrange(10000, 99999)} {town}, Tor {index % 9}",
        )


def put_clients(endpoint: str, table: str, organization: OrganizationId, records: list[StoredClient]) -> list[Item]:
    """Write the items of `createClient` without the guards of names, which lists never read; return the items.

    They go directly to a local engine: an SDK would spend a minute on validating them.
    """
    items = []
    for record in records:
        unit = UnitOfWork(organization)
        CLIENTS.create(unit, record)
        items.append(unit._writes[-1].item.serialize())
    put_items(endpoint, table, items)
    return items


def put_items(endpoint: str, table: str, items: Sequence[Item]) -> None:
    with contextlib.closing(HTTPConnection(endpoint.removeprefix("http://"))) as connection:
        for start in range(0, len(items), _BATCH):
            puts = [{"PutRequest": {"Item": item}} for item in items[start : start + _BATCH]]
            connection.request("POST", "/", json.dumps({"RequestItems": {table: puts}}), _HEADERS)
            response = connection.getresponse()
            answer = json.loads(response.read())
            assert response.status == 200, answer
            assert not answer.get("UnprocessedItems")


def row_bytes(item: Item) -> int:
    """Return the size of an item's row in gsi1, as DynamoDB counts it: names and values in UTF-8, 3 bytes for a map."""
    size = sum(len(name) + len(item[name]["S"].encode()) for name in ("pk", "sk", "gsi1pk", "search"))
    return size + (len("facets") + 3 if "facets" in item else 0)
