"""Results of another type than declared: an internal error, so that internal fields never leave."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.action import runner
from chalicelib.action.context import Context, Request
from chalicelib.action.registry import REGISTRY, action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import Contract
from tests.support.declared import registry_kept
from tests.support.factories import Organization

SECRET = "stored-and-never-shown"


class Shown(Contract):
    name: str


class Rows(Contract):
    rows: list[Shown]
    first: Shown | None


def one(ctx: Context) -> Shown:
    """Returns one entity."""
    return _stored


def several(ctx: Context) -> list[Shown]:
    """Returns several entities."""
    return [Shown(name="shown"), _stored]


def nested(ctx: Context) -> Rows:
    """Returns entities in another."""
    return Rows.model_construct(rows=[_stored], first=_stored)


_stored: Any = {"name": "name", "secret": SECRET}
"""An item of the table: not a contract, so it would be sent with every field."""


@pytest.fixture(autouse=True)
def _as_deployed() -> Iterator[None]:
    """Undo the suite's setting that turns warnings into errors."""
    with registry_kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("function", [one, several, nested])
def test_internal_fields_do_not_leave(
    organization: Organization, caplog: pytest.LogCaptureFixture, function: Any
) -> None:
    action("getStored", "GET /stored", permission=Permission.CLIENTS_WRITE)(function)
    headers = {"authorization": f"Bearer {organization.owner.token}"}
    request = Request("an-id", "198.51.100.7", "/", headers, {}, {}, b"")
    reply = runner.run(REGISTRY["getStored"], request)
    assert (reply.status, reply.error) == (500, "INTERNAL_ERROR")
    assert SECRET not in reply.body
    assert SECRET not in str([vars(record) for record in caplog.records])
