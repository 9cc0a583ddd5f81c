"""JSON objects that no contract describes: whatever is in them, their size is bounded and JSON can carry it."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

JsonObject = dict[Annotated[str, StringConstraints(strip_whitespace=False)], Any]
"""With its names as they are: trimmed, two of them could become one."""


def bounded(maximum: int) -> AfterValidator:
    """For a `JsonObject` that takes so many bytes as JSON text."""

    def check(value: dict[str, Any]) -> dict[str, Any]:
        try:
            size = len(json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode())
        except ValueError:  # a number beyond floats, or half of a surrogate pair
            raise PydanticCustomError("json", "holds a number or a text that JSON cannot carry") from None
        if size > maximum:
            raise PydanticCustomError("json_size", "may take {maximum} bytes as JSON text", {"maximum": maximum})
        return value

    return AfterValidator(check)
