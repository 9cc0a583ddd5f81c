"""The stream's handlers: each gets every change, and a failing one blocks no other."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.dal.keys import Key
from chalicelib.jobs import stream
from chalicelib.jobs.changes import Change, Kind
from chalicelib.jobs.deadline import MARGIN_MILLISECONDS
from infra.local.lambda_events import invoke


def _record(number: int, event: str, **images: Any) -> dict[str, Any]:
    keys = {"pk": {"S": "ORG#1#SHELF"}, "sk": {"S": f"{number}"}}
    change = {"Keys": keys, "SequenceNumber": str(number), "StreamViewType": "NEW_AND_OLD_IMAGES", **images}
    return {"eventID": str(number), "eventName": event, "eventSource": "aws:dynamodb", "dynamodb": change}


def test_changes_are_read_from_stream_records() -> None:
    old, new = {"version": {"N": "1"}}, {"version": {"N": "2"}}
    key = Key("ORG#1#SHELF", "7")
    assert Change.of(_record(7, "INSERT", NewImage=new)) == (Kind.INSERT, key, {}, new)
    assert Change.of(_record(7, "MODIFY", OldImage=old, NewImage=new)) == (Kind.MODIFY, key, old, new)
    assert Change.of(_record(7, "REMOVE", OldImage=old)) == (Kind.REMOVE, key, old, {})


def test_a_failing_handler_blocks_no_other(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    # Given three handlers, the second of which fails on one change
    seen: list[tuple[str, str]] = []

    def first(change: Change) -> None:
        seen.append(("first", change.key.sk))

    def failing(change: Change) -> None:
        if change.key.sk == "2":
            raise ValueError("poison")

    def last(change: Change) -> None:
        seen.append(("last", change.key.sk))

    monkeypatch.setattr(stream, "_HANDLERS", [stream.one_by_one(handle) for handle in (first, failing, last)])
    # When they get three changes
    answer = invoke(stream.consume, "consume_stream", {"Records": [_record(number, "INSERT") for number in (1, 2, 3)]})
    # Then that one is delivered again, and the others have seen them all
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert seen == [(name, number) for name in ("first", "last") for number in "123"]
    (failure,) = (record for record in caplog.records if record.levelname == "ERROR")
    assert failure.getMessage() == "change not carried on"
    assert failure.exception_name == "ValueError"
    assert "poison" not in str(vars(failure))


def test_an_unreadable_record_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(stream, "_HANDLERS", [stream.one_by_one(lambda change: seen.append(change.key.sk))])
    records = [_record(number, "INSERT") for number in (1, 2, 3)]
    records[1]["eventName"] = "UPSERT"
    answer = invoke(stream.consume, "consume_stream", {"Records": records})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert seen == ["1", "3"]


def test_without_time_records_are_delivered_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Context:
        left = MARGIN_MILLISECONDS + 1

        def get_remaining_time_in_millis(self) -> int:
            self.left -= 1
            return self.left

    seen: list[str] = []
    monkeypatch.setattr(stream, "_HANDLERS", [stream.one_by_one(lambda change: seen.append(change.key.sk))])
    answer = stream.consume({"Records": [_record(number, "INSERT") for number in (1, 2, 3)]}, Context())
    assert seen == ["1"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}, {"itemIdentifier": "3"}]}
    assert "out of time" in caplog.text
