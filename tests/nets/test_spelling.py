"""A value in another case than it is listed in is refused, wherever it is sent, with the one that was meant."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from chalicelib.action.openapi_schemas import Schemas
from chalicelib.action.registry import REGISTRY, Action
from tests.support.api import Answer
from tests.support.arrange import arrange, names, operation
from tests.support.factories import Organization

CODES = {"iso-4217": "EUR", "iso-3166": "DE"}


@cache
def _schemas() -> Schemas:
    return Schemas()


def _branches(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schema itself, resolved, and the alternatives in it."""
    schema = _schemas().resolve(schema)
    yield schema
    for key in ("anyOf", "oneOf", "allOf"):
        for branch in schema.get(key, ()):
            yield from _branches(branch)


def _members(schema: dict[str, Any]) -> list[str]:
    """Return the listed values of a schema which have a case."""
    members = []
    for branch in _branches(schema):
        listed = [*branch.get("enum", ()), *([branch["const"]] if "const" in branch else [])]
        listed += [CODES[branch["format"]]] if branch.get("format") in CODES else []
        members += [value for value in listed if isinstance(value, str) and value.swapcase() != value]
    return members


def _fields(action: Action) -> dict[str, tuple[list[str], bool]]:
    """Return the members of each field of the input that has a list of values, and whether it takes several."""
    if action.data_type is None:
        return {}
    fields: dict[str, tuple[list[str], bool]] = {}
    for name, schema in _schemas().resolve(_schemas().input(action)).get("properties", {}).items():
        items = [branch["items"] for branch in _branches(schema) if isinstance(branch.get("items"), dict)]
        if members := _members(schema):
            fields[name] = members, False
        elif items and (members := _members(items[0])):
            fields[name] = members, True
    return fields


def _in_path(action: Action) -> dict[str, list[str]]:
    rows = (row for row in operation(action)["parameters"] if row["in"] == "path")
    return {row["name"]: members for row in rows if (members := _members(row["schema"]))}


def _all_members(schema: Any, seen: set[int]) -> set[str]:
    """Return all listed values below a schema."""
    if isinstance(schema, list):
        return set().union(*(_all_members(part, seen) for part in schema))
    if not isinstance(schema, dict) or id(schema) in seen:
        return set()
    seen.add(id(schema))
    below = [schema.get(key) for key in ("properties", "items", "anyOf", "oneOf", "allOf", "prefixItems")]
    parts = [
        part
        for group in below
        for part in (group.values() if isinstance(group, dict) and group is schema.get("properties") else [group])
    ]
    resolved = _schemas().resolve(schema)
    own = set(_members(resolved)) | (_all_members(resolved, seen) if resolved is not schema else set())
    return own.union(*(_all_members(part, seen) for part in parts))


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(child, (*path, key))


def _with(value: Any, path: tuple[Any, ...], leaf: str) -> Any:
    changed = deepcopy(value)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = leaf
    return changed


def _hold(answer: Answer, member: str, where: str) -> None:
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), f"{where} takes {member.swapcase()}"
    messages = [text for texts in answer.error["details"]["fieldErrors"].values() for text in texts]
    assert any(f"did you mean {member}?" in text for text in messages), f"{where}: {messages}"


LISTED = names(lambda action: bool(_fields(action)) or bool(_in_path(action)))


def test_the_fields_are_found() -> None:
    assert len(LISTED) > 20
    assert set(_fields(REGISTRY["createProject"])) >= {"status", "budgetPeriod"}
    assert _fields(REGISTRY["updateOrganization"])["currency"] == (["EUR"], False)


@pytest.mark.parametrize("action", LISTED)
def test_a_value_in_another_case_is_refused_with_the_right_one(home: Organization, action: str) -> None:
    arranged, declared = arrange(action, home), REGISTRY[action]
    for name, (members, is_several) in _fields(declared).items():
        # Of long lists, the first and last.
        for member in dict.fromkeys((members[0], members[-1])):
            wrong = [member.swapcase()] if is_several and declared.takes_body else member.swapcase()
            part = {"body": {**(arranged.call.body or {}), name: wrong}}
            if not declared.takes_body:
                part = {"query": {**arranged.call.query, name: wrong}}
            _hold(replace(arranged, call=replace(arranged.call, **part)).send(), member, f"{action}: {name}")
    for name, members in _in_path(declared).items():
        path = {**arranged.call.path, name: members[0].swapcase()}
        _hold(replace(arranged, call=replace(arranged.call, path=path)).send(), members[0], f"{action}: {name}")


@pytest.mark.parametrize("action", names(lambda action: action.takes_body))
def test_so_is_one_deep_in_a_body(home: Organization, action: str) -> None:
    arranged = arrange(action, home)
    members = _all_members(_schemas().input(REGISTRY[action]), set())
    for path, leaf in _leaves(arranged.call.body):
        if leaf in members:
            body = _with(arranged.call.body, path, leaf.swapcase())
            _hold(replace(arranged, call=replace(arranged.call, body=body)).send(), leaf, f"{action}: {path}")
