"""Rate limits: which there are, and the uses that one request takes of them."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from chalicelib.core.errors import ActionError
from chalicelib.core.observability import logger
from chalicelib.core.settings import settings
from chalicelib.dal import limits
from chalicelib.dal.limits import Allowance, Limit, RateLimited, Usage, Use
from chalicelib.dal.unit_of_work import UnitOfWork

_MINUTE = 60
_HOUR = 60 * _MINUTE

# By e-mail address.
SIGN_INS = Limit("sign-in", 10, 15 * _MINUTE)
"""Failures; a success forgets them."""
PASSWORD_CHANGES = Limit("password-change", 10, 15 * _MINUTE)
"""Wrong current passwords. Apart from sign-in: who has no session must not keep a user from changing the password."""
REPETITIONS = Limit("repetition", 10, 15 * _MINUTE)
"""Wrong secrets with a known Idempotency-Key."""
_OF_FAILURES = frozenset({SIGN_INS, PASSWORD_CHANGES, REPETITIONS})

RESET_MAILS = Limit("password-reset", 5, _HOUR)

UNSUBSCRIBINGS = Limit("unsubscribe", 20, _HOUR)
"""Looks at a mail's subscription and ends of it."""

# By source address.
HASHES = Limit("password-hashing", 300, 15 * _MINUTE)
"""Requests that hash a password, successful or not: each costs memory and a good part of a second."""
SIGN_UPS = Limit("sign-up", 20, _HOUR)
"""New organizations."""
RESET_MAILS_OF_SOURCE = Limit("password-reset-source", 300, _HOUR)

UNSUBSCRIBINGS_OF_SOURCE = Limit("unsubscribe-source", 600, _HOUR)
"""Mail providers ask for many of their users from a few addresses."""


def of_source(source: str, *by_source: Limit) -> list[Allowance]:
    """The limits as they apply to a source address; none where all requests come from one, as they do locally."""
    return [limit.of_source(_network(source)) for limit in by_source] if settings().limits_by_source else []


def _network(source: str) -> str:
    """Return the source; of IPv6 the /64, since a single machine has all of its addresses."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv4Address):
        return source
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))


class RequestLimits:
    """The uses that a request takes of its limits: one of each, however often its action runs again."""

    def __init__(self) -> None:
        self._usages: dict[Allowance, Usage] = {}
        self._uses: dict[Allowance, Use] = {}
        self._proven: set[Allowance] = set()
        self._forgotten: set[Allowance] = set()

    def take(self, *usages: Usage) -> None:
        """Reserve a use of each before the work; RATE_LIMITED when one has none left."""
        # A run that begins anew has proven nothing yet: the password may have changed since the last one.
        self._proven -= {usage.allowance for usage in usages}
        missing = [usage for usage in usages if usage.allowance not in self._uses]
        try:
            uses = limits.take(*missing) if missing else []
        except RateLimited as refused:
            self.note(refused.usage)
            raise
        for use in uses:
            self._uses[use.usage.allowance] = use
            self.note(use.usage)

    def take_in(self, unit: UnitOfWork, usage: Usage) -> None:
        """Reserve a use in the unit's own transaction; RATE_LIMITED when none is left."""
        self.note(usage)
        self.note(limits.take_in(unit, usage).usage)

    def prove(self, allowance: Allowance) -> None:
        """Note that the request was no failure: its use is given back, even if the commit fails."""
        self._proven.add(allowance)

    def prove_repetition(self) -> None:
        """The request was carried out before, so it is no failure, though its password may have changed since."""
        self._proven |= {allowance for allowance in self._uses if allowance.limit in _OF_FAILURES}

    def forget(self, unit: UnitOfWork, allowance: Allowance) -> None:
        """Note the same; when the unit commits, earlier uses are given back too."""
        self.prove(allowance)
        self._forgotten.add(allowance)
        limits.forget(unit, allowance)

    def commit(self) -> None:
        """Note that the unit of the last run was committed: the uses that it gave back are gone."""
        for allowance in self._forgotten & self._uses.keys():
            self.note(replace(self._uses.pop(allowance).usage, slots=()))

    def settle(self) -> None:
        """Give back the uses that were proven no failures, however the request ended."""
        for allowance in self._proven & self._uses.keys():
            use = self._uses.pop(allowance)
            try:
                limits.give_back(use)
            except ActionError as error:
                # It counts until its window has passed: no reason to fail a request that did its work.
                logger.warning("a use of a rate limit was not given back", extra={"error": error.code})
            else:
                self.note(use.usage.plus(-1))

    def headers(self) -> dict[str, str]:
        """Return `RateLimit` and `RateLimit-Policy`, as draft-ietf-httpapi-ratelimit-headers has them."""
        if not self._usages:
            return {}
        usages = self._usages.values()
        left = (f'"{usage.limit.name}";r={usage.left};t={usage.seconds_to_room}' for usage in usages)
        policies = (f'"{limit.name}";q={limit.quota};w={limit.seconds}' for limit in (usage.limit for usage in usages))
        return {"RateLimit": ", ".join(left), "RateLimit-Policy": ", ".join(policies)}

    def note(self, usage: Usage) -> None:
        """Return the headers with the limits of the request."""
        self._usages[usage.allowance] = usage
