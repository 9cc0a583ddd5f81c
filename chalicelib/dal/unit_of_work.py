"""The unit of work: everything a request writes, committed as one TransactWriteItems."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from typing import Any, TypeVar
from uuid import UUID

from pynamodb.exceptions import CancellationReason, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.core.entity_tags import is_tag_of
from chalicelib.core.errors import ActionError, ErrorCode, conflict, database_error
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.store_errors import store_errors

T = TypeVar("T")

MAX_WRITES = 100
"""DynamoDB's limit for one transaction."""

_COMMIT_TRIES = 6
_COLLISIONS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons of a cancelled transaction that another try may settle."""
_FIRST_PAUSE_SECONDS = 0.02

OnFailedCondition = Callable[[Item | None], Exception]
"""Makes the error of a failed condition from the item as it was then."""


class StaleRead(ActionError):
    """Something that the action read has changed since: run it again on fresh reads."""

    def __init__(self) -> None:
        error = conflict()
        super().__init__(error.code, error.message)


def stale(_: Item | None) -> Exception:
    return StaleRead()


class _Kind(IntEnum):
    """In the order in which PynamoDB sends them, which is the order of the cancellation reasons."""

    CHECK = 0
    DELETE = 1
    PUT = 2
    UPDATE = 3


@dataclass(frozen=True)
class _Write:
    kind: _Kind
    item: Item
    on_failed_condition: OnFailedCondition
    condition: Condition | None = None
    actions: Sequence[Action] = ()


@dataclass
class Change:
    """The target of a request and its change: the content of the audit entry."""

    entity_type: str
    entity_id: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    user: UUID | None = None
    """The user that it is about: whose entity it is, for entities that are somebody's own."""
    name: str | None = None
    """The target's name as people know it; never a user's, who may be deleted."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Further words for the title of its activity, by their places."""
    readers: AbstractSet[str] = frozenset()
    """The audience of its activity, where that depends on the entity."""


@dataclass
class UnitOfWork:
    """Writes of one request in one organization. Nothing is sent before `commit`."""

    organization: OrganizationId
    expected_tags: frozenset[str] | None = None
    """The tags that `If-Match` allows the target. None: any."""
    change: Change | None = None
    is_dry_run: bool = False
    """True for a dry run: there is nothing for the audit log."""
    answer: str | None = None
    """The digest of the idempotency record that is written with the unit; None for none."""
    signature: str | None = None
    """The name in the place of the actor's in its audit entry. None: the actor's own."""
    counterpart: UnitOfWork | None = None
    """The same transaction in the partitions of another organization."""
    _mapped: Callable[[Exception], Exception] | None = None
    _writes: list[_Write] = field(default_factory=list)
    _keys: set[Key] = field(default_factory=set)

    # -- the writes ----------------------------------------------------------------------------------------------------

    def put_new(self, item: Item, on_failed_condition: OnFailedCondition) -> None:
        """Refused when the key is taken."""
        self.put(item, Item.pk.does_not_exist(), on_failed_condition)

    def put(
        self,
        item: Item,
        condition: Condition | None,
        on_failed_condition: OnFailedCondition,
        *,
        reported_first: bool = False,
    ) -> None:
        """Write an item. `reported_first`: its failed condition is the commit's error, whichever others failed."""
        self._add(_Write(_Kind.PUT, item, on_failed_condition, condition))
        if reported_first:
            self._writes.insert(0, self._writes.pop())

    def update(
        self, key: Key, actions: Sequence[Action], condition: Condition | None, on_failed_condition: OnFailedCondition
    ) -> None:
        """The item must exist."""
        existing = table.all_of([Item.pk.exists(), condition])
        self._add(_Write(_Kind.UPDATE, Item(key.pk, key.sk), on_failed_condition, existing, actions))

    def upsert(self, key: Key, actions: Sequence[Action], condition: Condition | None = None) -> None:
        """Update an item, which is created if it does not exist: for counters that begin when first counted."""
        self._add(_Write(_Kind.UPDATE, Item(key.pk, key.sk), stale, condition, actions))

    def delete(self, key: Key, condition: Condition | None, on_failed_condition: OnFailedCondition) -> None:
        self._add(_Write(_Kind.DELETE, Item(key.pk, key.sk), on_failed_condition, condition))

    def check(self, key: Key, condition: Condition, on_failed_condition: OnFailedCondition) -> None:
        self._add(_Write(_Kind.CHECK, Item(key.pk, key.sk), on_failed_condition, condition))

    def open_counterpart(self, organization: OrganizationId, signature: str) -> UnitOfWork:
        """Return a unit whose writes join this transaction, in the partitions of another organization.

        For `models.loans.sides` alone: everything else stays in the organization of the caller. `signature`: the name
        of the caller's organization, which the other one's audit log shows instead of a person.
        """
        if self.counterpart is None:
            self.counterpart = replace(
                self, organization=organization, expected_tags=None, change=None, answer=None, signature=signature
            )
        if self.counterpart.organization != organization:
            raise ValueError("a transaction has two organizations at most")
        return self.counterpart

    def discard(self) -> None:
        """Forget all writes and the target."""
        self._writes.clear()
        self._keys.clear()
        self.change = self.counterpart = None

    def _add(self, write: _Write) -> None:
        if write.item.key in self._keys:
            raise ValueError("a transaction holds an item once")
        self._keys.add(write.item.key)
        if (mapped := self._mapped) is not None:
            original = write.on_failed_condition
            write = replace(write, on_failed_condition=lambda item: mapped(original(item)))
        self._writes.append(write)

    @contextlib.contextmanager
    def map_errors(self, mapped: Callable[[Exception], Exception]) -> Iterator[None]:
        """Map the errors of the writes that are added inside."""
        self._mapped = mapped
        try:
            yield
        finally:
            self._mapped = None

    # -- the target ------------------------------------------------------------------------------------------------

    def audit_target(
        self,
        entity_type: str,
        entity_id: Any,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        *,
        user: UUID | None = None,
        name: str | None = None,
    ) -> None:
        """Declare a target of this request and its change; the first declaration is the audit target.

        `user`: whose entity it is, or whom else it is about. `name`: of the target, unless it is a user.
        """
        if self.change is None:
            self.change = Change(entity_type, str(entity_id), before, after, user, name)

    def describe_target(
        self, *, name: str | None = None, readers: AbstractSet[str] | None = None, **words: str
    ) -> None:
        """Add to the audit target what its activity needs: see `Change`."""
        change = self.change
        if change is None:
            raise ValueError("there is no target to describe")
        change.name = change.name if name is None else name
        change.readers = change.readers if readers is None else readers
        change.words = {**change.words, **words}

    def require_version(self, version: int, updated_at: datetime | None = None) -> None:
        """Honours `If-Match` for the target. `updated_at`: as its reads show it, None if they do not."""
        if self.change is not None or self.expected_tags is None:
            return
        if not any(is_tag_of(tag, version, updated_at) for tag in self.expected_tags):
            raise ActionError(
                ErrorCode.PRECONDITION_FAILED, f"the entity is at version {version}: read it again before you change it"
            )

    # -- commit ----------------------------------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        return not self._writes

    def commit(self) -> None:
        """Commit all writes or none. Collisions with other transactions are retried with jitter, then CONFLICT."""
        if self.is_empty:
            return
        writes = sorted(self._writes, key=lambda write: write.kind)
        if len(writes) > MAX_WRITES:
            raise ValueError(f"{len(writes)} writes do not fit one transaction")
        for tried in range(_COMMIT_TRIES):
            if tried:
                pause(tried)
            try:
                with store_errors():
                    _transact(writes)
                return
            except TransactWriteError as error:
                reasons = error.cancellation_reasons
                _require_sizes(writes, error)
                if not reasons:  # refused as a whole, before any condition was looked at
                    raise
                self._refuse(writes, reasons)
                codes = {reason.code for reason in reasons if reason is not None}
                if codes - _COLLISIONS:
                    raise
                collision = error
        raise (conflict() if "TransactionConflict" in codes else database_error()) from collision

    def _refuse(self, writes: Sequence[_Write], reasons: Sequence[CancellationReason | None]) -> None:
        """Raises the error of the first failed condition, in the order the request added its writes."""
        failed = {
            write.item.key: reason.raw_item
            for write, reason in zip(writes, reasons, strict=True)
            if reason is not None and reason.code == "ConditionalCheckFailed"
        }
        for write in self._writes:
            if write.item.key in failed:
                raw = failed[write.item.key]
                raise write.on_failed_condition(table.item_from_raw(raw) if raw else None)


