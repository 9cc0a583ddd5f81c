"""Idempotency records: the answer to a request, or to a chunk of one, stored for 24 hours."""

from __future__ import annotations

import json
from typing import NamedTuple
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import OnFailedCondition, UnitOfWork, stale

KEPT_SECONDS = 24 * 60 * 60


class Answer(NamedTuple):
    payload_hash: str
    """SHA-256 of the input without its secrets."""
    secrets_hash: str | None
    """argon2id of the input's secrets: a fast hash of a password must not be stored."""
    body: str
    """JSON text of the response's data, without secrets."""


def find(key: Key) -> Answer | None:
    return read(table.get(key))


def read(item: Item | None) -> Answer | None:
    """None for a record that has expired, though DynamoDB has not removed it yet."""
    if item is None or item.data is None or (item.ttl or 0) <= clock.now().timestamp():
        return None
    return Answer(item.data["payloadHash"], item.data.get("secretsHash"), item.data["body"])


def session_user(item: Item) -> UUID | None:
    """Return the user whose session the stored answer opened; None for an answer without a session."""
    session = json.loads((item.data or {})["body"]).get("session")
    return None if session is None else UUID(session[1])


def find_parts(organization: OrganizationId, digest: str) -> dict[int, Answer]:
    """Return the answers of a request's chunks, by number."""
    items = map(table.item_from_raw, table.query_all(keys.parts(organization, digest)))
    answers = ((int(item.sk), read(item)) for item in items)
    return {number: answer for number, answer in answers if answer is not None}


def replace_body(unit: UnitOfWork, key: Key, before: str, after: str) -> None:
    """Replace the text of a stored answer in the unit's transaction, if it is as it was read."""
    unit.update(key, [table.assign("body", after)], Item.data["body"] == before, stale)


def keep(unit: UnitOfWork, key: Key, answer: Answer, on_failed_condition: OnFailedCondition) -> None:
    """Store the answer in the unit's transaction; refused, before anything else, if the key has an answer."""
    now = int(clock.now().timestamp())
    data = {"payloadHash": answer.payload_hash, "body": answer.body}
    if answer.secrets_hash is not None:
        data["secretsHash"] = answer.secrets_hash
    item = Item(*key, data=data, ttl=now + KEPT_SECONDS)
    unit.put(item, Item.pk.does_not_exist() | (Item.ttl <= now), on_failed_condition, reported_first=True)
