"""Another valid input for the same action."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from pydantic import ValidationError

from chalicelib.action.registry import Action
from chalicelib.core.contracts import Contract
from tests.support.arrange import Arranged


def other_input(arranged: Arranged) -> Arranged | None:
    """Return the request with another input; None for an action whose input cannot differ."""
    path = next(iter(_other_paths(arranged)), None)
    if path is not None:
        return replace(arranged, call=replace(arranged.call, path=path))
    body = next(_other_bodies(arranged), None)
    return None if body is None else replace(arranged, call=replace(arranged.call, body=body))


def _other_paths(arranged: Arranged) -> Iterator[dict[str, str]]:
    others = arranged.with_other_ids().call.path
    for name, value in arranged.call.path.items():
        if name == "effectiveFrom":
            yield {**arranged.call.path, name: str(date.fromisoformat(value) + timedelta(days=1000))}
        elif others[name] != value:
            yield {**arranged.call.path, name: others[name]}


def _other_bodies(arranged: Arranged) -> Iterator[dict[str, Any]]:
    """Yield valid bodies with one field changed or left out."""
    action, body = arranged.action, arranged.call.body
    if not isinstance(body, dict):
        return
    for name, value in body.items():
        if action.is_public and name == "email":
            continue  # idempotency keys belong to the address: another address has its own
        for other in _others(action, name, value):
            changed = {**body, name: other}
            if _is_valid(action, changed):
                yield changed
        shorter = {field: other for field, other in body.items() if field != name}
        if _is_valid(action, shorter):
            yield shorter


def _others(action: Action, name: str, value: Any) -> Iterator[Any]:
    contract = action.data_type
    field = next((known for known in contract.model_fields.values() if known.alias == name), None) if contract else None
    yield from getattr(field.annotation, "__members__", {}).values() if field else ()
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, str):
        yield value + "x"


def _is_valid(action: Action, body: dict[str, Any]) -> bool:
    contract: type[Contract] | None = action.data_type
    assert contract is not None
    try:
        contract.model_validate_json(json.dumps(body))
    except ValidationError:
        return False
    return True