# -- items that DynamoDB does not take ---------------------------------------------------------------------------------

_NAMES = {
    "AUDIT": "audit entry",
    "IDEMPOTENCY": "answer",
    "PART": "answer",
    "QUICKACTION": "quick action",
    "WORKLOCATION": "work location",
}
"""Words for kinds whose key says something else."""


def _require_sizes(writes: Sequence[_Write], error: TransactWriteError) -> None:
    """Refuse an item of more than 400 KB, which DynamoDB takes neither alone nor in a transaction: VALIDATION_ERROR."""
    for write, reason in zip(writes, error.cancellation_reasons, strict=False):
        if reason is not None and _is_too_large(reason.message):
            raise _too_large(write) from error
    if _is_too_large(error.cause_response_message):
        raise _too_large(max(writes, key=lambda write: len(repr(write.item.serialize())))) from error


def _is_too_large(message: str | None) -> bool:
    return message is not None and message.lower().startswith("item size") and "exceeded" in message


def _too_large(write: _Write) -> ActionError:
    kind = (write.item.pk.split("#") + [""] * 2)[2]
    name = _NAMES.get(kind, kind.lower() or "item")
    return ActionError(ErrorCode.VALIDATION_ERROR, f"the {name} must take at most 400 KB")


def retry_stale(attempt: Callable[[int], T], tries: int) -> T:
    """Call `attempt` with its number from 0, anew while it raises StaleRead; CONFLICT after so many tries."""
    for number in range(tries):
        if number:
            pause(number)
        try:
            return attempt(number)
        except StaleRead:
            continue
    raise conflict()


def pause(tried: int) -> None:
    """Sleep with full jitter, doubling, so that requests which collided once do not collide again."""
    time.sleep(random.uniform(0, _FIRST_PAUSE_SECONDS * 2**tried))  # noqa: S311  not a secret


def _transact(writes: Sequence[_Write]) -> None:
    with TransactWrite(connection=table.connection().connection) as transaction:
        for write in writes:
            match write.kind:
                case _Kind.CHECK:
                    transaction.condition_check(Item, write.item.pk, write.item.sk, condition=write.condition)
                case _Kind.DELETE:
                    transaction.delete(write.item, write.condition)
                case _Kind.PUT:
                    transaction.save(write.item, write.condition, return_values="ALL_OLD")
                case _Kind.UPDATE:
                    transaction.update(
                        write.item,
                        list(write.actions),
                        write.condition,
                        return_values="ALL_OLD",
                    )
