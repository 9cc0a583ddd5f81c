"""Helpers for assignments: at a frozen instant, with times in hours from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.core import clock, ids
from tests.support.api import Answer
from tests.support.factories import Member, Organization
from tests.support.staffing import created, new_position

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
MILLISECOND = 1 / 3_600_000
"""A millisecond in hours."""


def at(hours: float) -> str:
    """Return the instant `hours` from now, as the API writes it."""
    return clock.to_text(NOW + timedelta(milliseconds=round(hours * 3_600_000)))


@dataclass(frozen=True)
class Desk:
    organization: Organization
    member: Member

    @classmethod
    def of(cls, organization: Organization) -> Desk:
        return cls(organization, organization.owner)

    def as_(self, member: Member) -> Desk:
        return replace(self, member=member)

    def worker(self) -> str:
        phone = f"+49 30 {ids.new_id().int % 10**10:010d}"
        return str(created(self.member, "createWorker", firstName="Mehmet", lastName="Yılmaz", phone=phone)["id"])

    def position(self, location: str | None = None, **fields: Any) -> str:
        return str(new_position(self.member, location, **fields)["id"])

    def try_to_assign(self, worker: Any, position: Any, start: float = 1, end: float | None = 9) -> Answer:
        times = {"startAt": at(start), **({} if end is None else {"endAt": at(end)})}
        return self.member.call("createAssignment", body={"workerId": worker, "positionId": position, **times})

    def assign(self, worker: Any, position: Any, start: float = 1, end: float | None = 9) -> dict[str, Any]:
        """Assign a worker, from and to a number of hours from now."""
        answer = self.try_to_assign(worker, position, start, end)
        assert answer.status == 201, answer.text
        data: dict[str, Any] = answer.data
        return data

    def on(self, action: str, identifier: Any, **parts: Any) -> Answer:
        return self.member.call_on(action, identifier, **parts)

    def done(self, action: str, identifier: Any, **parts: Any) -> dict[str, Any]:
        answer = self.on(action, identifier, **parts)
        assert answer.status == 200, answer.text
        data: dict[str, Any] = answer.data
        return data

    def read(self, identifier: Any) -> dict[str, Any]:
        return self.done("getAssignment", identifier)

    def listed(self, **query: Any) -> list[str]:
        """Return the ids on the first page of a list."""
        answer = self.member.call("getAssignments", query=query)
        assert answer.status == 200, answer.text
        return [row["id"] for row in answer.data["data" if "data" in answer.data else "items"]]


def refusal(answer: Answer) -> tuple[int, str, list[str]]:
    """Return status, code and the invalid fields of a refusal."""
    return answer.status, answer.code, sorted(answer.error.get("details", {}).get("fieldErrors", {}))
