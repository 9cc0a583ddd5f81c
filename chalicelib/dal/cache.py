"""Costly answers, kept until something that they depend on changes, or too much time has passed.

An answer is kept beside the versions that its tags had before it was computed. So what changes while it is computed
makes it stale at once, and whoever bumps a tag in the transaction of a change hides no change longer than that takes.
Values depend on the passing of time too: no answer is kept longer than `MAX_AGE`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from chalicelib.core import clock
from chalicelib.core.errors import ActionError
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import described, logger
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import UnitOfWork

A = TypeVar("A")

MAX_AGE = timedelta(seconds=60)
MAX_BYTES = 300 * 1024
"""An item holds 400 KB; greater answers are computed each time."""

_SWEPT_AFTER = timedelta(minutes=10)
"""Far longer than anything is good for: the engine removes items some time after their TTL."""


def bump(unit: UnitOfWork, tag: str) -> None:
    """Invalidate, with the unit's commit, every cached result that depends on a tag."""
    unit.upsert(keys.tag(unit.organization, tag), [Item.version.add(1), Item.derived.set(1)])


@dataclass(frozen=True)
class CacheKey:
    """What is asked. Two that differ in anything have answers of their own."""

    organization: OrganizationId
    name: str
    about: Mapping[str, Any]
    """JSON values: all that the answer depends on, beside time and what the tags name; the caller too, if it does."""
    tags: frozenset[str]

    @property
    def key(self) -> Key:
        asked = json.dumps([self.name, self.about, sorted(self.tags)], sort_keys=True)
        return keys.cached(self.organization, hashlib.sha256(asked.encode()).hexdigest())


def cached(question: CacheKey, form: TypeAdapter[A], compute: Callable[[], A], *, now: datetime) -> A:
    """The answer, as it was kept or computed now; one round trip for a hit, two and the computing for a miss.

    Where the store does not take the answer, that is logged, and it is answered all the same.
    """
    tags = {keys.tag(question.organization, name): name for name in question.tags}
    items = table.batch_get([question.key, *tags])
    versions = {name: int(items[key].version) if key in items else 0 for key, name in tags.items()}
    kept = items.get(question.key)
    if kept is not None and _is_good(kept.data or {}, versions, now):
        try:
            return form.validate_json((kept.data or {})["answer"])
        except ValidationError:  # kept by another release of this code, which is computed anew
            logger.info("a kept answer has another form", extra={"question": question.name})
    answer = compute()
    _keep(question, form.dump_json(answer).decode(), versions, now)
    return answer


def _is_good(kept: Mapping[str, Any], versions: Mapping[str, int], now: datetime) -> bool:
    # Clocks of two machines differ: what was kept in the future is not good for longer than what was in the past.
    age = abs(now - datetime.fromisoformat(kept["at"]))
    return age < MAX_AGE and kept["versions"] == versions


def _keep(question: CacheKey, answer: str, versions: Mapping[str, int], now: datetime) -> None:
    size = len(answer.encode())
    if size > MAX_BYTES:
        logger.info("an answer is too large to be kept", extra={"question": question.name, "bytes": size})
        return
    data = {"answer": answer, "versions": dict(versions), "at": clock.to_text(now)}
    expiry = int((now + _SWEPT_AFTER).timestamp())
    try:
        table.update(question.key, [Item.data.set(table.encoded(data)), Item.ttl.set(expiry), Item.derived.set(1)])
    except ActionError as error:  # the answer is there all the same, and the next one who asks computes it again
        logger.warning("an answer was not kept", extra={"question": question.name, **described(error)})
