"""Dry runs: `is_dry_run` with writes is an audited write all the same; without writes it leaves no audit entry."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import Body, Success
from chalicelib.models.audit import AuditEvent
from chalicelib.models.staffing.clients import CLIENTS, StoredClient
from tests.support.api import Api
from tests.support.declared import product_with
from tests.support.factories import new_organization


class Names(Body):
    names: list[str]


def _declare() -> None:
    @action("dryRun", "POST /dry-run", permission=Permission.CLIENTS_WRITE, audit=AuditEvent.CLIENT_CREATED)
    def dry_run(ctx: Context, data: Names) -> Success:
        """Declares a dry run, and creates a client for each name."""
        ctx.unit.is_dry_run = True
        for name in data.names:
            CLIENTS.create(ctx.unit, StoredClient.new(name=name))
        return Success()


@pytest.fixture(scope="module")
def extended() -> Iterator[Api]:
    with product_with(_declare) as api:
        yield api


@pytest.mark.parametrize("key", ["k", None])
@pytest.mark.parametrize("names", [[], ["Hansekontor"]])
def test_a_dry_run_that_writes_is_audited(extended: Api, names: list[str], key: str | None) -> None:
    owner = new_organization(extended).owner
    answer = owner.call("dryRun", key=key, body={"names": names})
    assert answer.status == 200, answer.text
    actions = [entry["action"] for entry in owner.call("getAuditLog").data["items"]]
    assert actions == ["CLIENT_CREATED"] * len(names)
