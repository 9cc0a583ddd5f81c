"""Round trips of a page of many rows."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.action.registry import REGISTRY
from chalicelib.core.ids import new_id
from infra.local import engine
from tests.nets.round_trips import PAGE_LIST, PAGE_LISTS, READ, Report, hold
from tests.support.arrange import WRITES, arrange, operation
from tests.support.factories import Organization
from tests.support.store import Store, StoredItem

ROWS = 250 if engine.configured_store() is engine.Store.MOTO else 1000
PAGES: dict[str, dict[str, Any]] = {
    " (page 2)": {"page": 2, "pageSize": 100},
    " (search)": {"search": "e", "pageSize": 20},
}


@pytest.mark.parametrize("action", PAGE_LISTS)
def test_page_lists(home: Organization, store: Store, report: Report, action: str) -> None:
    # Given many rows: copies of one that the product wrote
    collection, _, _ = REGISTRY[action].path.partition("/by-")
    creator = next(name for name in WRITES if (REGISTRY[name].method, REGISTRY[name].path) == ("POST", collection))
    created = arrange(creator, home).send().data
    path = {name: created[name] for name in REGISTRY[action].parameters}
    kind = REGISTRY[creator].audit.rpartition("_")[0].replace("_", "")  # type: ignore[union-attr]  # it is a write
    row = store.items()[f"ORG#{home.id}#{kind}", created["id"]]
    store.put(_copy(row) for _ in range(ROWS - 1))
    # When a page of them is requested, by page or search
    for of, query in PAGES.items():
        if not {*query} <= _parameters(action):
            continue
        answer = home.owner.call(action, path=path, query=query)
        # Then it takes three round trips, and the totals are exact
        hold(action, answer, PAGE_LIST, report, f"{of} of {ROWS}")
        assert answer.data["pagination"]["totalItems"] >= ROWS
    if "limit" in _parameters(action):
        # From the newest on: the oldest metrics are the product's, which have values to be calculated.
        walked = home.owner.call(action, path=path, query={"limit": 20, "sortOrder": "desc"})
        hold(action, walked, READ, report, f" (cursor) of {ROWS}")


def _copy(row: StoredItem) -> StoredItem:
    """Return a copy with a new id, also in the sort key of lists by time."""
    identifier = str(new_id())
    copy = {**row, "sk": {"S": identifier}}
    if "at" in row:
        copy["at"] = {"S": row["at"]["S"].replace(row["sk"]["S"], identifier)}
    return copy


def _parameters(action: str) -> set[str]:
    return {row["name"] for row in operation(REGISTRY[action])["parameters"]}
