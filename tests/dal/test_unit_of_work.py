"""The unit of work: all writes or none, and the error of the first failed condition in the request's order."""

from __future__ import annotations

import pytest
from pynamodb.exceptions import TransactWriteError

from chalicelib.core.errors import ActionError, ErrorCode, invalid_state
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import MAX_WRITES, OnFailedCondition, StaleRead, UnitOfWork, stale
from infra.local.engine import Store
from infra.local.stack import Stack
from tests.support import client_hooks


def _key(tenant: OrganizationId, name: object) -> Key:
    return Key(keys.partition(tenant, "SHELF"), str(name))


def _refused(word: str) -> OnFailedCondition:
    return lambda _: invalid_state(word)


def _rows(tenant: OrganizationId) -> set[str]:
    return {item["sk"]["S"] for item in table.query(_key(tenant, "").pk).items}


def test_nothing_is_sent_before_the_commit_and_then_all_at_once(tenant: OrganizationId) -> None:
    unit = UnitOfWork(tenant)
    with client_hooks.recorded() as recording:
        for number in range(MAX_WRITES):
            unit.put_new(Item(*_key(tenant, number)), stale)
        assert recording.calls == []
        unit.commit()
    assert recording.operations == ["TransactWriteItems"]
    assert len(_rows(tenant)) == MAX_WRITES


def test_more_writes_than_a_transaction_holds_are_an_error(tenant: OrganizationId) -> None:
    unit = UnitOfWork(tenant)
    for number in range(MAX_WRITES + 1):
        unit.put_new(Item(*_key(tenant, number)), stale)
    with pytest.raises(ValueError, match="do not fit"):
        unit.commit()


def test_an_item_is_written_once(tenant: OrganizationId) -> None:
    unit = UnitOfWork(tenant)
    unit.put_new(Item(*_key(tenant, 1)), stale)
    with pytest.raises(ValueError, match="once"):
        unit.delete(_key(tenant, 1), None, stale)


def test_the_first_failed_condition_in_the_requests_order_is_raised(tenant: OrganizationId) -> None:
    Item(*_key(tenant, "taken")).save()
    for order in (("put", "check", "update"), ("update", "put", "check"), ("check", "update", "put")):
        unit = UnitOfWork(tenant)
        unit.put_new(Item(*_key(tenant, "fine")), stale)
        for kind in order:
            match kind:
                case "put":
                    unit.put_new(Item(*_key(tenant, "taken")), _refused(kind))
                case "check":
                    unit.check(_key(tenant, "absent"), Item.pk.exists(), _refused(kind))
                case "update":
                    unit.update(_key(tenant, "gone"), [Item.version.set(1)], None, _refused(kind))
        with pytest.raises(ActionError, match=f"^{order[0]}$"):
            unit.commit()
        assert _rows(tenant) == {"taken"}


def test_an_error_that_is_reported_first_precedes_all_others(tenant: OrganizationId) -> None:
    Item(*_key(tenant, "taken")).save()
    unit = UnitOfWork(tenant)
    unit.put_new(Item(*_key(tenant, "taken")), _refused("later"))
    first = Item(*_key(tenant, "key"))
    unit.put(first, Item.pk.exists(), _refused("first"), reported_first=True)
    with pytest.raises(ActionError, match=r"^first$"):
        unit.commit()


def test_the_error_is_made_from_the_existing_item(tenant: OrganizationId) -> None:
    Item(*_key(tenant, "taken"), data={"who": "first"}).save()
    unit = UnitOfWork(tenant)
    unit.put_new(Item(*_key(tenant, "taken")), lambda item: invalid_state(str(item and item.data)))
    with pytest.raises(ActionError, match="first"):
        unit.commit()


def test_a_failed_condition_undoes_all_writes(tenant: OrganizationId) -> None:
    for name in ("changed", "deleted"):
        Item(*_key(tenant, name), data={"who": "first"}).save()
    unit = UnitOfWork(tenant)
    unit.delete(_key(tenant, "deleted"), None, stale)
    unit.put_new(Item(*_key(tenant, "new")), stale)
    unit.update(_key(tenant, "changed"), [table.assign("who", "second")], None, stale)
    unit.update(_key(tenant, "absent"), [Item.version.set(1)], None, stale)
    with pytest.raises(StaleRead):
        unit.commit()
    items = table.batch_get(_key(tenant, name) for name in ("changed", "deleted", "new"))
    assert [(key.sk, item.data) for key, item in sorted(items.items())] == [
        ("changed", {"who": "first"}),
        ("deleted", {"who": "first"}),
    ]


def test_an_update_creates_no_item(tenant: OrganizationId) -> None:
    unit = UnitOfWork(tenant)
    unit.update(_key(tenant, "absent"), [Item.version.set(1)], None, stale)
    with pytest.raises(StaleRead):
        unit.commit()
    assert _rows(tenant) == set()


def test_a_transaction_refused_as_a_whole_has_a_reason(tenant: OrganizationId) -> None:
    unit = UnitOfWork(tenant)
    unit.put_new(Item(*_key(tenant, "")), stale)
    with pytest.raises(TransactWriteError, match="Failed to write") as failed:
        unit.commit()
    assert failed.value.cause_response_code == "ValidationException"


def test_only_the_first_declared_change_is_the_target(tenant: OrganizationId) -> None:
    unit = UnitOfWork(tenant, expected_tags=frozenset({"3"}))
    unit.require_version(3)
    with pytest.raises(ActionError, match="version 4"):
        unit.require_version(4)
    unit.audit_target("client", 1, {}, {"name": "x"})
    unit.require_version(4)
    unit.audit_target("user", 2, {}, {})
    assert unit.change is not None
    assert (unit.change.entity_type, unit.change.entity_id) == ("client", "1")


@pytest.mark.parametrize("kind", ["SHELF", "WORKLOCATION", "AUDIT"])
@pytest.mark.parametrize("begins", ["so", "smaller"])
def test_an_item_that_is_too_large_is_refused_by_its_name(
    tenant: OrganizationId, local_stack: Stack, kind: str, begins: str
) -> None:
    """The item is written too large or grows, in one transaction with a small one."""
    if begins == "smaller" and local_stack.engine.store is Store.MOTO:
        pytest.skip("moto lets an update in a transaction grow an item beyond every limit")
    key = Key(keys.partition(tenant, kind), "1")
    unit = UnitOfWork(tenant)
    unit.put_new(Item(*_key(tenant, "small"), data={"text": "x" * 1_000}), stale)
    if begins == "smaller":
        Item(*key, data={"text": "x" * 399_000}).save()
        unit.update(key, [Item.data["more"].set("y" * 12_000)], None, stale)
    else:
        unit.put_new(Item(*key, data={"text": "x" * 420_000}), stale)
    with pytest.raises(ActionError) as refused:
        unit.commit()
    name = {"SHELF": "shelf", "WORKLOCATION": "work location", "AUDIT": "audit entry"}[kind]
    assert refused.value.code is ErrorCode.VALIDATION_ERROR
    assert refused.value.message == f"the {name} must take at most 400 KB"
    assert "small" not in _rows(tenant)
