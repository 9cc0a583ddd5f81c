"""The product: with caller, permission, validation, idempotency, guard of the name, audit entry and stream."""

from __future__ import annotations

from typing import Any

from app import app


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    answer: dict[str, Any] = app(event, context)
    return answer
