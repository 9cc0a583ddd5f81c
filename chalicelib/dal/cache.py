"""Cached results: costly results that are valid until their data changes, or for a minute.

A result is stored with the versions that its tags had before it was computed. So a change during the computation
makes it stale at once, and a tag that is bumped in a change's transaction hides the change for no moment.
Values depend on the passing of time too: no result is valid for longer than `MAX_AGE`.
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
"""An item holds 400 KB; greater results are computed each time."""

_SWEPT_AFTER = timedelta(minutes=10)
"""Far longer than anything is good for: the engine removes items some time after their TTL."""


def bump(unit: UnitOfWork, tag: str) -> None:
    """Invalidate, with the unit's commit, every cached result that depends on a tag."""
    unit.upsert(keys.tag(unit.organization, tag), [Item.version.add(1), Item.derived.set(1)])


@dataclass(frozen=True)
class CacheKey:
    """The identity of a result: results whose keys differ in anything are cached apart."""

    organization: OrganizationId
    name: str
    about: Mapping[str, Any]
    """JSON values: all that the result depends on, except time and tagged data; the caller too, if it matters."""
    tags: frozenset[str]

    @property
    def key(self) -> Key:
        text = json.dumps([self.name, self.about, sorted(self.tags)], sort_keys=True)
        return keys.cached(self.organization, hashlib.sha256(text.encode()).hexdigest())


def cached(key_of_result: CacheKey, form: TypeAdapter[A], compute: Callable[[], A], *, now: datetime) -> A:
    """Return the cached result, or compute and cache it; one round trip for a hit, two and the computation for a miss.

    Where the store does not take the answer, that is logged, and it is answered all the same.
    """
    tags = {keys.tag(key_of_result.organization, name): name for name in key_of_result.tags}
    items = table.batch_get([key_of_result.key, *tags])
    versions = {name: int(items[key].version) if key in items else 0 for key, name in tags.items()}
    stored = items.get(key_of_result.key)
    if stored is not None and _is_good(stored.data or {}, versions, now):
        try:
            return form.validate_json((stored.data or {})["answer"])
        except ValidationError:  # stored by another release of this code: it is computed anew
            logger.info("a cached result has another form", extra={"question": key_of_result.name})
    result = compute()
    _keep(key_of_result, form.dump_json(result).decode(), versions, now)
    return result


def _is_good(stored: Mapping[str, Any], versions: Mapping[str, int], now: datetime) -> bool:
    # Clocks of two machines differ: a result from the future is valid for no longer than one from the past.
    age = abs(now - datetime.fromisoformat(stored["at"]))
    return age < MAX_AGE and stored["versions"] == versions


def _keep(key_of_result: CacheKey, result: str, versions: Mapping[str, int], now: datetime) -> None:
    size = len(result.encode())
    if size > MAX_BYTES:
        logger.info("a result is too large to be cached", extra={"question": key_of_result.name, "bytes": size})
        return
    data = {"answer": result, "versions": dict(versions), "at": clock.to_text(now)}
    expiry = int((now + _SWEPT_AFTER).timestamp())
    try:
        table.update(key_of_result.key, [Item.data.set(table.encoded(data)), Item.ttl.set(expiry), Item.derived.set(1)])
    except ActionError as error:  # the answer is there all the same, and the next one who asks computes it again
        logger.warning("a result was not cached", extra={"question": key_of_result.name, **described(error)})
