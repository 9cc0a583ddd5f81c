"""No request leaves its tenant, and the check of that works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from chalicelib.action.registry import REGISTRY
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item
from chalicelib.models.staffing.clients import CLIENTS
from tests.support.api import Answer, hold_to_tenant
from tests.support.arrange import arrange, names
from tests.support.client_hooks import recorded
from tests.support.factories import Organization
from tests.support.store import Store, partitions_of, texts_in


def test_a_read_outside_the_tenant_is_caught(home: Organization, abroad: Organization) -> None:
    with recorded() as recording:
        CLIENTS.key(home.id, home.id)
        table.get(CLIENTS.key(abroad.id, abroad.id))

    with pytest.raises(AssertionError, match="touched"):
        hold_to_tenant("getClient", home.owner.token, Answer(200, {}, "", recording))


@pytest.mark.parametrize(
    "leave",
    [
        lambda other: table.batch_get([CLIENTS.key(other, other)]),
        lambda other: table.query(keys.partition(other, "CLIENT")),
        lambda other: table.query(keys.listing(other, "CLIENT", deleted=False)),
        lambda other: table.update(CLIENTS.key(other, other), [table.assign("name", "x")], Item.pk.exists()),
    ],
    ids=["batch", "query", "index", "update"],
)
def test_the_check_reads_every_kind_of_call(abroad: Organization, leave: Callable[[Any], object]) -> None:
    with recorded() as recording:
        leave(abroad.id)

    assert recording.tenants() == {str(abroad.id)}


def test_a_signed_in_action_that_touches_identity_is_caught(home: Organization) -> None:
    with recorded() as recording:
        table.get(keys.credential("anna@example.com"))

    with pytest.raises(AssertionError, match="EMAIL"):
        hold_to_tenant("getClient", home.owner.token, Answer(200, {}, "", recording))


def test_an_action_that_ignores_its_caller_is_caught_in_an_ordinary_test(
    home: Organization, abroad: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an action that reads another organization
    client = arrange("getClient", abroad)
    declared = REGISTRY["getClient"]

    def careless(ctx: object, id_: UUID) -> object:
        return CLIENTS.get(OrganizationId(abroad.id), id_)

    monkeypatch.setitem(declared.__dict__, "function", careless)
    # When a member of the first organization calls it
    # Then the check fails
    with pytest.raises(AssertionError, match="touched"):
        client.send(token=home.owner.token)


@pytest.mark.parametrize("action", names())
def test_stored_items_mention_no_other_organization(
    home: Organization, abroad: Organization, store: Store, action: str
) -> None:
    # Given the items that an action stores in two organizations
    for organization in (home, abroad):
        assert arrange(action, organization).send("a key").status == REGISTRY[action].status
    # When all items of both are read
    everything = store.items()
    for organization, other in ((home, abroad), (abroad, home)):
        # Then neither is mentioned in the other
        for key, item in partitions_of(everything, organization.id).items():
            assert not any(str(other.id) in text for text in texts_in(item)), f"{key} mentions another organization"
    # And only items of identity are outside of both
    assert {pk.split("#")[0] for pk, _ in everything} <= {"ORG", "EMAIL", "SOURCE"}
