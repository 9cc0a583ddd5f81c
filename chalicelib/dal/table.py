"""The table: the requests that this code makes to DynamoDB, and the errors that they become."""

from __future__ import annotations

import contextlib
import functools
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pynamodb.connection.base import BOTOCORE_EXCEPTIONS
from pynamodb.connection.table import TableConnection
from pynamodb.constants import MAP
from pynamodb.exceptions import DoesNotExist, GetError, PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.projection import create_projection_expression
from pynamodb.expressions.update import Action

from chalicelib.core.settings import settings
from chalicelib.dal import transport
from chalicelib.dal.item import RAW_MAP, RETRIES, TIMEOUTS, Item, plain_map
from chalicelib.dal.keys import HEALTH, IndexPartition, Key
from chalicelib.dal.store_errors import code_of, store_errors

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")

_BATCH_GET_KEYS = 100
_AT_ONCE = 16
"""Reads that are made at the same time. Of two requests of one process, as `make serve` has them, they wait in turn."""


def entry(partition: IndexPartition) -> Path:
    """The attribute that lists an item in a partition, for expressions."""
    return Path(partition.attribute)


class SlimRow(NamedTuple):
    """A row of an index: the sort key, and the values that lists show and search."""

    sk: str
    search: str
    facets: dict[str, Any]


def connection() -> TableConnection:
    """The one connection; its client is created at import, inside the cold start's burst of CPU."""
    return Item._get_connection()


def _connect() -> None:
    if settings().transport == "signed-http":
        meta = Item.Meta
        connection().connection._client = transport.of_environment(meta.region, TIMEOUTS, 1 + RETRIES)  # type: ignore[assignment]  # the part of a client that PynamoDB uses
    connection().connection.client.meta.events.register("before-call.dynamodb", _count)


# -- reads -----------------------------------------------------------------------------------------------------------


def get(key: Key) -> Item | None:
    """Return an item, strongly consistent; None for an absent one."""
    came = _came_ahead([key])
    if key in came:
        return came[key]
    with store_errors():
        try:
            return Item.get(key.pk, key.sk, consistent_read=True)
        except DoesNotExist:
            return None


def probe() -> None:
    """Read a key that nothing is stored under; DATABASE_ERROR when no answer comes."""
    get(HEALTH)


def batch_get(keys: Iterable[Key], *, consistent: bool = True, ahead: Iterable[Key] = ()) -> dict[Key, Item]:
    """Return items by key, by default strongly consistent; absent ones are absent. A round trip for each 100 keys.

    `ahead`: keys that come along, because the request reads them next: its next read of one takes what has come.
    """
    requested = list(dict.fromkeys(keys))
    came, following = _came_ahead(requested), list(ahead)
    items = {key: item for key, item in came.items() if item is not None}
    rows = raw_batch([*(key for key in requested if key not in came), *following], consistent=consistent)
    items |= {key: item_from_raw(row) for key, row in rows.items()}
    traffic = _traffic.get()
    if traffic is not None:
        traffic.ahead.update((key, items.get(key)) for key in following)
    return {key: items[key] for key in requested if key in items}


def _came_ahead(keys: Iterable[Key]) -> dict[Key, Item | None]:
    """Return what was read ahead of these keys, once: who reads again wants what has been written since."""
    traffic = _traffic.get()
    if traffic is None or not traffic.ahead:
        return {}
    return {key: traffic.ahead.pop(key) for key in keys if key in traffic.ahead}


def batch_get_shown(keys: Iterable[Key]) -> dict[Key, Item]:
    """Return items to be shown, at half the price of `batch_get`: as they are now or were a moment ago.

    One that is so new that its copy has not come yet is read once more, consistently.
    """
    items = batch_get(requested := list(keys), consistent=False)
    return items | batch_get(key for key in requested if key not in items)


