"""Drives what has no caller: the stream's consumer, the queues' workers and the schedules. In AWS, Lambda does this."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.local.engine import Engine
from infra.local.lambda_events import Handler, invoke, scheduled_event
from infra.local.queue import Queue, Worker
from infra.local.stream import Stream

log = logging.getLogger("workledger.local.pump")

_LONGEST_PAUSE_SECONDS = 2.0
_ROUNDS_AT_ONCE = 1000


class PumpStopped(Exception):
    """The pump was told to stop while it waited for a retry; nothing is lost, the position is before the failure."""


class NeverQuiet(Exception):
    """The handlers keep making work for each other."""


class Pump:
    def __init__(
        self,
        engine: Engine,
        table: str,
        *,
        consume_stream: Handler,
        workers: Sequence[Worker],
        schedules: Mapping[str, Handler] | None = None,
        schedule_every_seconds: float = 60,
        poll_every_seconds: float = 1,
        retries: int = 8,
        retry_seconds: float = 0,
        checkpoint: Path | None = None,
        from_now: bool = False,
    ) -> None:
        """`checkpoint`: where the stream's position is kept between runs; without it a run starts at the beginning, or
        with what is written from now on.
        """
        self._stopping = threading.Event()
        arn = engine.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
        self._retry_seconds = retry_seconds
        self._checkpoint = checkpoint
        self._saved = _load(checkpoint, arn)
        self.stream = Stream(
            engine.client("dynamodbstreams"),
            arn,
            consume_stream,
            position=self._saved,
            from_now=from_now,
            retries=retries,
            pause=self._pause,
            is_ending=self._stopping.is_set,
        )
        sqs = engine.client("sqs")
        self.queues = [Queue(sqs, worker, retry_after_seconds=round(retry_seconds)) for worker in workers]
        self._schedules = schedules or {}
        self._schedule_every_seconds = schedule_every_seconds
        self._poll_every_seconds = poll_every_seconds
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self.run, name="pump", daemon=True)

    def pump_once(self) -> int:
        """Drains stream and queues until all are quiet; the number of deliveries. Raises NeverQuiet."""
        delivered = 0
        for _ in range(_ROUNDS_AT_ONCE):
            moved = self._round()
            delivered += moved
            if moved == 0:
                return delivered
        raise NeverQuiet(f"{delivered} deliveries in {_ROUNDS_AT_ONCE} rounds")

    def _round(self) -> int:
        moved = self.stream.drain() + sum(queue.drain() for queue in self.queues)
        self._save()
        return moved

    def run_schedules(self) -> None:
        for name, handler in self._schedules.items():
            try:
                invoke(handler, name, scheduled_event(name))
            except Exception:  # the next run is the retry, as in AWS
                log.exception("schedule %s failed", name)

    def run(self) -> None:
        """Pumps until `stop`. Schedules run at once and then at their interval."""
        due = time.monotonic()
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                if time.monotonic() >= due:
                    due = time.monotonic() + self._schedule_every_seconds
                    self.run_schedules()
                # What the handlers write themselves is nobody's to wait for: the next poll takes it.
                self._round()
            except PumpStopped:
                return
            except Exception:  # an engine that did not answer once: the pump outlives it
                log.exception("the pump stumbled and goes on")
            self._wake.wait(self._poll_every_seconds)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something was written: look now instead of at the next poll."""
        self._wake.set()

    def stop(self) -> None:
        """Ends the thread after the batch it is at; the next run takes up the rest."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()

    def _pause(self, attempt: int) -> None:
        if self._stopping.wait(min(self._retry_seconds * 2 ** (attempt - 1), _LONGEST_PAUSE_SECONDS)):
            raise PumpStopped

    def _save(self) -> None:
        # Messages die with the local queues. Until they are delivered, the position stays before what put them there.
        is_settled = all(queue.is_settled for queue in self.queues)
        if self._checkpoint is None or self.stream.position == self._saved or not is_settled:
            return
        self._saved = dict(self.stream.position)
        draft = self._checkpoint.with_suffix(".draft")
        draft.write_text(json.dumps({"stream": self.stream.arn, "position": self._saved}))
        draft.replace(self._checkpoint)


def _load(checkpoint: Path | None, stream_arn: str) -> dict[str, str]:
    """The kept position, if it is one in this stream."""
    if checkpoint is None or not checkpoint.exists():
        return {}
    kept: dict[str, Any] = json.loads(checkpoint.read_text())
    return kept["position"] if kept["stream"] == stream_arn else {}
