"""Chunked writes: a request too large for one transaction, in numbered chunks that are each done once.

A chunk is a unit of work of its own, and its result is stored in its transaction. A request that died between two parts
is completed by its repetition: chunks that are done answer their stored result. See docs/decisions/chunked-writes.md.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.action.idempotency import mismatch
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import idempotency, keys
from chalicelib.dal.idempotency import Answer
from chalicelib.dal.item import Item
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork, retry_stale

_TRIES = 6
_FINAL = frozenset({ErrorCode.CONFLICT, ErrorCode.DATABASE_ERROR, ErrorCode.IDEMPOTENCY_MISMATCH})
"""Refusals that would be the same after another look."""


class ChunkedWrite:
    """The chunks of one request. `scope` identifies the request; its `payload` is the same in each repetition."""

    def __init__(self, organization: OrganizationId, scope: Mapping[str, str], payload: Mapping[str, Any]) -> None:
        """Find the chunks that were done. IDEMPOTENCY_MISMATCH when they were done with another payload."""
        self._organization = organization
        self._digest = _digest(scope)
        self._fingerprint = _digest(payload)
        self._numbers = itertools.count(1)
        self._done = idempotency.find_parts(organization, self._digest)
        for answer in self._done.values():
            self._require_same(answer)

    def run(self, perform: Callable[[UnitOfWork], Any]) -> Any:
        """Commit the next chunk: the writes that `perform` adds to the unit; return its result, which is JSON.

        Repetitions have the same chunks in the same order. When the commit is refused, what `perform` has
        looked at has changed since, and it runs again.
        """
        number = next(self._numbers)
        answer = self._done.get(number)
        return json.loads((answer or self._first_time(number, perform)).body)

    def _first_time(self, number: int, perform: Callable[[UnitOfWork], Any]) -> Answer:
        def attempt(_: int) -> Answer:
            unit = UnitOfWork(self._organization)
            answer = Answer(self._fingerprint, None, json.dumps(perform(unit)))
            idempotency.keep(unit, keys.part(self._organization, self._digest, number), answer, self._refuse)
            try:
                unit.commit()
            except _Done as done:
                return done.answer
            except StaleRead:
                raise
            except ActionError as refused:
                if refused.code in _FINAL:
                    raise
                raise StaleRead from refused
            return answer

        return retry_stale(attempt, _TRIES)

    def _refuse(self, item: Item | None) -> Exception:
        """Another request with the same key has done the chunk at the same time."""
        stored = idempotency.read(item)
        if stored is None:
            return StaleRead()
        self._require_same(stored)
        return _Done(stored)

    def _require_same(self, answer: Answer) -> None:
        if answer.payload_hash != self._fingerprint:
            raise mismatch()


class _Done(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__("done before")
        self.answer = answer


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