def raw_batch(
    keys: Iterable[Key], *, consistent: bool = False, attributes: Sequence[str] = ()
) -> dict[Key, dict[str, Any]]:
    """Return attribute maps, with all or only some `attributes`; by default eventually consistent.

    An attribute may be a part of a map, `data.name`.
    """
    requested = list(dict.fromkeys(keys))
    by_sort_key = {key.sk: key for key in requested}
    # Ids are unique: then a partition key in each row, half of a short one, would say nothing.
    is_by_sort_key = bool(attributes) and len(by_sort_key) == len(requested)
    projection: dict[str, Any] = {}
    if attributes:
        names: dict[str, str] = {}
        expression = create_projection_expression([*([] if is_by_sort_key else ["pk"]), "sk", *attributes], names)
        named = {placeholder: name for name, placeholder in names.items()}
        projection = {"ProjectionExpression": expression, "ExpressionAttributeNames": named}
    remaining = [{"pk": {"S": key.pk}, "sk": {"S": key.sk}} for key in requested]
    table, items = connection().table_name, dict[Key, dict[str, Any]]()
    while remaining:
        chunk, remaining = remaining[:_BATCH_GET_KEYS], remaining[_BATCH_GET_KEYS:]
        request = {"Keys": chunk, "ConsistentRead": consistent, **projection}
        with store_errors():
            try:
                # Not PynamoDB's own function, which looks through the model for each key.
                answer = connection().connection.dispatch("BatchGetItem", {"RequestItems": {table: request}})
            except BOTOCORE_EXCEPTIONS as error:
                raise GetError(f"Failed to batch get items: {error}", error) from error
        for item in answer["Responses"].get(table, []):
            sk = item["sk"]["S"]
            items[by_sort_key[sk] if is_by_sort_key else Key(item["pk"]["S"], sk)] = item
        remaining += answer.get("UnprocessedKeys", {}).get(table, {"Keys": []})["Keys"]
    return items


def raw_batch_shown(keys: Iterable[Key], attributes: Sequence[str] = ()) -> dict[Key, dict[str, Any]]:
    """Return the attribute maps of items to be shown, read as by `batch_get_shown`."""
    requested = list(dict.fromkeys(keys))
    items = raw_batch(requested, attributes=attributes)
    if missing := [key for key in requested if key not in items]:
        items |= raw_batch(missing, consistent=True, attributes=attributes)
    return items


class RawPage(NamedTuple):
    items: list[dict[str, Any]]
    """Attribute maps as the wire has them: {name: {type: value}}."""
    last: str | None
    """The sort key up to which was read, None at the end of the partition."""


def query(
    partition: str | IndexPartition,
    *,
    consistent: bool | None = None,
    after: str | None = None,
    between: tuple[str, str] | None = None,
    forward: bool = True,
    limit: int | None = None,
    condition: Condition | None = None,
    attributes: Sequence[str] = (),
) -> RawPage:
    """One page (≤ 1 MB) of a partition in the order of its sort key; on the base table by default strongly consistent.

    `after` continues behind a sort key; `condition` filters rows that were read (and billed). `attributes`: of
    a row besides its sort key; by default all.
    """
    index, pk, sort_key = _located(partition)
    low, high = between or (" ", "\uffff")
    if after is not None:
        # Bounds are inclusive: the position itself is skipped below. It costs a row and needs no crafted start key.
        low, high = (after, high) if forward else (low, after)
    with store_errors():
        answer = connection().query(
            pk,
            range_key_condition=Path(sort_key).between(low, high),
            filter_condition=condition,
            index_name=index,
            consistent_read=index is None if consistent is None else consistent,
            scan_index_forward=forward,
            limit=None if limit is None else limit + (after is not None),
            attributes_to_get=[sort_key, *attributes] if attributes else None,
        )
    items = answer["Items"]
    if after is not None:
        items = [item for item in items if item[sort_key]["S"] != after]
    return RawPage(items, answer["LastEvaluatedKey"][sort_key]["S"] if "LastEvaluatedKey" in answer else None)


def query_all(
    partition: str | IndexPartition, *, between: tuple[str, str] | None = None, consistent: bool | None = None
) -> Iterator[dict[str, Any]]:
    """The attribute maps of a whole partition, or of the sort keys between two, page by page as they are consumed."""
    page = query(partition, between=between, consistent=consistent)
    yield from page.items
    while page.last is not None:
        page = query(partition, between=between, after=page.last, consistent=consistent)
        yield from page.items


def _located(partition: str | IndexPartition) -> tuple[str | None, str, str]:
    """Index, partition key and name of the sort key."""
    if isinstance(partition, str):
        return None, partition, "sk"
    return partition.index_name, partition.pk, partition.sort_key


def query_slim(partition: IndexPartition, *, maximum: int) -> list[SlimRow]:
    """The rows of an index partition; one more than `maximum` where there are more."""
    return [
        SlimRow(item["sk"]["S"], item["search"]["S"] if "search" in item else "", plain(item, "facets"))
        for item in itertools.islice(query_all(partition), maximum + 1)
    ]


class RowCount(NamedTuple):
    rows: int
    is_complete: bool
    """False: there are rows that were not looked at."""


