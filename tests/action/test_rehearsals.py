"""A write that turns out to be a rehearsal leaves nothing for the audit log; one that writes is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import Body, Success
from chalicelib.models.audit import AuditEvent
from chalicelib.models.staffing.clients import CLIENTS, Client
from tests.support.api import Api
from tests.support.declared import product_with
from tests.support.world import new_organization


class Names(Body):
    names: list[str]


def _declare() -> None:
    @action("rehearse", "POST /rehearse", permission=Permission.CLIENTS_WRITE, audit=AuditEvent.CLIENT_CREATED)
    def dry_run(ctx: Context, data: Names) -> Success:
        """Says it is a rehearsal, and creates a client of each name."""
        ctx.unit.is_dry_run = True
        for name in data.names:
            CLIENTS.create(ctx.unit, Client.new(name=name))
        return Success()


@pytest.fixture(scope="module")
def extended() -> Iterator[Api]:
    with product_with(_declare) as api:
        yield api


@pytest.mark.parametrize("key", ["k", None])
@pytest.mark.parametrize("names", [[], ["Hansekontor"]])
def test_what_was_written_was_no_rehearsal(extended: Api, names: list[str], key: str | None) -> None:
    owner = new_organization(extended).owner
    answer = owner.call("rehearse", key=key, body={"names": names})
    assert answer.status == 200, answer.text
    told = [entry["action"] for entry in owner.call("getAuditLog").data["items"]]
    assert told == ["CLIENT_CREATED"] * len(names)
