"""Errors in the log: classes, AWS codes and stack, never a message."""

from __future__ import annotations

from botocore.exceptions import ClientError
from pynamodb.exceptions import TransactWriteError

from chalicelib.core.errors import database_error
from chalicelib.core.observability import described

SECRET = "anna@example.com"


def _raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause  # noqa: TRY301  for its traceback
    except BaseException as caught:  # noqa: BLE001  handed to the test
        return caught


def test_an_error_is_described_by_its_causes_and_their_codes() -> None:
    answer = {
        "Error": {"Code": "TransactionCanceledException", "Message": SECRET},
        "CancellationReasons": [
            {"Code": "None"},
            {"Code": "ThrottlingError", "Message": SECRET},
            {"Code": "ThrottlingError", "Item": {"email": {"S": SECRET}}},
        ],
    }
    refusal = TransactWriteError(SECRET, ClientError(answer, "TransactWriteItems"))
    error = described(_raised(database_error(), refusal))
    assert error["exception_name"] == "ActionError"
    assert error["causes"] == ["TransactWriteError", "ClientError"]
    assert error["aws_codes"] == ["TransactionCanceledException", "ThrottlingError"]
    assert error["stack"][0].endswith(" _raised")
    assert SECRET not in str(error)


def test_every_error_of_a_group_is_described() -> None:
    group = ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)])
    error = described(_raised(group))
    assert (error["exception_name"], error["causes"]) == ("ExceptionGroup", ["ValueError", "KeyError"])
    assert SECRET not in str(error)


def test_a_chain_of_any_length_and_a_circle_end() -> None:
    error: BaseException = ValueError()
    for _ in range(500):
        error = _raised(ValueError(), error)
    circle = ValueError()
    circle.__context__ = other = ValueError()
    other.__context__ = circle
    assert len(described(error)["causes"]) < 20
    assert described(circle)["causes"] == ["ValueError"]
