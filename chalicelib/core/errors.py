"""The errors a caller can get: codes, their HTTP statuses, and the exception that carries one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from chalicelib.core.entity_names import in_words


class ErrorCode(StrEnum):
    CONFLICT = "CONFLICT"
    DATABASE_ERROR = "DATABASE_ERROR"
    DUPLICATE_ENTRY = "DUPLICATE_ENTRY"
    FORBIDDEN = "FORBIDDEN"
    HAS_DEPENDENCIES = "HAS_DEPENDENCIES"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    INVALID_DATE_RANGE = "INVALID_DATE_RANGE"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_AUTHENTICATED = "NOT_AUTHENTICATED"
    NOT_FOUND = "NOT_FOUND"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    PRECONDITION_FAILED = "PRECONDITION_FAILED"
    RATE_LIMITED = "RATE_LIMITED"
    SESSION_EXPIRED = "SESSION_EXPIRED"
    VALIDATION_ERROR = "VALIDATION_ERROR"


HTTP_STATUS: Mapping[ErrorCode, int] = {
    ErrorCode.CONFLICT: 409,
    ErrorCode.DATABASE_ERROR: 503,
    ErrorCode.DUPLICATE_ENTRY: 409,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.HAS_DEPENDENCIES: 409,
    ErrorCode.IDEMPOTENCY_MISMATCH: 422,
    ErrorCode.INTERNAL_ERROR: 500,
    ErrorCode.INVALID_CREDENTIALS: 401,
    ErrorCode.INVALID_DATE_RANGE: 400,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.NOT_AUTHENTICATED: 401,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.PAYLOAD_TOO_LARGE: 413,
    ErrorCode.PRECONDITION_FAILED: 412,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.SESSION_EXPIRED: 401,
    ErrorCode.VALIDATION_ERROR: 400,
}


MAX_MESSAGES = 100
"""In `details.fieldErrors`; the rest is counted."""
MAX_PATH = 200
"""Characters of a field path: unknown fields have names of any length."""


class ActionError(Exception):
    """Refuses an action. `message` and `details` go to the caller as they are: no secrets, no internals."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.retry_after_seconds = retry_after_seconds


def invalid_fields(
    errors: Mapping[str, list[str]],
    code: ErrorCode = ErrorCode.VALIDATION_ERROR,
    *,
    pointers: Mapping[str, str] | None = None,
    omitted: int = 0,
) -> ActionError:
    """A refusal that names the faulty fields by their dotted paths; the message names the first.

    `pointers`: JSON pointers of errors deep in the body, by their dotted path.
    `omitted`: messages beyond those in `errors`. Of more than `MAX_MESSAGES` the rest is only counted.
    """
    shown: dict[str, list[str]] = {}
    room = MAX_MESSAGES
    for field, messages in errors.items():
        if room:
            shown.setdefault(_shortened(field), []).extend(messages[:room])
        omitted += max(len(messages) - room, 0)
        room = max(room - len(messages), 0)
    details: dict[str, Any] = {"fieldErrors": shown}
    if pointers:
        details["pointers"] = {
            _shortened(field): _shortened(pointer) for field, pointer in pointers.items() if _shortened(field) in shown
        }
    if omitted:
        details["omittedErrors"] = omitted
    field, messages = next(iter(shown.items()))
    return ActionError(code, f"{field}: {messages[0]}", details=details)


def _shortened(path: str) -> str:
    return path if len(path) <= MAX_PATH else f"{path[: MAX_PATH - 1]}…"


def require_order(fields: tuple[str, str], start: Any, end: Any, *, inclusive: bool = False) -> None:
    """Refuse an `end` that is not after `start`, or equal if `inclusive`: INVALID_DATE_RANGE. None is no bound."""
    if start is None or end is None or start < end or (inclusive and start == end):
        return
    earlier, later = fields
    rule = "must not be before" if inclusive else "must be after"
    raise invalid_fields({later: [f"{rule} {earlier}"]}, ErrorCode.INVALID_DATE_RANGE)


def invalid_field(field: str, message: str) -> ActionError:
    return invalid_fields({field: [message]})


def duplicate_entry(field: str, message: str) -> ActionError:
    return invalid_fields({field: [message]}, ErrorCode.DUPLICATE_ENTRY)


def not_found(entity: str) -> ActionError:
    """One answer for absent, deleted and another organization's."""
    return ActionError(ErrorCode.NOT_FOUND, f"no such {in_words(entity)}")


def forbidden(message: str) -> ActionError:
    return ActionError(ErrorCode.FORBIDDEN, message)


def invalid_state(message: str) -> ActionError:
    """The entity's state does not allow the operation."""
    return ActionError(ErrorCode.VALIDATION_ERROR, message)


def conflict() -> ActionError:
    return ActionError(ErrorCode.CONFLICT, "changed by others at the same time; read it again and retry")


def database_error() -> ActionError:
    return ActionError(
        ErrorCode.DATABASE_ERROR,
        "the store did not answer; retry with the same Idempotency-Key",
        retry_after_seconds=1,
    )
