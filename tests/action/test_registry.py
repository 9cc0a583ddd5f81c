"""Declarations of actions: an invalid one stops the app at its start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Self
from uuid import UUID

import pytest

from chalicelib.action.chunked_write import ChunkedWrite
from chalicelib.action.context import Context, PublicContext
from chalicelib.action.envelope import Raw
from chalicelib.action.registry import REGISTRY, action
from chalicelib.auth.permissions import PUBLIC, Permission
from chalicelib.core.contracts import Body, Success
from chalicelib.core.csv_body import CsvBody
from chalicelib.models.audit import AuditEvent
from tests.support.declared import registry_kept

pytestmark = pytest.mark.storeless


class Anonymous(Body):
    name: str


@pytest.fixture(autouse=True)
def _restored_registry() -> Iterator[None]:
    with registry_kept():
        yield


def good(ctx: Context, id_: UUID) -> Success:
    """Changes an entity."""
    return Success()


def public(ctx: PublicContext, data: Anonymous) -> Success:
    """Changes an entity without a caller."""
    return Success()


def silent(ctx: Context, id_: UUID) -> Success:
    return Success()


def untyped(ctx: Context, id_: UUID):  # type: ignore[no-untyped-def]  # noqa: ANN201, RUF100  the error under test
    """Returns something."""
    return Success()


class Rows(CsvBody):
    csv_example = "name\r\nAda\r\n"

    @classmethod
    def from_csv(cls, text: str, query: Any) -> Self:
        return cls()


def tabular(ctx: Context, data: Rows) -> Success:
    """Takes rows."""
    return Success()


def raw(ctx: Context, id_: UUID) -> Annotated[Raw, "text/csv"]:
    """Answers a file."""
    return Raw("", "text/csv")


def chunked(ctx: Context, parts: ChunkedWrite) -> Success:
    """Writes in chunks."""
    return Success()


def public_chunked(ctx: PublicContext, data: Anonymous, parts: ChunkedWrite) -> Success:
    """Writes in chunks without a caller."""
    return Success()


def wrongly_chunked(ctx: Context, parts: int) -> Success:
    """Declares its chunks with a wrong type."""
    return Success()


READ = {"permission": Permission.SELF}
WRITE = {"permission": Permission.SELF, "audit": AuditEvent.CLIENT_UPDATED}


@pytest.mark.parametrize(
    ("function", "name", "route", "options", "error"),
    [
        (good, "getClient", "GET /x/{id}", READ, "declared twice"),
        (good, "new", "GET /x", READ, "parameters of its route"),
        (good, "new", "GET /x/{other}", READ, "parameters of its route"),
        (good, "new", "GET /x/{id}", {"permission": PUBLIC}, "must take a PublicContext"),
        (public, "new", "POST /x", WRITE, "must take a Context"),
        (untyped, "new", "GET /x/{id}", READ, "return type"),
        (silent, "new", "GET /x/{id}", READ, "docstring"),
        (good, "new", "GET /x/{id}", WRITE, "writes with GET"),
        (good, "new", "DELETE /x/{id}", READ, "without an audit event"),
        (public, "new", "POST /x", {**WRITE, "permission": PUBLIC}, "needs an `email`"),
        (good, "new", "POST /x/{id}", {**WRITE, "csv": Raw}, "what it answers again is JSON"),
        (raw, "new", "GET /x/{id}", {**READ, "csv": Raw}, "an answer without an envelope"),
        (tabular, "new", "GET /x", READ, "CSV in no body"),
        (tabular, "new", "DELETE /x", WRITE, "CSV in no body"),
        (wrongly_chunked, "new", "POST /x", WRITE, "parts as Parts"),
        (chunked, "new", "GET /x", READ, "done in parts"),
        (public_chunked, "new", "POST /x", {**WRITE, "permission": PUBLIC}, "done in parts"),
    ],
)
def test_an_invalid_declaration_stops_the_app(
    function: Callable[..., Any], name: str, route: str, options: dict[str, Any], error: str
) -> None:
    with pytest.raises(TypeError, match=error):
        action(name, route, **options)(function)
    assert "new" not in REGISTRY


def test_a_permission_has_no_default() -> None:
    with pytest.raises(TypeError, match="permission"):
        action("new", "GET /x/{id}")(good)  # type: ignore[call-arg]  # on purpose


def test_a_good_declaration_is_registered() -> None:
    action("new", "GET /x/{id}", permission=Permission.SELF)(good)
    declared = REGISTRY["new"]
    assert (declared.parameters, declared.is_public, declared.is_write) == ({"id": "id_"}, False, False)


def test_every_route_is_declared_once() -> None:
    routes = [(declared.method, declared.path) for declared in REGISTRY.values()]
    assert len(routes) == len(set(routes))
    assert len(REGISTRY) >= 33
