"""Users of an import: whom the rows mean, by e-mail address or, in files without addresses, by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.auth.permissions import Permission
from chalicelib.core import text
from chalicelib.core.errors import ActionError, ErrorCode, invalid_field, invalid_fields
from chalicelib.dal import keys, table
from chalicelib.dal.page_lists import EXACT_LIST_ROWS, SEPARATOR
from chalicelib.models.users import USERS, StoredUser
from chalicelib.modules.time_sessions.importing.rows import Person

FIELD = "person"
_NOT_ALLOWED = "is another user, whose time you may not manage"

People = Mapping[Person, UUID | ActionError]
"""The user of each person, or the error of their rows."""


def find(ctx: Context, persons: Iterable[Person]) -> People:
    """Find the users that rows name. FORBIDDEN for others without the permission, NOT_FOUND for no active user."""
    others = {person for person in persons if person != Person()}
    people: dict[Person, UUID | ActionError] = {Person(): ctx.user.id}
    if not others:
        return people
    if Permission.TIME_OF_OTHERS not in ctx.principal.permissions:
        refused = invalid_fields({FIELD: [_NOT_ALLOWED]}, ErrorCode.FORBIDDEN)
        return {**people, **dict.fromkeys(others, refused)}
    by_person = _candidates(ctx, others)
    for person in others:
        users = [user for user in by_person[person] if is_meant(person, user)]
        people[person] = users[0].id if len(users) == 1 else _nobody(person, len(users))
    return people


def is_meant(person: Person, user: StoredUser) -> bool:
    """Return True if the user is active, and has the address or name."""
    own = user.email if person.email is not None else user.full_name
    return user.is_active and text.unique_form(own) == (person.email or person.name)


def unknown(person: Person) -> ActionError:
    word = "e-mail address" if person.email is not None else "name"
    return invalid_fields({FIELD: [f"no active user has this {word}"]}, ErrorCode.NOT_FOUND)


def _nobody(person: Person, number: int) -> ActionError:
    if number:
        return invalid_field(FIELD, f"{number} active users have this name")
    return unknown(person)


def _candidates(ctx: Context, persons: set[Person]) -> Mapping[Person, list[StoredUser]]:
    """Return the users whose folded name or address is the person's: found by index, read consistently."""
    listing = keys.listing(ctx.organization, USERS.kind, deleted=False)
    by_text: dict[str, list[UUID]] = defaultdict(list)
    for row in table.query_slim(listing, maximum=EXACT_LIST_ROWS):
        for folded in row.search.split(SEPARATOR):
            by_text[folded].append(UUID(row.sk))
    ids = {person: by_text.get(text.fold(person.email or person.name or ""), []) for person in persons}
    users = USERS.get_many(ctx.organization, {id_ for matching in ids.values() for id_ in matching})
    return {person: [users[id_] for id_ in matching if id_ in users] for person, matching in ids.items()}
