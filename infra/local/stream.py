"""Hands the table's stream to its consumer the way Lambda does: in order, retried from the lowest failure, bisected."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from infra.local.lambda_events import Handler, invoke_batch, stream_record

log = logging.getLogger("workledger.local.pump")

Position = dict[str, str]
"""The last sequence number dealt with, by shard."""


class Stream:
    def __init__(
        self,
        client: Any,
        arn: str,
        handler: Handler,
        *,
        position: Mapping[str, str] | None = None,
        from_now: bool = False,
        batch_size: int = 20,
        retries: int = 8,
        pause: Callable[[int], None],
        is_ending: Callable[[], bool] = lambda: False,
    ) -> None:
        """Where there is no position, from the beginning, or from now on. Batches are small: a stop waits for one.

        `pause` is called before the retry of that number; once it `is_ending`, no other batch is begun.
        """
        self.arn = arn
        self.position: Position = dict(position or {})
        self.dead: list[dict[str, Any]] = []
        """Records given up, in the form the consumer saw them."""
        self._client = client
        self._handler = handler
        self._batch_size = batch_size
        self._retries = retries
        self._pause = pause
        self._is_ending = is_ending
        self._starts = {each: self._iterator(each, ShardIteratorType="LATEST") for each in self._shards() if from_now}

    def drain(self) -> int:
        """Delivers all there is; the number of records."""
        delivered = 0
        for shard in self._shards():
            full = True
            while full and not self._is_ending():
                records = self._read(shard)
                self._deliver(shard, records)
                delivered += len(records)
                full = len(records) == self._batch_size
        return delivered

    def _shards(self) -> list[str]:
        return [
            shard["ShardId"]
            for shard in self._client.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"]
        ]

    def _read(self, shard: str) -> list[dict[str, Any]]:
        if last := self.position.get(shard):
            iterator = self._iterator(shard, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=last)
        else:
            iterator = self._starts.get(shard) or self._iterator(shard, ShardIteratorType="TRIM_HORIZON")
        answer = self._client.get_records(ShardIterator=iterator, Limit=self._batch_size)
        if shard in self._starts and not answer["Records"]:
            self._starts[shard] = answer["NextShardIterator"]
        return [stream_record(record, self.arn) for record in answer["Records"]]

    def _iterator(self, shard: str, **start: str) -> str:
        iterator: str = self._client.get_shard_iterator(StreamArn=self.arn, ShardId=shard, **start)["ShardIterator"]
        return iterator

    def _deliver(self, shard: str, records: list[dict[str, Any]]) -> None:
        attempt = 0
        while records:
            ids = [_sequence_number(record) for record in records]
            failed = invoke_batch(self._handler, "consume_stream", records, ids)
            if failed is None and len(records) > 1:
                middle = len(records) // 2
                self._deliver(shard, records[:middle])
                self._deliver(shard, records[middle:])
                return
            done = _done(ids, failed)
            if done == 0 and attempt == self._retries:
                self._give_up(records[0])
                done = 1
            if done == 0:
                attempt += 1
                self._pause(attempt)
                continue
            attempt = 0
            self.position[shard] = ids[done - 1]
            records = records[done:]

    def _give_up(self, record: dict[str, Any]) -> None:
        self.dead.append(record)
        log.error(
            "DEAD LETTER: the consumer failed %d times on stream record %s of %s; it is skipped",
            self._retries + 1,
            record["eventID"],
            record["dynamodb"]["Keys"],
        )


def _sequence_number(record: dict[str, Any]) -> str:
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


def _done(ids: list[str], failed: set[str] | None) -> int:
    """How many records from the start are dealt with: those before the lowest failure."""
    if failed is None:
        return 0
    return next((index for index, each in enumerate(ids) if each in failed), len(ids))
