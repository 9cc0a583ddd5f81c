"""`@action` declares a server action; the registry holds them all. Signatures are read once, here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints
from uuid import UUID

from pydantic import TypeAdapter
from pydantic.alias_generators import to_camel

from chalicelib.action.chunked_write import ChunkedWrite
from chalicelib.action.context import Context, PublicContext
from chalicelib.action.envelope import Raw
from chalicelib.action.media_types import CSV, JSON
from chalicelib.auth.permissions import Permission, Public
from chalicelib.core.contracts import Contract, Patch
from chalicelib.core.csv_body import CsvBody
from chalicelib.core.errors import ErrorCode
from chalicelib.core.ids import OrganizationId
from chalicelib.core.one_click_body import FORM, MULTIPART, OneClickBody
from chalicelib.dal.collection import Collection
from chalicelib.dal.keys import Key
from chalicelib.dal.limits import Limit
from chalicelib.models.audit import AuditEvent

F = TypeVar("F", bound=Callable[..., Any])

PREFIX = "/api/v1"
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_OF_OWN_SESSION = frozenset({AuditEvent.SIGNED_OUT, AuditEvent.SESSION_REVOKED})


class Route(NamedTuple):
    """The route of an action, known before its domain is imported."""

    domain: str
    """Its package in `chalicelib.modules`."""
    action: str
    method: str
    path: str
    takes_csv: bool = False
    """True for a body that may be CSV instead of JSON."""
    takes_form: bool = False
    """True for a body that mail programs may send as a form."""

    @property
    def body_types(self) -> list[str]:
        """The media types that a request may have."""
        return [JSON, *([CSV] if self.takes_csv else ()), *((FORM, MULTIPART) if self.takes_form else ())]


class Named(NamedTuple):
    """The things that a request names before it is known whose it is: by unverified token, path and input."""

    organization: OrganizationId
    user: UUID
    path: Mapping[str, str]
    data: Callable[[], Any]
    """Validates the input; None for an invalid one, which is told once the caller is known."""


@dataclass(frozen=True)
class Action:
    """One server action. `audit` names a write in the audit log; an action without it only reads."""

    name: str
    method: str
    path: str
    permission: Permission | Public
    audit: AuditEvent | None
    status: int
    errors: tuple[ErrorCode, ...]
    limits: tuple[Limit, ...]
    """Limits that it may take, for its description: its function decides which it takes."""
    replays_first: bool
    """A repetition must not reach its function, which would refuse it: its stored answer is looked for before."""
    entity: Collection[Any] | None
    """The collection of the entity that its first parameter names, if its function reads that one first."""
    ahead: Callable[[Named], Iterable[Key]] | None
    """Function that returns further keys which its function reads first."""
    csv: Callable[[Any], Raw] | None
    """Function that makes CSV of the result, for clients that prefer it to the envelope."""
    function: Callable[..., Any]
    parameters: dict[str, str]
    """Path parameters: name in the route to name in the function."""
    types: dict[str, Any]

    @property
    def is_public(self) -> bool:
        return isinstance(self.permission, Public)

    @property
    def is_write(self) -> bool:
        return self.audit is not None

    @property
    def ends_session(self) -> bool:
        """It may end the very session that calls it, which may still ask for its answer."""
        return self.audit in _OF_OWN_SESSION

    @property
    def is_in_parts(self) -> bool:
        """It writes in several transactions: its function takes `parts`."""
        return "parts" in self.types

    def read_ahead(self, named: Named) -> list[Key]:
        """Return the keys that its function reads first, which can be read together with the caller."""
        read = [] if self.ahead is None else [*self.ahead(named)]
        if self.entity is not None:
            # An id that is none is told by the validation, which comes after.
            with suppress(ValueError):
                read.append(self.entity.key(named.organization, UUID(named.path[next(iter(self.parameters))])))
        return read

    @property
    def looks_first(self) -> bool:
        return self.replays_first or self.is_in_parts

    @property
    def takes_body(self) -> bool:
        return self.data_type is not None and self.method in _BODY_METHODS

    @property
    def needs_body(self) -> bool:
        """True where no field is required: no body equals `{}`."""
        contract = self.data_type
        if not self.takes_body or contract is None:
            return False
        return issubclass(contract, Patch) or any(field.is_required() for field in contract.model_fields.values())

    @property
    def data_type(self) -> type[Contract] | None:
        return self.types.get("data")

    @property
    def csv_body(self) -> type[CsvBody] | None:
        """The body's contract, if it may come as CSV too."""
        contract = self.data_type
        return contract if self.takes_body and contract is not None and issubclass(contract, CsvBody) else None

    @property
    def is_one_click(self) -> bool:
        """Its body may come as the form of RFC 8058, its fields in the query."""
        return self.data_type is not None and issubclass(self.data_type, OneClickBody)

    @property
    def route(self) -> Route:
        return Route(self.domain, self.name, self.method, self.path, self.csv_body is not None, self.is_one_click)

    @property
    def raw_media_type(self) -> str | None:
        """The media type in a result's `Annotated[Raw, media type]`, None for an enveloped result."""
        parts = get_args(self.types.get("return"))
        return parts[1] if parts and parts[0] is Raw else None

    @property
    def summary(self) -> str:
        return inspect.cleandoc(self.function.__doc__ or "").partition("\n")[0]

    @property
    def description(self) -> str:
        return inspect.cleandoc(self.function.__doc__ or "")

    @property
    def domain(self) -> str:
        return self.function.__module__.split(".")[-2]

    @property
    def tag(self) -> str:
        return self.domain.replace("_", " ")

    @property
    def output_type(self) -> Any:
        return self.types["return"]

    @property
    def entity_field(self) -> str:
        return getattr(self.output_type, "entity_field", "")

    @property
    def shows_version(self) -> bool:
        """Its answers have an ETag."""
        return bool(self.entity_field) or "version" in getattr(self.output_type, "model_fields", {})

    # Built on first use: a cold start pays only for the actions that are called.

    @cached_property
    def output(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.output_type)

    @cached_property
    def path_adapters(self) -> dict[str, TypeAdapter[Any]]:
        return {name: TypeAdapter(self.types[argument]) for name, argument in self.parameters.items()}


