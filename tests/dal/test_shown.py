"""Entities to be shown: neighbours as a range, others by key, at half the price; a new one is not missed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import ids
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.collection import get_together
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.staffing.clients import CLIENTS, StoredClient
from tests.support.client_hooks import CLIENT, Recording, recorded

NUMBER = 12


@pytest.fixture
def clients(tenant: OrganizationId) -> list[UUID]:
    """Clients of one organization, oldest first."""
    unit = UnitOfWork(tenant)
    records = [StoredClient.new(name=f"Client {number}") for number in range(NUMBER)]
    for record in records:
        unit.put_new(CLIENTS.item(tenant, record), lambda _: AssertionError())
    unit.commit()
    return [record.id for record in records]


@contextlib.contextmanager
def trailing(missing: UUID) -> Iterator[None]:
    """Answer reads that need not be consistent as they were before an entity was made."""

    def forget(parsed: dict[str, Any], **_: Any) -> None:
        for items in [parsed.get("Items", []), *parsed.get("Responses", {}).values()]:
            call = recording.calls[-1].parameters
            requests = [call, *call.get("RequestItems", {}).values()]
            if not any(request.get("ConsistentRead") for request in requests):
                items[:] = [item for item in items if item["sk"]["S"] != str(missing)]

    CLIENT.meta.events.register("after-call.dynamodb.*", forget)
    try:
        with recorded() as recording:
            yield
    finally:
        CLIENT.meta.events.unregister("after-call.dynamodb.*", forget)


def shown(organization: OrganizationId, requested: list[UUID], among: list[UUID]) -> tuple[set[UUID], Recording]:
    with recorded() as recording:
        matching = CLIENTS.get_shown(organization, requested, map(str, among))
    assert {client.id for client in matching.values()} == matching.keys()
    return {*matching}, recording


def test_neighbours_are_read_as_a_range(tenant: OrganizationId, clients: list[UUID]) -> None:
    requested = clients[3:9:2]
    matching, recording = shown(tenant, requested, clients)
    assert matching == {*requested}
    assert recording.operations == ["Query"]


def test_those_far_apart_are_read_by_key(tenant: OrganizationId, clients: list[UUID]) -> None:
    requested = [clients[0], clients[-1]]
    matching, recording = shown(tenant, requested, clients)
    assert matching == {*requested}
    assert recording.operations == ["BatchGetItem"]
    (request,) = recording.calls[0].parameters["RequestItems"].values()
    assert not request.get("ConsistentRead"), "at half the price"


def test_more_between_them_than_was_known_costs_a_read_by_key(tenant: OrganizationId, clients: list[UUID]) -> None:
    requested = [clients[0], clients[-1]]
    matching, recording = shown(tenant, requested, requested)
    assert matching == {*requested}
    assert recording.operations == ["Query", "BatchGetItem"]


def test_absent_ones_are_absent(tenant: OrganizationId, clients: list[UUID]) -> None:
    unknown = ids.new_id()
    assert shown(tenant, [clients[0], unknown], [])[0] == {clients[0]}
    assert shown(tenant, [], clients)[0] == set()


@pytest.mark.parametrize("is_near", [True, False])
def test_one_that_has_not_come_yet_is_read_consistently(
    tenant: OrganizationId, clients: list[UUID], *, is_near: bool
) -> None:
    with trailing(clients[-1]):
        matching, _ = shown(tenant, clients, clients if is_near else [])
        [together] = get_together(tenant, [(CLIENTS, clients)], read=table.batch_get_shown)
    assert matching == together.keys() == {*clients}
