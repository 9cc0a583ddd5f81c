"""Cached summaries: those of everybody's time, valid until anything that they depend on changes.

A cached summary has the versions of all that went into it, as they were before it was computed: the accounts of all
users, rates and names, and the organization. So it is as exact as a new one. Nothing is cached while somebody tracks
time: a running timer counts up to now, and the next session would outdate what was written for more than it saves.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from pydantic import ValidationError

from chalicelib.action.context import Context
from chalicelib.core.errors import ActionError
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import described, logger
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item, Packed, attribute
from chalicelib.dal.keys import Key
from chalicelib.models import labels
from chalicelib.models.time.everybody import EverybodysTime
from chalicelib.modules.analytics.contracts import GetAnalyticsSummary, Summary

MAX_BYTES = 300 * 1024
"""Limit of a compressed summary; an item holds 400 KB."""
_EXPIRY = timedelta(days=1)
_ANSWER = attribute("answer", Packed())


def key_of(organization: OrganizationId, user: UUID, data: GetAnalyticsSummary) -> Key:
    """Return the key of the answer to a user's request for everybody's time.

    Not one for all: a member's request, which cannot know that it is for their own time, would read everybody's answer.
    """
    text = f"summary {user} {data!r}"
    return keys.cached(organization, hashlib.sha256(text.encode()).hexdigest())


def answered(ctx: Context, data: GetAnalyticsSummary, time: EverybodysTime, compute: Callable[[], Summary]) -> Summary:
    """Return the cached summary, or compute one, and cache it if nobody tracks time at the moment."""
    key, labels_key = key_of(ctx.organization, ctx.user.id, data), labels.key(ctx.organization)
    items = table.batch_get([key, labels_key])
    principal = ctx.principal
    about = [time.version, labels.of(items.get(labels_key)), principal.organization.version, principal.sees_money]
    version = hashlib.sha256(json.dumps(about).encode()).hexdigest()
    stored = items.get(key)
    packed = None if stored is None or (stored.data or {}).get("of") != version else stored.value(_ANSWER)
    if packed is not None:
        try:
            return Summary.model_validate_json(zlib.decompress(packed))
        except ValidationError:  # cached by another release of this code: it is computed anew
            logger.info("a cached summary has another form")
    summary = compute()
    if time.is_settled(ctx.now):
        _cache(ctx, key, version, summary)
    return summary


def _cache(ctx: Context, key: Key, version: str, summary: Summary) -> None:
    packed = zlib.compress(summary.model_dump_json().encode())
    if len(packed) > MAX_BYTES:
        logger.info("a summary is too large to be cached", extra={"bytes": len(packed)})
        return
    item = Item(*key, data={"of": version}, derived=1, ttl=int((ctx.now + _EXPIRY).timestamp()))
    item.set({_ANSWER.attr_name: packed})
    try:
        table.put(item)
    except ActionError as error:  # the answer is there all the same, and the next one who asks computes it again
        logger.warning("a summary was not cached", extra=described(error))
