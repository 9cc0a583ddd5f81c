"""Failed requests to DynamoDB, and the errors that they become."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pynamodb.exceptions import PynamoDBException

from chalicelib.core.errors import database_error

_BUGS = frozenset({"AccessDeniedException", "ResourceNotFoundException", "ValidationException"})
_ANSWERS = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})


@contextlib.contextmanager
def store_errors() -> Iterator[None]:
    """Raise failures of the store as DATABASE_ERROR; failed conditions, and requests that are bugs of ours, pass."""
    try:
        yield
    except PynamoDBException as error:
        if error.cause is None or code_of(error) in _BUGS | _ANSWERS:
            raise
        raise database_error() from error


def code_of(error: PynamoDBException) -> str | None:
    """PynamoDB's own property breaks on a time-out, whose `response` is there and None."""
    response = getattr(error.cause, "response", None) or {}
    code: str | None = response.get("Error", {}).get("Code")
    return code
