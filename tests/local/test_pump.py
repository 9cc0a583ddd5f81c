"""The pump calls functions as Lambda does: order, partial failures, bounded retries, dead letters."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.local.engine import Engine, running
from infra.local.positions import PositionsDamaged
from infra.local.pump import Pump
from infra.local.queue import Worker
from infra.local.stack import Stack, build
from infra.local.stream import Consumer
from infra.local.template import stream_source

Event = dict[str, Any]

BATCH, RETRIES, *_ = stream_source("consume_stream")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with running() as engine:
        yield engine


@pytest.fixture
def stack(engine: Engine) -> Stack:
    return build(engine, f"workledger-{uuid4()}")


class Recorder:
    """A function of the app that records its batches and reports the failures of a test."""

    def __init__(self, answer: Callable[[list[str]], Any] = lambda bodies: None) -> None:
        self.batches: list[list[str]] = []
        self.events: list[Event] = []
        self._answer = answer

    def __call__(self, event: Event, context: Any) -> Any:
        assert context.get_remaining_time_in_millis() > 0
        self.events.append(event)
        bodies = [_body(record) for record in event["Records"]]
        self.batches.append(bodies)
        failed = self._answer(bodies)
        if failed is None:
            return {"batchItemFailures": []}
        ids = {_body(record): _id(record) for record in event["Records"]}
        return {"batchItemFailures": [{"itemIdentifier": ids.get(body, body)} for body in failed]}


def _body(record: Event) -> str:
    body: str = record["body"] if "body" in record else record["dynamodb"]["Keys"]["sk"]["S"]
    return body


def _id(record: Event) -> str:
    number: str = record["messageId"] if "body" in record else record["dynamodb"]["SequenceNumber"]
    return number


def _pump(
    stack: Stack, consumer: Any = None, worker: Any = None, other: Any = None, dispatcher: Any = None, **options: Any
) -> Pump:
    return Pump(
        stack.engine,
        stack.table,
        consumers=[
            Consumer("consume_stream", consumer or Recorder()),
            Consumer("dispatch_stream", dispatcher or Recorder()),
        ],
        workers=[
            Worker("deliver_mail", stack.mail_queue_url, worker or Recorder()),
            Worker("recalculate_metrics", stack.metrics_queue_url, other or Recorder()),
        ],
        **options,
    )


def _write(stack: Stack, *names: str) -> None:
    client = stack.engine.client("dynamodb")
    for name in names:
        item = {"pk": {"S": "p"}, "sk": {"S": name}, "bytes": {"B": b"\x00\xff"}, "map": {"M": {"n": {"N": "1.5"}}}}
        client.put_item(TableName=stack.table, Item=item)


def _send(stack: Stack, *bodies: str) -> None:
    client = stack.engine.client("sqs")
    for body in bodies:
        client.send_message(QueueUrl=stack.mail_queue_url, MessageBody=body)


def test_the_consumer_gets_all_writes_once_and_in_order(stack: Stack) -> None:
    consumer = Recorder()
    pump = _pump(stack, consumer)
    _write(stack, "a", "b", "c")
    assert pump.pump_once() == 3
    assert pump.pump_once() == 0
    assert consumer.batches == [["a", "b", "c"]]


def test_a_stream_event_has_lambdas_form(stack: Stack) -> None:
    consumer = Recorder()
    _write(stack, "a")
    _pump(stack, consumer).pump_once()
    record = consumer.events[0]["Records"][0]
    assert record["eventName"] == "INSERT"
    assert record["eventSourceARN"].rpartition("/stream/")[0].endswith(f"table/{stack.table}")
    assert record["dynamodb"]["NewImage"]["bytes"] == {"B": "AP8="}
    assert record["dynamodb"]["NewImage"]["map"] == {"M": {"n": {"N": "1.5"}}}
    assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], int | float)


def test_a_partial_failure_is_retried_from_the_lowest_failed_record(stack: Stack) -> None:
    failures = iter([["d", "b"], None])
    consumer = Recorder(lambda bodies: next(failures))
    _write(stack, "a", "b", "c", "d")
    _pump(stack, consumer).pump_once()
    assert consumer.batches == [["a", "b", "c", "d"], ["b", "c", "d"]]


def test_a_record_that_keeps_failing_becomes_a_dead_letter_and_blocks_no_other(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    consumer = Recorder(lambda bodies: ["b"] if "b" in bodies else None)
    pump = _pump(stack, consumer)
    _write(stack, "a", "b", "c")
    pump.pump_once()
    assert consumer.batches == [["a", "b", "c"], *[["b", "c"]] * (1 + RETRIES), ["c"]]
    assert [_body(record) for record in pump.streams[0].dead] == ["b"]
    assert "DEAD LETTER" in caplog.text


def test_a_raised_error_is_bisected_down_to_the_record_that_causes_it(stack: Stack) -> None:
    def poisoned(bodies: list[str]) -> None:
        if "c" in bodies:
            raise ValueError("poison")

    consumer = Recorder(poisoned)
    pump = _pump(stack, consumer)
    _write(stack, "a", "b", "c", "d")
    pump.pump_once()
    assert consumer.batches == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], *[["c"]] * (1 + RETRIES), ["d"]]
    assert [_body(record) for record in pump.streams[0].dead] == ["c"]


def test_a_failure_report_of_foreign_records_fails_the_whole_batch(stack: Stack) -> None:
    answers = iter([["no such number"], None])
    consumer = Recorder(lambda bodies: next(answers))
    _write(stack, "a")
    _pump(stack, consumer).pump_once()
    assert consumer.batches == [["a"], ["a"]]


def test_only_delivered_messages_leave_the_queue(stack: Stack) -> None:
    failures = iter([["two"], None])
    worker = Recorder(lambda bodies: next(failures))
    pump = _pump(stack, worker=worker)
    _send(stack, "one", "two", "three")
    pump.pump_once()
    assert [set(batch) for batch in worker.batches] == [{"one", "two", "three"}, {"two"}]
    assert worker.events[1]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"
    assert _messages(stack) == {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"}


def _messages(stack: Stack) -> dict[str, str]:
    """Return the number of messages in the mail queue: those to be received, and those that were and may return."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    sqs = stack.engine.client("sqs")
    answer = sqs.get_queue_attributes(QueueUrl=stack.mail_queue_url, AttributeNames=names)
    attributes: dict[str, str] = answer["Attributes"]
    return attributes


