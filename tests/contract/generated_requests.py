"""The ground of generated requests: an organization per operation, and roots that take a part of them deep.

A request straight from a schema names ids, addresses and codes that nobody has. Every other one is therefore grafted
onto a valid request of the same action, so that it passes the look-ups and meets the rules behind them.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from schemathesis import Case, Response
from schemathesis.core.parameters import ParameterLocation
from urllib3 import HTTPHeaderDict, HTTPResponse

from chalicelib.action import etags
from chalicelib.action.media_types import CSV, JSON
from chalicelib.action.registry import REGISTRY
from chalicelib.models.organizations import SubscriptionTier
from chalicelib.models.users import Role
from infra.local.gateway import Gateway, HttpRequest
from tests.support.api import Api
from tests.support.arrange import Arranged, arrange, operation
from tests.support.factories import PASSWORD, Member, Organization, new_organization
from tests.support.hypothesis_profile import IS_FULL

BASE_URL = "http://workledger.test"
_LOWER_ROLES = (Role.ADMIN, Role.COORDINATOR, Role.MEMBER, Role.VIEWER)
_TOO_OFTEN = 429
_NOT_IN_CSV = dict.fromkeys(map(ord, '"\0\ufffd'))


class GatewayAdapter(HTTPAdapter):
    """Answers the requests of a `requests.Session` by the gateway's code, in this process."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._gateway = gateway
        # Many callers, so that failed sign-ins of one do not shut out all.
        self._sources = itertools.cycle(f"198.51.100.{number}" for number in range(1, 255))

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body or b""
        headers = {name.lower(): [_text(value)] for name, value in request.headers.items()}
        answer = self._gateway.handle(
            HttpRequest(
                request.method or "",
                request.path_url,
                headers,
                body.encode() if isinstance(body, str) else body,
                next(self._sources),
            )
        )
        raw = HTTPResponse(
            BytesIO(answer.body), HTTPHeaderDict(answer.headers), int(answer.status), preload_content=False
        )
        return self.build_response(request, raw)


def session(gateway: Gateway) -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    made.mount(BASE_URL, GatewayAdapter(gateway))
    return made


@dataclass
class Ground:
    """One operation's organization, from which each of its generated requests gets a sender and, often, a root."""

    api: Api
    action: str
    organization: Organization
    sent: int = 0
    generated: int = 0
    _senders: dict[Role, Member] = field(default_factory=dict)
    _arranged: Arranged | None = None

    def is_left_out(self) -> bool:
        """Return True for every other pair of requests, unless all examples are to run: other pairs for other actions.

        Pairs, because every other request that is sent is grafted.
        """
        self.generated += 1
        return not IS_FULL and ((self.generated - 1) // 2 + len(self.action)) % 2 == 1

    @classmethod
    def new(cls, api: Api, action: str) -> Ground:
        # Of the tier that may mail most: every request of some actions is prepared by an invitation.
        return cls(api, action, new_organization(api, subscription_tier=SubscriptionTier.ENTERPRISE))

    def prepare(self, case: Case) -> dict[str, str]:
        """Grafts the case, if it is its turn; the headers that say who sends it."""
        turn = self.sent
        self.sent += 1
        is_grafted = turn % 2 == 0
        if is_valid(case) and not re.fullmatch(etags.PATTERN, case.headers.get("If-Match", "*")):
            # Schemathesis offers "0" as valid, which its own reading of the pattern refuses.
            case.headers["If-Match"] = '"999-0123456789abcdef"'
        if is_valid(case):
            case.body = _without_fractions(case.body)
            self._fit_to_media_type(case)
        if is_grafted:
            self._graft(case)
        return {**self._accept(turn), **self._authorization(turn, is_grafted=is_grafted)}

    def _accept(self, turn: int) -> dict[str, str]:
        """Each form of the result in turn."""
        return {} if REGISTRY[self.action].csv is None else {"Accept": (JSON, CSV)[turn // 2 % 2]}

    def _authorization(self, turn: int, *, is_grafted: bool) -> dict[str, str]:
        if REGISTRY[self.action].is_public:
            return {}
        role = _LOWER_ROLES[turn // 7 % len(_LOWER_ROLES)] if turn % 7 == 3 else Role.OWNER
        sender = self._root().sender if is_grafted else self._sender(role)
        assert sender is not None
        return {"Authorization": f"Bearer {sender.token}"}

    def settle(self, response: Response) -> None:
        """Renew everything that a request has used up, such as its sender's session."""
        is_used_up = REGISTRY[self.action].is_write and response.status_code < 300
        if is_used_up or response.status_code == _TOO_OFTEN:
            self._arranged = None
            if REGISTRY[self.action].tag == "auth":
                self._senders.clear()

    def _sender(self, role: Role) -> Member:
        if role not in self._senders:
            self._senders[role] = self.organization.enrol(role, PASSWORD)
        return self._senders[role]

    def _root(self) -> Arranged:
        if self._arranged is None:
            self._arranged = arrange(self.action, self.organization, self._sender(Role.OWNER))
        return self._arranged

    def _fit_to_media_type(self, case: Case) -> None:
        """Fit a case to its media type beyond its schema: CSV is text under a header line; JSON has an option once."""
        contract = REGISTRY[self.action].csv_body
        if contract is None:
            return
        if case.media_type == CSV:
            header, rows = contract.csv_example.splitlines()[0], str(case.body).translate(_NOT_IN_CSV)
            case.body = f"{header}\r\n{rows}"
        elif isinstance(case.body, dict):
            for name in {*case.query} & {*case.body}:
                del case.query[name]

    def _graft(self, case: Case) -> None:
        call = self._root().call
        broken = negated(case)
        if ParameterLocation.PATH not in broken:
            case.path_parameters.update(call.path)
        if ParameterLocation.BODY not in broken and isinstance(case.body, dict):
            for name in self._arranged_fields() & {*case.body}:
                case.body[name] = call.body[name]
        if ParameterLocation.HEADER not in broken and "If-Match" in case.headers:
            case.headers["If-Match"] = "*"
        if ParameterLocation.QUERY not in broken:
            # Nobody makes up a cursor, and it excludes the parameters of page lists.
            for name in {"cursor", "limit"} & {*case.query}:
                del case.query[name]

    def _arranged_fields(self) -> set[str]:
        """The fields that a caller has to know: passwords, and all that differ from the documented example."""
        body = self._root().call.body
        example = operation(REGISTRY[self.action])["requestBody"]["content"][JSON]["example"]
        return {name for name, value in body.items() if value != example.get(name) or "password" in name.lower()}


def is_valid(case: Case) -> bool:
    """Return True for a case that keeps to the schema."""
    assert case.meta is not None
    return case.meta.generation.mode.is_positive


def negated(case: Case) -> set[ParameterLocation]:
    """The parts of a request that were made to break the schema."""
    assert case.meta is not None
    return {where for where, component in case.meta.components.items() if component.mode.is_negative}


def _without_fractions(value: Any) -> Any:
    """To JSON Schema 45.0 is an integer. This API refuses it: who sends it may mean euros where cents are asked for."""
    if isinstance(value, dict):
        return {name: _without_fractions(one_value) for name, one_value in value.items()}
    if isinstance(value, list):
        return [_without_fractions(one_value) for one_value in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
