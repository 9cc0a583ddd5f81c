"""A client of the run: it sends requests, loses answers, repeats with the same key, and records the answers."""

from __future__ import annotations

import contextlib
import random
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from chalicelib.action.registry import REGISTRY
from chalicelib.auth.tokens import Token
from tests.prove.history import About, Request, effects_of
from tests.support.api import Answer, Api, Call
from tests.support.client_hooks import Odds, ProcessDied, Recording, Storm, in_storm

if TYPE_CHECKING:
    from tests.prove.operations.identity import CodeMail
    from tests.prove.world import World

ODDS = Odds(response_lost=0.2, throttled=0.2, conflict=0.05, request_lost=0.02, death=0.02)
"""Odds of each attempt of the SDK, while clients write."""
ANSWERS_DROPPED = 0.2
MAX_ATTEMPTS = 60
_RETRIED = frozenset({"DATABASE_ERROR", "CONFLICT", "RATE_LIMITED"})
_MAX_RATE_LIMITED = 3
_PAUSE_SECONDS = 0.01


class ClientApi(Api):
    """The API of a client. Public actions are not checked: a repeated sign-up may have tried several organizations."""

    def hold_to_tenant(self, action: str, token: str | None, answer: Answer) -> None:
        if not REGISTRY[action].is_public:
            super().hold_to_tenant(action, token, answer)


@dataclass
class Account:
    """A user, as known to the client who plays the user."""

    organization: str
    user: str
    email: str
    password: str
    role: str = "OWNER"
    is_active: bool = True
    has_accepted: bool = True
    tokens: list[str] = field(default_factory=list)
    """Tokens of the open sessions; the first one is used."""
    wrong_passwords: int = 0
    resets: int = 0

    @property
    def sessions(self) -> set[str]:
        return {session_of(token) for token in self.tokens}

    @property
    def can_sign_in(self) -> bool:
        return self.is_active and self.has_accepted


@dataclass
class ReadState:
    """The activities that the client's first user has read and archived."""

    read: set[str] = field(default_factory=set)
    archived: set[str] = field(default_factory=set)
    read_all_until: str | None = None
    """The time at which all were marked as read. Earlier activities may be read or not, unless they are in `read`."""


def session_of(token: str) -> str:
    parsed = Token.parse(token)
    assert parsed is not None
    return str(parsed.session)


