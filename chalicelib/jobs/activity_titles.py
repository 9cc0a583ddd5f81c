"""Titles of activities: the sentence of a template, filled from the audit entry.

| place | filled with |
| --- | --- |
| `{actor}`, `{user}` | places for the names of users, which are filled when the activity is read |
| `{the client}` | "the client Hansekontor", or "a client" where the entry has no name |
| `{name or a client}` | "Hansekontor", or "a client" |
| `{fields}` | the changed fields: "phone and address" |
| `{day}` | the day of a changed rate: " from 3 Dec 2026 on" |
| `{now role}` | a field after the change: "admin" |
| `{created worker}` | how many were created: "42 workers" |
| `{timesheet}`, `{time}` | whose they are: "their timesheet for the week from 2 Nov" |
| any other | a word that the write left in the entry; nothing where it left none |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from chalicelib.auth.audiences import subject_of
from chalicelib.core import days
from chalicelib.core.entity_names import in_words
from chalicelib.jobs.activity_templates import ActivityTemplate
from chalicelib.models.activities.activities import ACTOR, USER
from chalicelib.models.audit import StoredAuditEntry
from chalicelib.models.users import USERS

_MAX_FIELDS = 3
"""Fields that a title names; it counts the others."""
_PLACE = re.compile(r"\{([^}]*)\}")
_RATE = re.compile(r"(?:members\.[^.]+\.)?rates\.(\d{4}-\d\d-\d\d)")

FIELDS: Mapping[str, str] = {
    "apiAction": "action",
    "doneAt": "completion",
    "email": "e-mail address",
    "endAt": "end",
    "endedAt": "end",
    "expiresAt": "expiry",
    "formConfig": "form",
    "interestRateBps": "interest rate",
    "lockedBefore": "lock",
    "permissions": "roles",
    "requiredRole": "roles",
    "requiredTier": "tiers",
    "sortOrder": "order",
    "startAt": "start",
    "targetUrl": "target",
    "timezone": "time zone",
    "weekStart": "first day of the week",
}
"""Words for fields whose names say it otherwise."""
_FOLLOWING: Mapping[str, str] = {
    "clientId": "positionId",
    "doneAt": "status",
    "endedAt": "endAt",
    "endedById": "endAt",
    "workLocationId": "positionId",
}
"""Fields that follow from another one, where that has changed."""
_BOOKKEEPING = frozenset({"lender", "termsVersion"})
"""Fields that any change moves."""


def title(template: ActivityTemplate, entry: StoredAuditEntry) -> str:
    """Return the title of an entry's activity as it is stored."""
    return _PLACE.sub(lambda place: _words(place[1], entry), template.title)


def _words(place: str, entry: StoredAuditEntry) -> str:
    kind, _, noun = place.partition(" ")
    name, _, fallback = place.partition(" or ")
    if name == "name":
        return entry.entity_name or fallback
    if kind == "the":
        return f"{_article(noun)} {noun}" if entry.entity_name is None else f"the {noun} {entry.entity_name}"
    if kind == "now":
        return str(entry.changes[noun].after).lower() if noun in entry.changes else "as it was"
    if kind == "created":
        return _counted(entry, noun)
    if place in _PLACES:
        return _PLACES[place](entry)
    word = entry.words.get(place, "")
    return word if word.startswith(",") else f" {word}" * bool(word)


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeio" else "a"


def _counted(entry: StoredAuditEntry, noun: str) -> str:
    created = entry.changes["created"].after if "created" in entry.changes else 0
    return f"{created:,} {noun}{'' if created == 1 else 's'}"


def _user(entry: StoredAuditEntry) -> str:
    return "themselves" if subject_of(entry) in {None, entry.actor.id} else USER


def _fields(entry: StoredAuditEntry) -> str:
    own = [field for field in entry.changes if field not in _BOOKKEEPING and _FOLLOWING.get(field) not in entry.changes]
    words = list(dict.fromkeys(map(field_in_words, own)))
    if len(words) > _MAX_FIELDS:
        words = [*words[: _MAX_FIELDS - 1], f"{len(words) - _MAX_FIELDS + 1} more fields"]
    *others, last = words or ["nothing"]
    return f"{', '.join(others)} and {last}" if others else last


def field_in_words(field: str) -> str:
    """Return a field as a sentence names it: "work location" for `workLocationId`."""
    name = field.partition(".")[0]
    words = FIELDS.get(name) or in_words(re.sub("(ById|Id|At)$", "", name))
    return re.sub("^is (.*)", r"\1 state", words)


def _day_of_rate(entry: StoredAuditEntry) -> str:
    dates = [date.fromisoformat(match[1]) for field in entry.changes if (match := _RATE.fullmatch(field))]
    return f" from {days.in_words(dates[0], entry.at.date())} on" if dates else ""


def _timesheet(entry: StoredAuditEntry) -> str:
    whose = "their timesheet" if subject_of(entry) is None else f"the timesheet of {USER}"
    return f"{whose} for the {entry.entity_name or 'week'}"


def _time(entry: StoredAuditEntry) -> str:
    if entry.entity_type != USERS.entity:
        return "the time of everyone"
    return "their own time" if subject_of(entry) == entry.actor.id else f"the time of {USER}"


def _loan(entry: StoredAuditEntry) -> str:
    # The other side of a loan signs with its name, which is that of the loan here.
    return "loan" if entry.actor.id is None else entry.words.get("loan", "loan")


_PLACES: Mapping[str, Callable[[StoredAuditEntry], str]] = {
    "actor": lambda _: ACTOR,
    "user": _user,
    "fields": _fields,
    "day": _day_of_rate,
    "timesheet": _timesheet,
    "time": _time,
    "loan": _loan,
}