def test_a_message_that_keeps_failing_goes_to_the_dead_letter_queue(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    pump = _pump(stack, worker=Recorder(lambda bodies: ["bad"] if "bad" in bodies else None))
    _send(stack, "bad", "good")
    pump.pump_once()
    assert [_body(record) for record in pump.queues[0].dead] == ["bad"]
    assert "DEAD LETTER" in caplog.text
    sqs = stack.engine.client("sqs")
    dead_letters = sqs.get_queue_url(QueueName=f"{stack.table}-mail-dead-letters")["QueueUrl"]
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=dead_letters)["Messages"]] == ["bad"]


def test_each_queue_has_its_worker(stack: Stack) -> None:
    mails, metrics = Recorder(), Recorder()
    pump = _pump(stack, worker=mails, other=metrics)
    _send(stack, "mail")
    stack.engine.client("sqs").send_message(QueueUrl=stack.metrics_queue_url, MessageBody="metric")
    assert pump.pump_once() == 2
    assert (mails.batches, metrics.batches) == ([["mail"]], [["metric"]])


def test_messages_of_the_consumer_are_delivered_in_the_same_call(stack: Stack) -> None:
    worker = Recorder()

    def enqueue(event: Event, context: Any) -> None:
        _send(stack, *(_body(record) for record in event["Records"]))

    pump = _pump(stack, enqueue, worker)
    _write(stack, "mail")
    pump.pump_once()
    assert worker.batches == [["mail"]]


def test_the_next_run_continues_after_the_last_position(stack: Stack, tmp_path: Path) -> None:
    checkpoint = tmp_path / "position.json"
    _write(stack, "before")
    _pump(stack, checkpoint=checkpoint).pump_once()
    _write(stack, "after")
    consumer = Recorder()
    _pump(stack, consumer, checkpoint=checkpoint).pump_once()
    assert consumer.batches == [["after"]]


def test_the_position_is_saved_after_each_batch_and_not_only_at_the_end(stack: Stack, tmp_path: Path) -> None:
    checkpoint = tmp_path / "position.json"
    last = f"{BATCH + 50:04}"
    first, second = Recorder(_dies_at(last)), Recorder()
    _write(stack, *(f"{number:04}" for number in range(BATCH + 51)))
    # The queue's worker fails for ever, which must not delay the position.
    _send(stack, "mail")
    with pytest.raises(_Died):
        _pump(stack, first, Recorder(lambda bodies: bodies), checkpoint=checkpoint).pump_once()
    _pump(stack, second, checkpoint=checkpoint).pump_once()
    assert second.batches == [[f"{number:04}" for number in range(BATCH, BATCH + 51)]]


class _Died(BaseException):
    """The process was killed."""


def _dies_at(body: str) -> Callable[[list[str]], None]:
    def answer(bodies: list[str]) -> None:
        if body in bodies:
            raise _Died

    return answer


def test_a_position_in_another_stream_is_not_used(stack: Stack, engine: Engine, tmp_path: Path) -> None:
    checkpoint = tmp_path / "position.json"
    _write(stack, "a")
    _pump(stack, checkpoint=checkpoint).pump_once()
    other, consumer = build(engine, f"workledger-{uuid4()}"), Recorder()
    _write(other, "b")
    _pump(other, consumer, checkpoint=checkpoint).pump_once()
    assert consumer.batches == [["b"]]


