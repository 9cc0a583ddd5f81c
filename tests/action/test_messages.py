"""Messages of refused input, over the fields of all actions: one voice, and every rule that a text breaks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.action.context import Request
from chalicelib.action.registry import REGISTRY, Action
from chalicelib.action.validation import arguments_of
from chalicelib.core import messages
from chalicelib.core.errors import ActionError
from tests.support.arrange import names

pytestmark = pytest.mark.storeless

VALUES: list[Any] = [None, True, -1e30, 0.5, "", "x", "\x00" * 70_000, "\u200b", [], [[]], {}, {"x": 1}]
VOICE = re.compile(r"(must|is|does|has|cannot|name|may)\b|[a-zA-Z]+ (and|do|goes|needs)\b")
"""A fragment that goes on after the field's name; or a rule between two fields, which it names itself."""
NOT_OURS = re.compile(r"\b(Input|should|[Vv]alidation|Value|String|List|Dictionary|Tuple|pydantic)\b|error_")


def _request(path: dict[str, str], query: dict[str, Any], body: Any) -> Request:
    texts = {name: [str(value)] for name, value in query.items()}
    return Request("r", "198.51.100.1", "/", path, texts, {}, b"" if body is None else json.dumps(body).encode())


def _messages(action: Action, request: Request) -> Iterator[tuple[str, str]]:
    try:
        arguments_of(action, request)
    except ActionError as error:
        for field, texts in (error.details or {}).get("fieldErrors", {}).items():
            yield from ((field, text) for text in texts)


@pytest.mark.parametrize("action", names(lambda action: True))
def test_messages_speak_with_one_voice(action: str) -> None:
    declared = REGISTRY[action]
    faulty_path = dict.fromkeys(declared.parameters, "\u200b")
    requests = [_request(faulty_path, {}, None), _request(faulty_path, {}, []), _request(faulty_path, {}, {"x": 1})]
    for info in [] if declared.data_type is None else declared.data_type.model_fields.values():
        for value in VALUES:
            given = {str(info.alias): value}
            requests.append(_request({}, {}, given) if declared.takes_body else _request({}, given, None))

    answered = {message for request in requests for message in _messages(declared, request)}

    faulty = {(field, text) for field, text in answered if NOT_OURS.search(text) or not VOICE.match(text)}
    assert not faulty


@pytest.mark.parametrize(
    ("action", "body", "expected"),
    [
        (
            "createClient",
            {"name": "x\x00" * 200, "phone": "a" * 60},
            {
                "name": ["must not have control characters", "must be at most 255 characters"],
                "phone": [
                    "must be at most 40 characters",
                    "must have 3 digits or more, and else only spaces, dashes, parentheses and a leading +",
                ],
            },
        ),
        (
            "updatePreferences",
            {"theme": "dark", "timezone": "Mars/" + "x" * 80},
            {
                "theme": ["must be LIGHT, DARK or SYSTEM; did you mean DARK?"],
                "timezone": ["must be at most 64 characters", "is not an IANA time zone"],
            },
        ),
        (
            "createTimeSession",
            {"startAt": "2026-03-01T08:00:00Z", "endAt": "2026-03-01T09:00:00Z", "tags": ["\u200b" * 60]},
            {"tags.0": ["must have a visible character", "must be at most 50 characters"]},
        ),
        ("createClient", {"name": " ", "x": "\x00"}, {"name": ["must not be empty"], "x": [messages.UNKNOWN_FIELD]}),
        (
            "updatePreferences",
            {"locale": "german"},
            {"locale": ["must be a language, with a script and a region at most, such as de-DE"]},
        ),
    ],
)
def test_every_rule_that_a_text_breaks_is_in_the_answer(
    action: str, body: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    with pytest.raises(ActionError) as raised:
        arguments_of(REGISTRY[action], _request({}, {}, body))
    assert (raised.value.details or {})["fieldErrors"] == expected
