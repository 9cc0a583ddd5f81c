"""What the clients of a run share: organizations, a pool of common entities, mail, the history and its violations."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.core import clock
from tests.prove.history import History, Request
from tests.support.post import Post
from tests.support.wire import Storm


@dataclass(frozen=True)
class Violation:
    check: str
    message: str
    request: Request | None = None
    entity: str | None = None
    """The id of an entity whose history tells more."""
    organization: str | None = None


@dataclass
class World:
    seed: int
    post: Post
    history: History = field(default_factory=History)
    violations: list[Violation] = field(default_factory=list)
    commons: dict[str, list[str]] = field(default_factory=dict)
    """Ids of what everybody works on, by entity type: fixed, so that who is lost among them is found again."""
    storms: list[Storm] = field(default_factory=list)
    """What strikes the clients and the consumer."""
    now: datetime = field(default_factory=clock.now)
    """When the run began: what lies days from here stays scheduled, active or past while it lasts."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def report(
        self,
        check: str,
        message: str,
        request: Request | None = None,
        *,
        entity: str | None = None,
        organization: Any = None,
    ) -> None:
        with self._lock:
            self.violations.append(Violation(check, message, request, entity, organization and str(organization)))

    def mails(self, address: str) -> int:
        """How many have come."""
        return len(self.post.mailbox.mails(address))

    def code(self, address: str) -> str | None:
        """The newest one that has come."""
        return self.post.mailbox.latest_code(address)
