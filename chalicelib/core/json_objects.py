"""JSON objects without a contract: any content, of a bounded size, that JSON can carry."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

JsonObject = Annotated[dict[Annotated[str, StringConstraints(strip_whitespace=False)], Any], Field(max_length=1_000)]
"""A JSON object with its names as they are: trimmed, two of them could become one."""


def bounded(maximum: int) -> AfterValidator:
    """Bound of a `JsonObject`, in bytes as JSON text."""
    return AfterValidator(_size_check(maximum))


def bounded_text(maximum: int) -> BeforeValidator:
    """Bound of an object that has a contract and may still be of any size, in bytes as JSON text."""
    return BeforeValidator(_size_check(maximum))


def _size_check(maximum: int) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        try:
            size = len(json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode())
        except ValueError:  # a number beyond floats, or half of a surrogate pair
            raise PydanticCustomError("json", "holds a number or a text that JSON cannot carry") from None
        if size > maximum:
            raise PydanticCustomError("json_size", "must be at most {maximum} bytes as JSON text", {"maximum": maximum})
        return value

    return check
