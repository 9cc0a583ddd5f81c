"""Every code has its status, and no other than the contract's."""

from __future__ import annotations

from chalicelib.core.errors import HTTP_STATUS, ErrorCode

STATUSES = {
    "NOT_AUTHENTICATED": 401,
    "INVALID_CREDENTIALS": 401,
    "SESSION_EXPIRED": 401,
    "FORBIDDEN": 403,
    "VALIDATION_ERROR": 400,
    "INVALID_DATE_RANGE": 400,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "DUPLICATE_ENTRY": 409,
    "HAS_DEPENDENCIES": 409,
    "CONFLICT": 409,
    "PRECONDITION_FAILED": 412,
    "IDEMPOTENCY_MISMATCH": 422,
    "PAYLOAD_TOO_LARGE": 413,
    "RATE_LIMITED": 429,
    "DATABASE_ERROR": 503,
    "INTERNAL_ERROR": 500,
}


def test_codes_and_statuses_are_the_contracts() -> None:
    assert {str(code): status for code, status in HTTP_STATUS.items()} == STATUSES
    assert set(HTTP_STATUS) == set(ErrorCode)
