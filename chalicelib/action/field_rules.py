"""Every rule that a text breaks: the validator stops at a field's first, and users would mend one after the other."""

from __future__ import annotations

import types
from functools import lru_cache
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from chalicelib.core.contracts import Contract
from chalicelib.core.json_pointer import Location
from chalicelib.core.messages import message_of

_STRIPPED = ConfigDict(str_strip_whitespace=True)
_MAX_FIELDS = 1_000
"""Fields whose rules are kept: more than all contracts have."""


def messages_of(error: ErrorDetails, contract: type[Contract] | None) -> list[str]:
    """Return the messages of a faulty field. `contract`: of the whole input, None where it is not known."""
    first = message_of(error)
    value = error["input"]
    if contract is None or not isinstance(value, str) or not value.strip() or error["type"] == "extra_forbidden":
        return [first]
    broken = [message for rule in _rules(contract, _steps(error["loc"])) if (message := _broken(rule, value))]
    return list(dict.fromkeys([first, *broken]))


def _steps(location: Location) -> tuple[str, ...]:
    """Return the names along a location: values in a list have the rules of its items, at any index."""
    return tuple(step for step in location if isinstance(step, str))


@lru_cache(_MAX_FIELDS)
def _rules(contract: type[Contract], steps: tuple[str, ...]) -> tuple[TypeAdapter[str], ...]:
    """Return the rules of a text at a path, each alone; none where the path leads through a union."""
    kind: Any = contract
    metadata: tuple[Any, ...] = ()
    for step in steps:
        if not _is_contract(kind):
            return ()
        field = next((info for info in kind.model_fields.values() if info.alias == step), None)
        if field is None:
            return ()
        kind, metadata = _inner(field.annotation, tuple(field.metadata))
    if kind is not str:
        return ()
    return tuple(TypeAdapter(Annotated[str, rule], config=_STRIPPED) for rule in metadata)


def _inner(annotation: Any, metadata: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """Return the type inside of optionals and lists, with the rules for it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        kind, *rules = get_args(annotation)
        return _inner(kind, (*metadata, *rules))
    if origin in {Union, types.UnionType}:
        others = [argument for argument in get_args(annotation) if argument is not types.NoneType]
        return _inner(others[0], metadata) if len(others) == 1 else (None, ())
    if origin in {list, tuple}:
        return _inner(get_args(annotation)[0], ())
    return annotation, metadata


def _is_contract(kind: Any) -> TypeGuard[type[Contract]]:
    return isinstance(kind, type) and issubclass(kind, Contract)


def _broken(rule: TypeAdapter[str], value: str) -> str | None:
    try:
        rule.validate_python(value)
    except ValidationError as error:
        return message_of(error.errors(include_url=False)[0])
    return None