def test_the_thread_pumps_and_runs_schedules(stack: Stack) -> None:
    runs: list[Event] = []
    consumer = Recorder()
    pump = _pump(
        stack,
        consumer,
        schedules={"sweep_outbox": lambda event, context: runs.append(event)},
        schedule_every_seconds=0.05,
        poll_every_seconds=0.01,
    )
    pump.start()
    _write(stack, "a")
    while len(runs) < 3 or not consumer.batches:
        time.sleep(0.01)
    pump.stop()
    assert consumer.batches == [["a"]]
    assert runs[0]["detail-type"] == "Scheduled Event"


def test_a_write_wakes_the_consumers_and_they_wake_the_workers(stack: Stack) -> None:
    """Given threads that poll once an hour, then a write is delivered at once, and so is the message it leads to."""
    received: queue.Queue[list[str]] = queue.Queue()
    pump = _pump(
        stack,
        Recorder(lambda names: _send(stack, *names)),
        Recorder(received.put),
        schedule_every_seconds=3600,
        poll_every_seconds=3600,
    )
    pump.start()
    for name in ("a", "b"):
        _write(stack, name)
        pump.wake()
        assert received.get(timeout=120) == [name]
        # Until all threads wait again: they look once more after a delivery.
        time.sleep(0.5)
    pump.stop()


def test_a_stop_ends_after_the_running_batch_and_the_next_run_continues(stack: Stack, tmp_path: Path) -> None:
    checkpoint = tmp_path / "position.json"
    begun, stopped = threading.Event(), threading.Event()

    def hold(bodies: list[str]) -> None:
        begun.set()
        stopped.wait()

    first, second = Recorder(hold), Recorder()
    pump = _pump(stack, first, checkpoint=checkpoint)
    written = [f"{number:04}" for number in range(BATCH + 50)]
    _write(stack, *written)
    pump.start()
    begun.wait()
    stopping = threading.Thread(target=pump.stop)
    stopping.start()
    while not pump.streams[0]._is_ending():
        time.sleep(0.01)
    stopped.set()
    stopping.join()
    assert [len(batch) for batch in first.batches] == [BATCH]
    _pump(stack, second, checkpoint=checkpoint).pump_once()
    assert [body for batch in [*first.batches, *second.batches] for body in batch] == written


def _write_mail(stack: Stack, name: str) -> None:
    mail = {"pk": {"S": "p"}, "sk": {"S": name}, "gsi2pk": {"S": "MAIL#UNSENT"}, "derived": {"N": "1"}}
    stack.engine.client("dynamodb").put_item(TableName=stack.table, Item=mail)


def test_each_consumer_gets_the_records_that_its_filter_passes(stack: Stack) -> None:
    consumer, dispatcher = Recorder(), Recorder()
    _write(stack, "a")
    _write_mail(stack, "mail")
    stack.engine.client("dynamodb").put_item(
        TableName=stack.table, Item={"pk": {"S": "p"}, "sk": {"S": "bucket"}, "derived": {"N": "1"}}
    )
    _write(stack, "b")
    assert _pump(stack, consumer, dispatcher=dispatcher).pump_once() == 3
    assert (consumer.batches, dispatcher.batches) == ([["a", "b"]], [["mail"]])


def test_filtered_records_are_not_read_again(stack: Stack, tmp_path: Path) -> None:
    checkpoint = tmp_path / "position.json"
    _write_mail(stack, "mail")
    _write(stack, "a")
    _pump(stack, checkpoint=checkpoint).pump_once()
    positions = json.loads(checkpoint.read_text())["positions"]
    assert positions["consume_stream"] == positions["dispatch_stream"] != {}


def test_mail_waits_neither_for_another_consumer_nor_for_a_worker(stack: Stack) -> None:
    ended, mailed = threading.Event(), threading.Event()

    def hold(bodies: list[str]) -> None:
        ended.wait()

    dispatcher = Recorder(lambda bodies: mailed.set())
    pump = _pump(stack, Recorder(hold), Recorder(hold), dispatcher=dispatcher, poll_every_seconds=0.01)
    _write(stack, "a")
    _send(stack, "message")
    pump.start()
    _write_mail(stack, "mail")
    mailed.wait()
    ended.set()
    pump.stop()
    assert dispatcher.batches == [["mail"]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"stream": "arn',
        "[]",
        '{"stream": "arn"}',
        '{"stream": "arn", "positions": {"consume_stream": "7"}}',
        '{"stream": "arn", "positions": {"consume_stream": {"shard": "x"}}}',
    ],
)
def test_a_damaged_position_is_refused_and_not_changed(stack: Stack, tmp_path: Path, text: str) -> None:
    checkpoint = tmp_path / "position.json"
    checkpoint.write_text(text)
    with pytest.raises(PositionsDamaged, match=r"position\.json"):
        _pump(stack, checkpoint=checkpoint)
    assert checkpoint.read_text() == text
