"""The requests of the clients, with their attempts, answers and expected effects."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chalicelib.action.registry import REGISTRY
from chalicelib.action.row_import import RowResult
from chalicelib.models.audit import AuditEvent
from tests.support.api import Answer, Call

About = tuple[str, str | None]
"""Type and id of an entity, as in the audit log. Without an id: the entity that the request creates."""

_KEEPING_VERSIONS = frozenset(
    {
        AuditEvent.ACTIVITIES_READ,
        AuditEvent.ACTIVITY_ARCHIVED,
        AuditEvent.ACTIVITY_READ,
        AuditEvent.ACTIVITY_UNARCHIVED,
        AuditEvent.ASSIGNMENT_DELETED,
        AuditEvent.INVITATION_RESENT,
        AuditEvent.PASSWORD_RESET_REQUESTED,
        AuditEvent.QUICK_ACTION_EXECUTED,
        AuditEvent.WORKERS_IMPORTED,
    }
)
"""Events that do not change the version of their entity."""


@dataclass(frozen=True)
class Effect:
    """The expected effect of one request on one entity."""

    event: AuditEvent | None
    """Event of its audit entry; None for an entity that is created in addition to the request's own."""
    entity: str
    id: str
    data: dict[str, Any] | None = None
    """The entity in the answer, if the answer is about it."""

    @property
    def changes_version(self) -> bool:
        return self.event not in _KEEPING_VERSIONS

    @property
    def version(self) -> int | None:
        return None if self.data is None else int(self.data["version"])


@dataclass
class Request:
    """A write: the same call with the same key, repeated until it is answered."""

    client: str
    number: int
    organization: str | None
    user: str | None
    """Id of the sender; None for a public action."""
    call: Call
    key: str
    attempts: list[str] = field(default_factory=list)
    answer: Answer | None = None
    effects: list[Effect] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        return self.answer is not None and self.answer.status < 400

    def __str__(self) -> str:
        parts = [f"{name}={value}" for name, value in (("path", self.call.path), ("body", self.call.body)) if value]
        request = f"{self.client}/{self.number} {self.call.action} {' '.join(parts)} key={self.key}"
        answered = "no answer" if self.answer is None else f"{self.answer.status} {self.answer.text[:600]}"
        return f"{request}\n      {', '.join(self.attempts)}\n      {answered}"

    def names(self, identifier: str) -> bool:
        """Return True if the entity is in the request, its effects or its answer."""
        texts = [json.dumps([self.call.path, self.call.body], default=str), self.answer.text if self.answer else ""]
        return any(identifier in text for text in texts) or any(effect.id == identifier for effect in self.effects)


class History:
    """All requests of a run, by all clients."""

    def __init__(self) -> None:
        self._requests: list[Request] = []
        self._lock = threading.Lock()

    def add(self, request: Request) -> None:
        with self._lock:
            self._requests.append(request)

    def __iter__(self) -> Iterator[Request]:
        return iter(list(self._requests))

    def __len__(self) -> int:
        return len(self._requests)

    def done(self) -> list[Request]:
        return [request for request in self if request.is_done]

    def effects(self) -> Iterator[tuple[Request, Effect]]:
        for request in self:
            for effect in request.effects:
                yield request, effect

    def about(self, identifier: str) -> list[Request]:
        return [request for request in self if request.names(identifier)]


def effects_of(action: str, about: About, data: Any, runs: tuple[str, About] | None = None) -> list[Effect]:
    """Return the effects of an answered request. `runs`: the action that a quick action runs, and its entity."""
    entity, identifier = about
    identifier = identifier or str(data["id"])
    answered = data if isinstance(data, dict) and data.get("id") == identifier and "version" in data else None
    effects = [Effect(REGISTRY[action].audit, entity, identifier, answered)]
    if runs is not None:
        effects += effects_of(*runs, data["result"])
    if action == "importWorkers":
        created = [row["workerId"] for row in data["rows"] if row["result"] == RowResult.CREATED]
        effects += [Effect(AuditEvent.WORKER_CREATED, "worker", worker) for worker in created]
    if action == "signUp":
        effects[0] = Effect(AuditEvent.ORGANIZATION_CREATED, entity, identifier, data["organization"])
        effects.append(Effect(None, "user", data["user"]["id"], data["user"]))
    if action == "acceptInvitation":
        effects[0] = Effect(AuditEvent.INVITATION_ACCEPTED, entity, identifier, data["user"])
    return effects
