"""The pump: drives the stream's consumers, the queues' workers and the schedules, as Lambda does in AWS.

Each has threads of its own, so that none waits for another's backlog.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from infra.local.engine import Engine
from infra.local.lambda_events import Handler, invoke, scheduled_event
from infra.local.positions import Positions
from infra.local.queue import Queue, Worker
from infra.local.stream import Consumer, Stream

log = logging.getLogger("workledger.local.pump")

_LONGEST_PAUSE_SECONDS = 2.0
_ROUNDS_AT_ONCE = 1000


class PumpStopped(Exception):
    """The pump was stopped while it waited for a retry. Nothing is lost: the position is before the failure."""


class NeverQuiet(Exception):
    """The handlers keep making work for each other."""


class Pump:
    def __init__(
        self,
        engine: Engine,
        table: str,
        *,
        consumers: Sequence[Consumer],
        workers: Sequence[Worker],
        schedules: Mapping[str, Handler] | None = None,
        schedule_every_seconds: float = 60,
        poll_every_seconds: float = 1,
        gather_seconds: float = 0.05,
        retry_seconds: float = 0,
        checkpoint: Path | None = None,
        trim: Callable[[int], object] | None = None,
        from_now: bool = False,
    ) -> None:
        """Connect to stream and queues. Raises PositionsDamaged.

        `checkpoint`: the file that keeps the stream positions between runs. Without it a run starts at the
        stream's beginning, or at its end if `from_now`.

        Woken threads first wait `gather_seconds`: the changes of a burst make one batch, as with Lambda's batch window.

        `trim` is called before each run of the schedules with the sequence number that every consumer has reached.
        """
        self._stopping = threading.Event()
        self._retry_seconds = retry_seconds
        arn = engine.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
        self._positions = Positions(checkpoint, arn) if checkpoint else None
        client = engine.streams()
        self.streams = [self._stream(client, arn, consumer, from_now=from_now) for consumer in consumers]
        sqs = engine.client("sqs")
        self.queues = [
            Queue(sqs, worker, retry_after_seconds=round(retry_seconds), is_ending=self._stopping.is_set)
            for worker in workers
        ]
        self._trim = trim
        self._schedules = schedules or {}
        self._schedule_every_seconds = schedule_every_seconds
        self._poll_every_seconds = poll_every_seconds
        self._gather_seconds = gather_seconds
        self._stream_wakes: list[threading.Event] = []
        self._queue_wakes: list[threading.Event] = []
        self._threads: list[threading.Thread] = []

    def _stream(self, client: object, arn: str, consumer: Consumer, *, from_now: bool) -> Stream:
        positions = self._positions
        return Stream(
            client,
            arn,
            consumer,
            position=positions.of(consumer.name) if positions else None,
            from_now=from_now,
            pause=self._pause,
            is_ending=self._stopping.is_set,
            moved=partial(positions.save, consumer.name) if positions else lambda _: None,
        )

    def pump_once(self) -> int:
        """Drain streams and queues until all are quiet; return the number of deliveries. Raises NeverQuiet."""
        delivered = 0
        for _ in range(_ROUNDS_AT_ONCE):
            moved = sum(stream.drain() for stream in self.streams) + sum(queue.drain() for queue in self.queues)
            delivered += moved
            if moved == 0:
                return delivered
        raise NeverQuiet(f"{delivered} deliveries in {_ROUNDS_AT_ONCE} rounds")

    def run_schedules(self) -> None:
        for name, handler in self._schedules.items():
            try:
                invoke(handler, name, scheduled_event(name))
            except Exception:  # the next run is the retry, as in AWS
                log.exception("schedule %s failed", name)

    def trim_stream(self) -> None:
        """Drop the records that all consumers have passed, by the positions in the file."""
        if self._trim is None or self._positions is None:
            return
        for number in self._positions.passed_by_all(stream.consumer.name for stream in self.streams).values():
            try:
                self._trim(int(number))
            except Exception:  # the next time is the retry
                log.exception("the stream was not trimmed")

    def start(self) -> None:
        """Pump in threads until `stop`. Schedules run at once and then at their interval."""
        for stream in self.streams:
            self._add_thread(stream.consumer.name, stream.drain, self._stream_wakes)
        for queue in self.queues:
            for _ in range(queue.worker.lanes):
                self._add_thread(queue.worker.name, queue.drain, self._queue_wakes)
        self._threads.append(threading.Thread(target=self._run_schedules, name="schedules", daemon=True))
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Read the stream now, because something was written. Queues follow: their messages come from its consumers."""
        for wake in self._stream_wakes:
            wake.set()

    def _wake_all(self) -> None:
        for wake in (*self._stream_wakes, *self._queue_wakes):
            wake.set()

    def stop(self) -> None:
        """End the threads, each after its current batch; the next run continues from there."""
        self._stopping.set()
        self._wake_all()
        for thread in self._threads:
            thread.join()

    def _add_thread(self, name: str, drain: Callable[[], int], wakes: list[threading.Event]) -> None:
        wake = threading.Event()
        wakes.append(wake)
        self._threads.append(threading.Thread(target=self._run, args=(drain, wake), name=name, daemon=True))

    def _run(self, drain: Callable[[], int], wake: threading.Event) -> None:
        while not self._stopping.is_set():
            wake.clear()
            try:
                if drain():
                    # The handler may have written or queued work for any thread, also for this one.
                    self._wake_all()
            except PumpStopped:
                return
            except Exception:  # the engine may have missed one request: the pump survives it
                log.exception("the pump failed once and goes on")
            if wake.wait(self._poll_every_seconds):
                self._stopping.wait(self._gather_seconds)

    def _run_schedules(self) -> None:
        while not self._stopping.is_set():
            due = time.monotonic() + self._schedule_every_seconds
            self.trim_stream()
            self.run_schedules()
            self._wake_all()
            self._stopping.wait(max(0.0, due - time.monotonic()))

    def _pause(self, attempt: int) -> None:
        if self._stopping.wait(min(self._retry_seconds * 2 ** (attempt - 1), _LONGEST_PAUSE_SECONDS)):
            raise PumpStopped
