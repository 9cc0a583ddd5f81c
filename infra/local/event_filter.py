"""Lambda's event filter patterns, as far as the template uses them; any other operator is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Matcher = Callable[[Any], bool]
_ABSENT = object()


class UnknownPattern(Exception):
    """A filter pattern that this implementation does not evaluate as Lambda would."""


class EventFilter:
    """The FilterCriteria of an event source: a record passes if any pattern matches, or if there are none."""

    def __init__(self, criteria: Mapping[str, Any] | None = None) -> None:
        patterns = [json.loads(entry["Pattern"]) for entry in (criteria or {}).get("Filters", [])]
        self._matchers = [_pattern(pattern, "$") for pattern in patterns]

    def passes(self, record: Mapping[str, Any]) -> bool:
        return not self._matchers or any(matches(record) for matches in self._matchers)


def _pattern(pattern: Any, path: str) -> Matcher:
    """Return the matcher of a pattern: all fields of an object must match, or any rule of a list."""
    if isinstance(pattern, list) and pattern:
        rules = [_rule(rule, path) for rule in pattern]
        return lambda value: any(matches(value) for matches in rules)
    if isinstance(pattern, dict) and pattern and not any(name.startswith("$") for name in pattern):
        fields = {name: _pattern(below, f"{path}.{name}") for name, below in pattern.items()}
        return lambda value: all(matches(_field(value, name)) for name, matches in fields.items())
    raise UnknownPattern(f"{path}: {json.dumps(pattern)} is not a pattern")


def _field(value: Any, name: str) -> Any:
    # All fields below an absent field are absent.
    return value.get(name, _ABSENT) if isinstance(value, dict) else _ABSENT


def _rule(rule: Any, path: str) -> Matcher:
    match rule:
        case str() | None:
            return lambda value: value == rule and type(value) is type(rule)
        case {"exists": bool(expected), **others} if not others:
            # Lambda looks at leaves alone: an object as a value does not exist.
            return lambda value: (value is not _ABSENT and not isinstance(value, dict)) is expected
        case {"prefix": str(start), **others} if not others:
            return lambda value: isinstance(value, str) and value.startswith(start)
    raise UnknownPattern(f"{path}: the rule {json.dumps(rule)} is not supported")
