"""Idempotency through Powertools, with a store whose completion *is* the commit of the request's unit of work.

Nothing is reserved before the action runs. Its answer is written in the very transaction of its effects, on the
condition that the key has no answer yet; when it has, the transaction fails as a whole and hands back the stored
answer. So a request and its retry, one after the other or at once, have one effect, at no further round trip.
See docs/decisions/transaction-idempotency.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    BasePersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from chalicelib.auth import passwords
from chalicelib.auth.rate_limits import RequestLimits
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.dal import idempotency
from chalicelib.dal.idempotency import Answer
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.limits import Allowance, load
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork

_CONFIG = IdempotencyConfig(
    event_key_jmespath="key",
    payload_validation_jmespath="payload",
    raise_on_no_idempotency_key=True,
    expires_after_seconds=idempotency.KEPT_SECONDS,
    hash_function="sha256",
)


class Replay(Exception):
    """The request was carried out before; this is the body it was answered with."""

    def __init__(self, body: Any) -> None:
        super().__init__("carried out before")
        self.body = body


class _CommitStore(BasePersistenceLayer):
    """One request's store. `finish` completes the unit of work that `_update_record` commits, given its key."""

    def __init__(
        self,
        key_of: Callable[[str], Key],
        secrets: str | None,
        finish: Callable[[str], UnitOfWork],
        limits: RequestLimits,
        guesses: Allowance | None,
        *,
        looks_first: bool,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Powertools has no types for it
        self._key_of = key_of
        self._secrets = secrets
        self._finish = finish
        self._limits = limits
        self._guesses = guesses
        self._looks_first = looks_first

    def save_inprogress(self, data: dict[str, Any], remaining_time_in_millis: int | None = None) -> None:
        """Record nothing: a request in progress leaves no trace before it commits."""
        if self._looks_first:
            self._refuse_repetition(data)

    def delete_record(self, data: dict[str, Any], exception: Exception) -> None:
        """The action refused. If it was carried out before, that is why (the thing is already deleted, say)."""
        if not isinstance(exception, ActionError) or isinstance(exception, StaleRead):
            return
        if exception.code is ErrorCode.DATABASE_ERROR:
            return
        # Not after too many failures: a client that knows a key could go on guessing the secrets behind it.
        if exception.code is ErrorCode.RATE_LIMITED and self._secrets is not None:
            return
        self._refuse_repetition(data)

    def _refuse_repetition(self, data: dict[str, Any]) -> None:
        record = DataRecord(
            idempotency_key=self._get_hashed_idempotency_key(data) or "",
            payload_hash=self._get_hashed_payload(data),
        )
        answer = idempotency.find(self._key_of(record.idempotency_key))
        if answer is not None:
            raise self._repeated(record, answer)

    def _update_record(self, data_record: DataRecord) -> None:
        unit = self._finish(data_record.idempotency_key)
        secrets_hash = None if self._secrets is None else passwords.hash_secret(self._secrets)
        answer = Answer(data_record.payload_hash, secrets_hash, data_record.response_data)

        def refuse(item: Item | None) -> Exception:
            stored = idempotency.read(item)
            # The record has expired since it failed the condition: the next try succeeds.
            return StaleRead() if stored is None else self._repeated(data_record, stored)

        idempotency.keep(unit, self._key_of(data_record.idempotency_key), answer, refuse)
        unit.commit()

    def _repeated(self, record: DataRecord, answer: Answer) -> Exception:
        stored = DataRecord(idempotency_key=record.idempotency_key, payload_hash=answer.payload_hash)
        try:
            self._validate_payload(record, stored)
        except IdempotencyValidationError:
            return mismatch()
        if self._secrets is not None and self._guesses is not None:
            # A client that knows the key and the rest of the input could guess the secrets behind it.
            self._limits.take(*load(self._guesses))
            if not passwords.verify(answer.secrets_hash, self._secrets):
                return mismatch()
            self._limits.prove(self._guesses)
        return Replay(json.loads(answer.body))

    def _get_record(self, idempotency_key: str) -> DataRecord:
        raise LookupError("records come back from the failed condition")

    def _put_record(self, data_record: DataRecord) -> None:
        raise LookupError("nothing is reserved")

    def _delete_record(self, data_record: DataRecord) -> None:
        raise LookupError("nothing was reserved")


def run_once(
    action: str,
    *,
    scope: dict[str, str],
    payload: dict[str, Any],
    secrets: str | None,
    key_of: Callable[[str], Key],
    perform: Callable[[], Any],
    finish: Callable[[str], UnitOfWork],
    limits: RequestLimits,
    guesses: Allowance | None,
    looks_first: bool,
) -> Any:
    """Run `perform` and commit its unit through `finish`, once for each key in `scope`; return the body.

    Raises `Replay` with the earlier body for a repeated request, IDEMPOTENCY_MISMATCH when its input differs.
    `guesses`: the limit on guessing the secrets, where there are any. `looks_first`: for an answer before `perform`
    runs, which writes apart from the unit or would refuse a repetition; at one more round trip.
    """
    store = _CommitStore(key_of, secrets, finish, limits, guesses, looks_first=looks_first)

    # Powertools has no types for its decorator.
    @idempotent_function(  # type: ignore[untyped-decorator]  # Powertools has no types for it
        data_keyword_argument="data", persistence_store=store, config=_CONFIG, key_prefix=action
    )
    def once(*, data: dict[str, Any]) -> Any:
        return perform()

    try:
        return once(data={"key": scope, "payload": payload})
    except IdempotencyPersistenceLayerError as error:
        own = error.__cause__ or error
        # Its cause stays with it, for the log.
        raise own from own.__cause__


def mismatch() -> ActionError:
    return ActionError(
        ErrorCode.IDEMPOTENCY_MISMATCH, "this Idempotency-Key was used with another input in the last 24 hours"
    )
