"""Deceptive names: refused in every one-line field, and harmless if they are already stored."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from chalicelib.action.registry import REGISTRY
from chalicelib.core.field_types import Line
from tests.support.arrange import arrange, operation
from tests.support.factories import Organization
from tests.support.store import Store

DECEPTIVE = {"nothing to see": "\u3164\u200b", "turned": "An\u202ena", "hidden": "An\u200bna", "broken": "An\u2028na"}
NAMES = {"color", "dataSource", "firstName", "icon", "lastName", "name", "title", "unit"}
"""Stored one-line fields."""

_LINE = TypeAdapter(Line).json_schema()["pattern"]


def _fields(action: str) -> list[str]:
    """Return the one-line fields of an action's body."""
    data_type = REGISTRY[action].data_type
    if data_type is None or not REGISTRY[action].takes_body:
        return []
    properties = data_type.model_json_schema()["properties"]
    return [name for name, schema in properties.items() if _LINE in {part.get("pattern") for part in _parts(schema)}]


def _parts(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema, *schema.get("anyOf", [])]


FIELDS = [(action, field) for action in REGISTRY for field in _fields(action)]


def test_the_net_finds_the_fields() -> None:
    assert {("createClient", "name"), ("inviteUser", "lastName"), ("signUp", "organizationName")} <= {*FIELDS}
    assert len(FIELDS) > 40


@pytest.mark.parametrize(("action", "field"), FIELDS)
def test_a_deceptive_name_is_refused_on_its_field(home: Organization, action: str, field: str) -> None:
    example = operation(REGISTRY[action])["requestBody"]["content"]["application/json"]["example"]
    path = dict.fromkeys(REGISTRY[action].parameters, "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091")
    for kind, text in DECEPTIVE.items():
        answer = home.owner.call(action, path=path, body={**example, field: text})
        assert answer.code == "VALIDATION_ERROR", kind
        assert set(answer.error["details"]["fieldErrors"]) == {field}, kind


@pytest.mark.parametrize("action", [*REGISTRY])
def test_a_stored_deceptive_name_breaks_no_request(home: Organization, store: Store, action: str) -> None:
    arranged = arrange(action, home)
    store.put(
        [
            _with_deceptive_names(item)
            for item in store.items().values()
            if item["pk"]["S"].startswith(f"ORG#{home.id}#")
        ]
    )

    answer = arranged.send("a key")

    assert answer.status == arranged.action.status, answer.text


def _with_deceptive_names(value: Any) -> Any:
    """Make every name in an item deceptive."""
    if not isinstance(value, dict):
        return value
    return {
        name: {"S": f"\u202e\u200b{part['S']}\u2028"} if name in NAMES and "S" in part else _with_deceptive_names(part)
        for name, part in value.items()
    }