def count(
    partition: str | IndexPartition,
    *,
    behind: str,
    maximum: int | None = None,
    condition: Condition | None = None,
) -> RowCount:
    """Count the rows behind a sort key that meet a condition; looks at `maximum` rows at most.

    The engine counts. It bills the rows it reads, though it returns none: a page of 1 MB is a round trip.
    """
    index, pk, _ = _located(partition)
    counted_rows = seen = 0
    while True:
        with store_errors():
            answer = connection().query(
                pk,
                range_key_condition=Path("sk") > behind,
                filter_condition=condition,
                index_name=index,
                consistent_read=index is None,
                limit=None if maximum is None else maximum - seen,
                select="COUNT",
            )
        counted_rows += int(answer["Count"])
        seen += int(answer["ScannedCount"])
        if "LastEvaluatedKey" not in answer or (maximum is not None and seen >= maximum):
            return RowCount(counted_rows, "LastEvaluatedKey" not in answer)
        behind = answer["LastEvaluatedKey"]["sk"]["S"]


def plain(attributes: dict[str, Any], name: str) -> dict[str, Any]:
    """A map among an item's attributes as plain values; empty where there is none."""
    return plain_map(attributes[name]["M"]) if name in attributes else {}


def item_from_raw(attributes: dict[str, Any]) -> Item:
    return Item.from_raw_data(attributes)


# -- single writes ---------------------------------------------------------------------------------------------------


def update(key: Key, actions: Sequence[Action], condition: Condition | None = None) -> Item | None:
    """One conditional UpdateItem outside any unit of work; the item after it, None when the condition failed."""
    item = Item(key.pk, key.sk)
    with store_errors():
        try:
            item.update(actions=list(actions), condition=condition)
        except UpdateError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return None
            raise
    return item


def put(item: Item) -> None:
    """One PutItem outside any unit of work, in the place of any item of its key."""
    with store_errors():
        item.save()


def put_new(item: Item) -> bool:
    """One PutItem outside any unit of work; False when its key is taken."""
    with store_errors():
        try:
            item.save(Item.pk.does_not_exist())
        except PutError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
    return True


def assign(name: str, value: Any) -> Action:
    """SET or REMOVE of one field of an entity; None removes."""
    path = Item.data[name]
    return path.remove() if value is None else path.set(encoded(value))


def increment(path: Path, by: int) -> Action:
    """Add to a counter, which is 0 where it is absent."""
    return path.set((path | 0) + by)


def encoded(value: Any) -> Any:
    """Maps are encoded here, because PynamoDB would take `{"S": …}` for an encoded text."""
    return {MAP: RAW_MAP.serialize(value)} if isinstance(value, dict) else value


def all_of(conditions: Iterable[Condition | None]) -> Condition | None:
    """Their conjunction; None when there are none."""
    present = [condition for condition in conditions if condition is not None]
    return functools.reduce(operator.and_, present) if present else None


# -- round trips -----------------------------------------------------------------------------------------------------


class Traffic:
    """Counts the round trips to the table while it is open; requests made at the same time are one."""

    def __init__(self, parent: Traffic | None = None) -> None:
        """Begin a count, from where its `parent` is if its requests are made beside the parent's others."""
        self.origin: Traffic = self if parent is None else parent.origin
        self.round_trips: int = 0 if parent is None else parent.round_trips
        self.ahead: dict[Key, Item | None] = {} if parent is None else parent.ahead
        """Items that came with an earlier read, by their keys; None for an absent one."""


_traffic: ContextVar[Traffic | None] = ContextVar("traffic", default=None)


@contextlib.contextmanager
def counted(parent: Traffic | None = None) -> Iterator[Traffic]:
    traffic = Traffic(parent)
    token = _traffic.set(traffic)
    try:
        yield traffic
    finally:
        _traffic.reset(token)


def together(reads: Sequence[Callable[[], T]]) -> list[T]:
    """Return the results of reads that are made at the same time, in threads.

    Only the first may call this in turn: the others have threads, and must not wait for more of them.
    """
    if len(reads) < 2:
        return [read() for read in reads]
    traffic = _traffic.get()

    def read_counted(read: Callable[[], T]) -> tuple[T, int]:
        with counted(traffic) as own:
            return read(), own.round_trips

    first, *others = reads
    futures = [_pool().submit(copy_context().run, read_counted, read) for read in others]
    try:
        results = [read_counted(first)]
    finally:
        # An error does not leave reads behind, which would run into the next request.
        for future in futures:
            future.exception()
    results += [future.result() for future in futures]
    if traffic is not None:
        traffic.round_trips = max(round_trips for _, round_trips in results)
    return [result for result, _ in results]


@functools.cache
def _pool() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(_AT_ONCE, "reads")


def _count(**_: Any) -> None:
    traffic = _traffic.get()
    if traffic is not None:
        traffic.round_trips += 1


_connect()
