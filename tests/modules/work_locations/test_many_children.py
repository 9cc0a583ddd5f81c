"""A client with very many work locations, and a work location with very many positions: page by page, each ≤ 1 MB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from chalicelib.dal.collection import Collection
from chalicelib.dal.unit_of_work import MAX_WRITES, UnitOfWork, stale
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS, WorkLocation
from tests.support.api import Api
from tests.support.factories import Organization, new_organization
from tests.support.staffing import new_client, new_location, new_position

LONGEST_NAME = "🏗" * 255
LONGEST_ADDRESS = "🏢" * 500


@pytest.fixture(scope="module")
def owner_of_many(api: Api) -> Organization:
    return new_organization(api)


def store(organization: Organization, collection: Collection[Any], records: list[Any]) -> list[str]:
    for first in range(0, len(records), MAX_WRITES):
        unit = UnitOfWork(organization.id)
        for record in records[first : first + MAX_WRITES]:
            unit.put_new(collection.item(organization.id, record), stale)
        unit.commit()
    return [str(record.id) for record in records]


def pages(organization: Organization, action: str, identifier: str, **query: Any) -> Iterator[dict[str, Any]]:
    cursor: dict[str, Any] = {}
    for _ in range(20):
        answer = organization.owner.call(action, path={"id": identifier}, query={**query, **cursor})
        assert answer.status == 200, answer.text
        assert len(answer.text.encode()) <= 1_000_000
        yield answer.data
        if answer.data["nextCursor"] is None:
            return
        cursor = {"cursor": answer.data["nextCursor"]}
    raise AssertionError("no end")


def locations(client: str, number: int, **fields: Any) -> list[WorkLocation]:
    return [
        WorkLocation.new(client_id=UUID(client), timezone="UTC", **{"name": f"Location {index}", **fields})
        for index in range(number)
    ]


def test_five_hundred_come_at_once_and_more_by_cursor(owner_of_many: Organization) -> None:
    # Given a client with as many work locations as an answer has
    client = new_client(owner_of_many.owner)["id"]
    made = store(owner_of_many, WORK_LOCATIONS, locations(client, 500))
    (alone,) = pages(owner_of_many, "getClientWithLocations", client)
    assert [row["id"] for row in alone["workLocations"]] == made
    # When there is one more
    made += store(owner_of_many, WORK_LOCATIONS, locations(client, 1))
    # Then there is a second page, of the same client
    first, second = pages(owner_of_many, "getClientWithLocations", client)
    assert [row["id"] for row in (*first["workLocations"], *second["workLocations"])] == made
    assert {**first, "workLocations": 0, "nextCursor": 0} == {**second, "workLocations": 0, "nextCursor": 0}


def test_an_answer_takes_a_megabyte_at_most(owner_of_many: Organization) -> None:
    client = new_client(owner_of_many.owner)["id"]
    made = store(owner_of_many, WORK_LOCATIONS, locations(client, 500, name=LONGEST_NAME, address=LONGEST_ADDRESS))
    seen = [page["workLocations"] for page in pages(owner_of_many, "getClientWithLocations", client)]
    assert [row["id"] for rows in seen for row in rows] == made
    assert len(seen) > 1


def test_positions_of_a_work_location_likewise(owner_of_many: Organization) -> None:
    # Given eight positions, read by three
    location = new_location(owner_of_many.owner)
    made = [new_position(owner_of_many.owner, location["id"])["id"] for _ in range(8)]
    seen = [page["positions"] for page in pages(owner_of_many, "getWorkLocationWithPositions", location["id"], limit=3)]
    assert [[row["id"] for row in rows] for rows in seen] == [made[:3], made[3:6], made[6:]]
    # When one of them is deleted
    gone = owner_of_many.owner.call("deletePosition", path={"id": made[3]})
    assert gone.status == 200, gone.text
    # Then the others are left, in their order
    left = [page["positions"] for page in pages(owner_of_many, "getWorkLocationWithPositions", location["id"])]
    assert [[row["id"] for row in rows] for rows in left] == [[*made[:3], *made[4:]]]


@pytest.mark.parametrize(("limit", "status"), [(0, 400), (1, 200), (500, 200), (501, 400)])
def test_a_page_has_limits(owner_of_many: Organization, limit: int, status: int) -> None:
    client = new_client(owner_of_many.owner)["id"]
    answer = owner_of_many.owner.call("getClientWithLocations", path={"id": client}, query={"limit": limit})
    assert answer.status == status, answer.text


def test_a_cursor_of_another_client_is_refused(owner_of_many: Organization) -> None:
    # Given a cursor in one client's work locations
    one, other = (new_client(owner_of_many.owner)["id"] for _ in range(2))
    store(owner_of_many, WORK_LOCATIONS, locations(one, 2))
    (first, _) = pages(owner_of_many, "getClientWithLocations", one, limit=1)
    query = {"cursor": first["nextCursor"]}
    # When it is used for another's
    answer = owner_of_many.owner.call("getClientWithLocations", path={"id": other}, query=query)
    # Then it is refused
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
