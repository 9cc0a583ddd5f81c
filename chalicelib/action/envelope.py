"""The envelope of every response, and the one place where errors become it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from chalicelib.core.errors import HTTP_STATUS, ActionError, ErrorCode
from chalicelib.core.observability import log_error

_FILE_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*")


@dataclass
class Reply:
    """An HTTP response, independent of the server. `error` is its code for the log and the metrics."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    error: ErrorCode | None = None


@dataclass(frozen=True)
class Raw:
    """A result that is answered as it is, without envelope. Its media type is declared by `Annotated[Raw, …]`."""

    text: str
    media_type: str
    filename: str | None = None
    """The file name under which a browser saves an answer: ASCII letters, digits, dots, dashes and underscores."""

    def __post_init__(self) -> None:
        if self.filename is not None and not _FILE_NAME.fullmatch(self.filename):
            raise ValueError("a file name has ASCII letters, digits, dots, dashes and underscores")


def raw(result: Raw, status: int) -> Reply:
    is_text = result.media_type.startswith("text/")
    headers = {"Content-Type": f"{result.media_type}; charset=utf-8" if is_text else result.media_type}
    if result.filename is not None:
        headers["Content-Disposition"] = f'attachment; filename="{result.filename}"'
    return Reply(status, result.text, headers)


def success(data: Any, status: int) -> Reply:
    return Reply(status, to_json({"success": True, "data": data}).decode())


def failure(error: Exception, request_id: str) -> Reply:
    """Return the refusal of an error. Anything but an `ActionError` is a bug, of which the caller learns nothing."""
    if not isinstance(error, ActionError):
        log_error("unexpected error", error)
        error = ActionError(ErrorCode.INTERNAL_ERROR, "something went wrong on our side; it is logged")
    elif HTTP_STATUS[error.code] >= 500:
        log_error("request failed", error, error=error.code)
    reply = refusal(error.code, error.message, request_id, error.details)
    if error.retry_after_seconds is not None:
        reply.headers["Retry-After"] = str(error.retry_after_seconds)
    return reply


def refusal(code: ErrorCode, message: str, request_id: str, details: Any = None) -> Reply:
    error = {"code": code, "message": message, "requestId": request_id}
    if details is not None:
        error["details"] = details
    return Reply(HTTP_STATUS[code], to_json({"success": False, "error": error}).decode(), error=code)