REGISTRY: dict[str, Action] = {}


def action(
    name: str,
    route: str,
    *,
    permission: Permission | Public,
    audit: AuditEvent | None = None,
    status: int = 200,
    errors: tuple[ErrorCode, ...] = (),
    limits: tuple[Limit, ...] = (),
    replays_first: bool = False,
    entity: Collection[Any] | None = None,
    ahead: Callable[[Named], Iterable[Key]] | None = None,
    csv: Callable[[Any], Raw] | None = None,
) -> Callable[[F], F]:
    """Declares `function(ctx, [path parameters], [data], [parts])` as the server action `name`.

    `data` is the body of POST, PUT and PATCH and the query of the others; `parts` is for what does not fit one
    transaction. `errors` are those beyond what every such action can answer. `limits`: the rate limits it takes uses
    of. `replays_first`: its function would refuse a repetition, so the stored answer is looked for before, at one more
    round trip. `entity`: the collection of the entity that its first parameter names, for what reads that one first: it
    comes with the caller. `ahead`: returns the keys of what it reads first otherwise, which come likewise. `csv`: for
    what only reads, makes CSV of its result for whom prefers it to JSON.
    """

    def declare(function: F) -> F:
        method, _, path = route.partition(" ")
        arguments = [
            parameter
            for parameter in inspect.signature(function).parameters
            if parameter not in {"ctx", "data", "parts"}
        ]
        parameters = {to_camel(argument.rstrip("_")): argument for argument in arguments}
        types = get_type_hints(function, include_extras=True)
        declared = Action(
            name,
            method,
            path,
            permission,
            audit,
            status,
            errors,
            limits,
            replays_first,
            entity,
            ahead,
            csv,
            function,
            parameters,
            types,
        )
        _check(declared)
        REGISTRY[name] = declared
        return function

    return declare


def _check(declared: Action) -> None:
    fields = {field for _, field, _, _ in Formatter().parse(declared.path) if field}
    context = PublicContext if declared.is_public else Context
    errors = [
        fault
        for fault, is_at_fault in {
            "is declared twice": declared.name in REGISTRY,
            "does not take the parameters of its route": fields != set(declared.parameters),
            f"must take a {context.__name__}": declared.types.get("ctx") is not context,
            "needs a return type": "return" not in declared.types,
            "needs a docstring": not declared.summary,
            "reads an entity first that no parameter names": declared.entity is not None and not fields,
            "reads ahead and then writes in parts": bool(declared.entity or declared.ahead) and declared.is_in_parts,
            "writes with GET": declared.is_write and declared.method == "GET",
            "writes, and what it answers again is JSON": declared.is_write and declared.csv,
            "makes CSV of an answer without an envelope": declared.raw_media_type and declared.csv,
            "takes CSV in no body": declared.data_type is not None
            and issubclass(declared.data_type, CsvBody)
            and not declared.takes_body,
            "must take its parts as Parts": declared.is_in_parts and declared.types["parts"] is not ChunkedWrite,
            "is done in parts, and either public or no write": declared.is_in_parts
            and (declared.is_public or not declared.is_write),
            "must not write without an audit event": not declared.is_write and declared.method in {"PATCH", "DELETE"},
            "is public and writes, so it needs an `email` to scope idempotency": declared.is_public
            and declared.is_write
            and "email" not in getattr(declared.data_type, "model_fields", {}),
        }.items()
        if is_at_fault
    ]
    if errors:
        raise TypeError(f"action {declared.name} {'; '.join(errors)}")
