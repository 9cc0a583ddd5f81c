"""The service itself: health and documentation."""

from __future__ import annotations

from typing import Annotated

from chalicelib.action import openapi
from chalicelib.action.context import PublicContext
from chalicelib.action.envelope import Raw
from chalicelib.action.registry import action
from chalicelib.auth.permissions import PUBLIC
from chalicelib.dal import table
from chalicelib.modules.system.contracts import Health


@action("getHealth", "GET /health", permission=PUBLIC)
def get_health(ctx: PublicContext) -> Health:
    """Checks the service and its table; DATABASE_ERROR when the table does not answer."""
    table.probe()
    return Health()


@action("getOpenApi", "GET /openapi.json", permission=PUBLIC)
def get_open_api(ctx: PublicContext) -> Annotated[Raw, "application/json"]:
    """This API as an OpenAPI 3.1 document; `GET /docs` shows it in a browser."""
    return Raw(openapi.document_text(ctx.request.server), "application/json")
