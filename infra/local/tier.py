"""`make tier ORG= TIER=`: the operator's function `set_subscription_tier`, on the product that `make serve` runs.

The run holds its data, so it invokes the function itself, on a request to a local page.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import urllib3

from infra.local import demo
from infra.local.engine import HOST
from infra.local.gateway import HttpRequest, HttpResponse
from infra.local.lambda_events import Handler, invoke

PATH = "/_local/tier"
_DEMO_OWNERS = {
    organization.casefold(): owner.email
    for organization, owner in ((demo.ORGANIZATION, demo.OWNER), (demo.LENDER_ORGANIZATION, demo.LENDER))
}


class TierNotSet(Exception):
    """The tier is as it was. The message has the reason."""


def page(set_subscription_tier: Handler) -> Callable[[HttpRequest], HttpResponse]:
    """Return the page, which invokes the function of the app."""

    def answer(request: HttpRequest) -> HttpResponse:
        # A form of a foreign web page cannot send this type.
        if request.method != "POST" or request.headers.get("content-type") != ["application/json"]:
            return _json(HTTPStatus.METHOD_NOT_ALLOWED, {"error": "takes POST with JSON"})
        try:
            return _json(HTTPStatus.OK, _set(set_subscription_tier, json.loads(request.body)))
        except (TierNotSet, ValueError) as error:
            return _json(HTTPStatus.BAD_REQUEST, {"error": str(error)})

    return answer


def _set(set_subscription_tier: Handler, body: dict[str, Any]) -> Any:
    # These read the environment of the running product, which is not set yet when this module is imported.
    from chalicelib.core.errors import ActionError
    from chalicelib.models.identity import credentials

    named = str(body.get("organization"))
    identifier = named
    if address := named if "@" in named else _DEMO_OWNERS.get(named.casefold()):
        credential = credentials.get(address)
        if credential is None:
            raise TierNotSet(f"nobody signs in as {address}")
        identifier = str(credential.organization_id)
    event = {"organizationId": identifier, "tier": body.get("tier")}
    try:
        return invoke(set_subscription_tier, "set_subscription_tier", event)
    except ActionError as error:
        raise TierNotSet(f"{named}: {error.message}") from None
    except ValueError as error:
        if not str(error).startswith("organizationId"):
            raise
        known = f'"{demo.ORGANIZATION}" or "{demo.LENDER_ORGANIZATION}"'
        raise TierNotSet(f"ORG: must be an id, the e-mail address of a user, {known}") from None


def _json(status: HTTPStatus, content: Any) -> HttpResponse:
    return HttpResponse(status, json.dumps(content).encode(), [("Content-Type", "application/json")])


def set_tier(port: int, organization: str, tier: str) -> dict[str, Any]:
    """Ask the run on a port; return the organization. Raises TierNotSet."""
    body = {"organization": organization, "tier": tier}
    try:
        answer = urllib3.request("POST", f"http://{HOST}:{port}{PATH}", json=body, timeout=60, retries=False)
        content = answer.json()
    except urllib3.exceptions.HTTPError:
        raise TierNotSet(f"nothing runs on port {port}; start `make serve`, or name its port: PORT=") from None
    except ValueError:
        content = None
    if not isinstance(content, dict) or not {"error", "subscriptionTier"} & {*content}:
        raise TierNotSet(f"port {port} is not `make serve`'s; name the port that it runs on: PORT=")
    if answer.status == HTTPStatus.OK:
        return content
    raise TierNotSet(str(content["error"]))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local.tier", description="Set a subscription tier.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--organization", default=demo.OWNER.email)
    parser.add_argument("--tier", default="")
    options = parser.parse_args(arguments)
    try:
        organization = set_tier(options.port, options.organization, options.tier)
    except TierNotSet as error:
        print(f"make tier: {error}", file=sys.stderr)
        return 1
    print(f"{organization['name']} is {organization['subscriptionTier']} now")
    return 0


if __name__ == "__main__":
    sys.exit(main())
