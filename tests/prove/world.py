"""The state that the clients of a run share: common entities, mail, the history and its violations."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.core import clock
from tests.prove.history import History, Request
from tests.support.client_hooks import Storm
from tests.support.mail_delivery import Post


@dataclass(frozen=True)
class Violation:
    check: str
    message: str
    request: Request | None = None
    entity: str | None = None
    """Id of an entity whose history is reported, too."""
    organization: str | None = None


@dataclass
class World:
    seed: int
    post: Post
    history: History = field(default_factory=History)
    violations: list[Violation] = field(default_factory=list)
    commons: dict[str, list[str]] = field(default_factory=dict)
    """Entity type to ids of common entities. Fixed, so that a lost one is noticed."""
    storms: list[Storm] = field(default_factory=list)
    """The faults of the clients and the consumer."""
    now: datetime = field(default_factory=clock.now)
    """Start of the run. Assignments days away from it keep their status during the run."""
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
        """Return the number of mails to an address."""
        return len(self.post.mailbox.mails(address))

    def code(self, address: str) -> str | None:
        """Return the newest code mailed to an address, but for those that confirm the address."""
        mails = self.post.mailbox.mails(address)
        return next((mail["code"] for mail in mails if mail["code"] and "confirm-email" not in mail["body"]), None)
