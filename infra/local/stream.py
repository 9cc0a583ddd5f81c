"""The table's stream as Lambda delivers it to a consumer: filtered, in order, retried, bisected, dead-lettered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from infra.local.lambda_events import Handler, invoke_batch, stream_record
from infra.local.template import StreamSource, stream_source

log = logging.getLogger("workledger.local.pump")

_RECORDS_PER_READ = 1000  # DynamoDB's limit
_SHARDS_CACHED_SECONDS = 60.0

Position = dict[str, str]
"""Shard id to the last processed sequence number."""


class Consumer(NamedTuple):
    """A function of the app that reads the stream; the settings of its event source are in the template."""

    name: str
    handler: Handler


class Stream:
    def __init__(
        self,
        client: Any,
        arn: str,
        consumer: Consumer,
        *,
        source: StreamSource | None = None,
        position: Mapping[str, str] | None = None,
        from_now: bool = False,
        pause: Callable[[int], None] = lambda _: None,
        is_ending: Callable[[], bool] = lambda: False,
        moved: Callable[[Position], None] = lambda _: None,
    ) -> None:
        """Start after `position`; without one, at the beginning, or at the end if `from_now`.

        `pause` is called with the attempt before each retry, `moved` with the new position after each batch. No batch
        starts once `is_ending`.
        """
        self.arn = arn
        self.consumer = consumer
        self.position: Position = dict(position or {})
        self.dead: list[dict[str, Any]] = []
        """Dead letters, in the form in which the consumer received them."""
        self._client = client
        self._source = source or stream_source(consumer.name)
        self._pause = pause
        self._is_ending = is_ending
        self._moved = moved
        self._shards: list[str] = []
        self._shards_until = 0.0
        starts = self._shard_ids() if from_now else []
        self._starts = {shard: self._iterator(shard, ShardIteratorType="LATEST") for shard in starts}

    def drain(self) -> int:
        """Deliver all records; return the number that passed the filter."""
        delivered = 0
        for shard in self._shard_ids():
            more = True
            while more and not self._is_ending():
                records = self._read(shard)
                delivered += self._deliver_page(shard, records)
                more = len(records) == _RECORDS_PER_READ
        return delivered

    def _shard_ids(self) -> list[str]:
        # Cached: to describe a stream, dynoxide reads every record of it.
        if time.monotonic() >= self._shards_until:
            description = self._client.describe_stream(StreamArn=self.arn)["StreamDescription"]
            self._shards = [shard["ShardId"] for shard in description["Shards"]]
            self._shards_until = time.monotonic() + _SHARDS_CACHED_SECONDS
        return self._shards

    def _read(self, shard: str) -> list[dict[str, Any]]:
        if last := self.position.get(shard):
            iterator = self._iterator(shard, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=last)
        else:
            iterator = self._starts.get(shard) or self._iterator(shard, ShardIteratorType="TRIM_HORIZON")
        answer = self._client.get_records(ShardIterator=iterator, Limit=_RECORDS_PER_READ)
        if shard in self._starts and not answer["Records"]:
            self._starts[shard] = answer["NextShardIterator"]
        records: list[dict[str, Any]] = answer["Records"]
        return records

    def _iterator(self, shard: str, **start: str) -> str:
        iterator: str = self._client.get_shard_iterator(StreamArn=self.arn, ShardId=shard, **start)["ShardIterator"]
        return iterator

    def _deliver_page(self, shard: str, page: list[dict[str, Any]]) -> int:
        records = [stream_record(record, self.arn) for record in page if self._source.filter.passes(record)]
        size = self._source.batch_size
        for start in range(0, len(records), size):
            if self._is_ending():
                return start
            self._deliver(shard, records[start : start + size])
            self._moved(self.position)
        if page and self.position.get(shard) != _sequence_number(page[-1]):
            # Move past the filtered records at the end of the page, too.
            self.position[shard] = _sequence_number(page[-1])
            self._moved(self.position)
        return len(records)

    def _deliver(self, shard: str, records: list[dict[str, Any]]) -> None:
        attempt = 0
        while records:
            ids = [_sequence_number(record) for record in records]
            failed = invoke_batch(self.consumer.handler, self.consumer.name, records, ids)
            if failed is None and len(records) > 1 and self._source.bisects:
                middle = len(records) // 2
                self._deliver(shard, records[:middle])
                self._deliver(shard, records[middle:])
                return
            done = _done(ids, failed)
            if done == 0 and attempt == self._source.retries:
                # Lambda gives up the batch; with bisecting, that is one record.
                given_up = 1 if self._source.bisects else len(records)
                self._give_up(records[:given_up])
                done = given_up
            if done == 0:
                attempt += 1
                self._pause(attempt)
                continue
            attempt = 0
            self.position[shard] = ids[done - 1]
            records = records[done:]

    def _give_up(self, records: list[dict[str, Any]]) -> None:
        self.dead += records
        for record in records:
            log.error(
                "DEAD LETTER: %s failed %d times on stream record %s of %s; it is skipped",
                self.consumer.name,
                self._source.retries + 1,
                record["eventID"],
                record["dynamodb"]["Keys"],
            )


def _sequence_number(record: dict[str, Any]) -> str:
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


def _done(ids: list[str], failed: set[str] | None) -> int:
    """Return the number of processed records: those before the lowest failure."""
    if failed is None:
        return 0
    return next((index for index, number in enumerate(ids) if number in failed), len(ids))
