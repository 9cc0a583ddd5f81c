"""Objects of any JSON: limited to the byte, and of JSON values only."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from chalicelib.core.json_objects import bounded

_TEN_BYTES = TypeAdapter(Annotated[dict[str, Any], bounded(10)])


@pytest.mark.parametrize("value", [{}, {"a": "xx"}, {"a": [12]}, {"a": "ü"}])
def test_what_fits_is_taken_as_it_is(value: dict[str, Any]) -> None:
    assert _TEN_BYTES.validate_python(value) == value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": "xxx"}, "must be at most 10 bytes as JSON text"),
        ({"a": "üx"}, "must be at most 10 bytes as JSON text"),
        ({"a": float("inf")}, "holds a number or a text that JSON cannot carry"),
        ({"a": [float("nan")]}, "holds a number or a text that JSON cannot carry"),
        ({"a": "\ud800"}, "holds a number or a text that JSON cannot carry"),
    ],
)
def test_what_does_not_is_refused(value: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        _TEN_BYTES.validate_python(value)
