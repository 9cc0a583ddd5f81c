"""What a page of a thousand rows costs in round trips to the table."""

from __future__ import annotations

import pytest

from chalicelib.action.registry import REGISTRY
from chalicelib.core.ids import new_id
from tests.nets.round_trips import PAGE_LIST, PAGE_LISTS, READ, Report, hold
from tests.support.arrange import WRITES, arrange
from tests.support.store import Store
from tests.support.world import Organization

ROWS = 1000


@pytest.mark.parametrize("action", PAGE_LISTS)
def test_page_lists(home: Organization, store: Store, report: Report, action: str) -> None:
    # Given a thousand rows: copies of one that the product made
    collection = REGISTRY[action].path
    creator = next(name for name in WRITES if (REGISTRY[name].method, REGISTRY[name].path) == ("POST", collection))
    identifier = arrange(creator, home).send().data["id"]
    row = next(item for (pk, sk), item in store.items().items() if sk == identifier and pk.startswith("ORG#"))
    store.put({**row, "sk": {"S": str(new_id())}} for _ in range(ROWS - 1))
    # When a page of them is asked for, in whatever way
    for of, query in {" (page 5)": {"page": 5, "pageSize": 100}, " (search)": {"search": "e"}}.items():
        answer = home.owner.call(action, query=query)
        # Then it takes three round trips, and the totals are exact
        hold(action, answer, PAGE_LIST, report, f"{of} of {ROWS}")
        assert answer.data["pagination"]["totalItems"] >= ROWS
    hold(action, home.owner.call(action, query={"limit": 20}), READ, report, f" (cursor) of {ROWS}")