class Client:
    def __init__(self, world: World, number: int, account: Account, *, shares: bool, is_calm: bool = False) -> None:
        """Create a client. `shares`: it also works on common entities. `is_calm`: without faults."""
        self.world = world
        self.name = f"c{number:02}"
        self.account = account
        self.accounts = [account]
        self.shares = shares
        self.rng = self.generator("plan")
        self.own: dict[str, list[dict[str, Any]]] = {}
        """Entity type to the entities that only this client changes, as last answered."""
        self.pending_mails: list[CodeMail] = []
        """Pending mails with codes."""
        self.read_state = ReadState()
        self.requests = 0
        self.storm = Storm(Odds() if is_calm else ODDS, self.generator("faults"))
        self._drops = self.generator("drops")
        self._dropped = 0 if is_calm else ANSWERS_DROPPED
        self._api = ClientApi(source=f"203.0.113.{number}")

    def generator(self, purpose: str) -> random.Random:
        return random.Random(f"{self.world.seed}/{self.name}/{purpose}")

    # -- requests of operations --------------------------------------------------------------------------------------

    def write(
        self,
        action: str,
        about: About,
        *,
        by: Account | None = None,
        allowed: frozenset[str] = frozenset(),
        runs: tuple[str, About] | None = None,
        **parts: Any,
    ) -> Any:
        """Send a write; return the answer's data, or None for a refusal, whose code must be in `allowed`."""
        request = self._send(action, by, parts)
        answer = request.answer
        if answer is None:
            return None
        if answer.status >= 400:
            if answer.code not in allowed:
                self.world.report("false refusal", f"{action} was refused: {answer.text[:300]}", request)
            return None
        data = answer.data
        if about[0] == "session" and about[1] is None:
            about = ("session", session_of(data["token"]))
        if action == "signUp":
            about = ("organization", data["organization"]["id"])
            request.organization = data["organization"]["id"]
        request.effects = effects_of(action, about, data, runs)
        self._compare(request, data)
        return data

    def is_refused(self, action: str, code: str, *, by: Account | None = None, **parts: Any) -> None:
        """Send a request that must be refused."""
        request = self._send(action, by, parts)
        if request.answer is not None and (request.answer.status < 400 or request.answer.code != code):
            self.world.report("missing refusal", f"{action} was not refused with {code}", request)

    def read(self, action: str, *, by: Account | None = None, **parts: Any) -> Any:
        """Send a read; return None if all attempts failed."""
        call, token = Call.of(action, **parts), (by or self.account).tokens[0]
        for _ in range(MAX_ATTEMPTS):
            with contextlib.suppress(ProcessDied), in_storm(self.storm):
                answer = self._api.send(call, token)
                if answer.status < 400:
                    return answer.data
                if answer.code not in _RETRIED:
                    self.world.report("false refusal", f"{action} was refused: {answer.text[:300]}")
                    return None
        self.world.report("no answer", f"{action} was not answered in {MAX_ATTEMPTS} attempts")
        return None

    # -- repetition --------------------------------------------------------------------------------------------------

    def _send(self, action: str, by: Account | None, parts: dict[str, Any]) -> Request:
        account = by or self.account
        is_public = REGISTRY[action].is_public
        self.requests += 1
        request = Request(
            client=self.name,
            number=self.requests,
            organization=account.organization,
            user=None if is_public else account.user,
            call=Call.of(action, **parts),
            key=f"{self.name}-{self.requests}-{self.rng.getrandbits(64):016x}",
        )
        self.world.history.add(request)
        token = None if is_public else account.tokens[0]
        rate_limited = 0
        for attempt in range(MAX_ATTEMPTS):
            if attempt:
                time.sleep(self._drops.uniform(0, _PAUSE_SECONDS * min(attempt, 10)))
            answer = self._try(request, token)
            if answer is None:
                continue
            rate_limited += answer.status == 429
            if answer.status < 400 or answer.code not in _RETRIED or rate_limited > _MAX_RATE_LIMITED:
                request.answer = answer
                return request
        self.world.report("no answer", f"{action} was not answered in {MAX_ATTEMPTS} attempts", request)
        return request

    def _try(self, request: Request, token: str | None) -> Answer | None:
        """Make one attempt; return None if the process died or its answer was lost."""
        try:
            with in_storm(self.storm):
                answer = self._api.send(request.call, token, key=request.key)
        except ProcessDied:
            request.attempts.append("died")
            return None
        is_dropped = self._drops.random() < self._dropped
        text = f"{answer.status}{' ' + answer.code if answer.status >= 400 else ''}{' again' * answer.is_replay}"
        request.attempts.append(text + " (dropped)" * is_dropped)
        if answer.status == 500:
            self.world.report("internal error", answer.text[:300], request)
        # The recording is not needed later, and it is large.
        return None if is_dropped else replace(answer, recording=Recording())

    def _compare(self, request: Request, data: Any) -> None:
        """Report fields of the answer that differ from the request."""
        if not isinstance(data, dict) or not isinstance(request.call.body, dict):
            return
        for name, value in request.call.body.items():
            if name in data and isinstance(value, str | int | bool) and data[name] != value:
                self.world.report("other answer", f"{name} is {data[name]!r} instead of {value!r}", request)

    # -- own entities ------------------------------------------------------------------------------------------------

    def keep(self, entity: str, data: dict[str, Any] | None) -> None:
        """Record the current state of an own entity."""
        if data is None:
            return
        known = self.own.setdefault(entity, [])
        known[:] = [other for other in known if other["id"] != data["id"]]
        if data.get("deletedAt") is None:
            known.append(data)

    def drop(self, entity: str, identifier: str) -> None:
        known = self.own.get(entity, [])
        known[:] = [other for other in known if other["id"] != identifier]

    def mine(self, entity: str, **fields: Any) -> list[dict[str, Any]]:
        """Return own live entities, oldest first."""
        known = sorted(self.own.get(entity, []), key=lambda data: str(data["id"]))
        return [data for data in known if all(data.get(name) == value for name, value in fields.items())]

    def pick(self, entity: str, **fields: Any) -> dict[str, Any] | None:
        candidates = self.mine(entity, **fields)
        return self.rng.choice(candidates) if candidates else None

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def in_common(self, probability: float = 0.5) -> bool:
        """Return True if the current operation is to use common entities."""
        drawn = self.rng.random()
        return self.shares and drawn < probability

    def unique(self, word: str) -> str:
        return f"{word} {self.name} {self.requests} {self.rng.getrandbits(24):06x}"
