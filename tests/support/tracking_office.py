"""An organization with tracked time in several months, and all the ways to change the figures of its analyses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.core import clock
from chalicelib.models.users import USERS, Role
from tests.support.api import Api
from tests.support.factories import Member, Organization, new_organization, unique
from tests.support.project_helpers import new_project, new_task
from tests.support.staffing import new_client

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
"""The time stands still here while figures change."""


@dataclass
class Office:
    organization: Organization
    owner: Member
    member: Member
    client: str
    project: str
    task: str
    sessions: list[str] = field(default_factory=list)
    """The member's sessions."""
    changes: int = 0

    @property
    def user(self) -> dict[str, str]:
        return {"userId": str(self.member.user.id)}

    def number(self) -> int:
        """Return another number for each change, so that none repeats what is there."""
        self.changes += 1
        return self.changes

    def times(self, start: datetime | None = None) -> dict[str, str]:
        """Return the times of a session, by default of one on another day than any before."""
        start = start or NOW - timedelta(days=2 * self.number(), minutes=self.changes)
        return {"startAt": clock.to_text(start), "endAt": clock.to_text(start + timedelta(minutes=90))}

    def track(self, start: datetime | None = None, **fields: Any) -> None:
        self.sessions.append(_done(self.member, "createTimeSession", body={**self.times(start), **fields})["id"])


def _done(member: Member, action: str, **parts: Any) -> dict[str, Any]:
    answer = member.call(action, **parts)
    assert answer.status in {200, 201}, answer.text
    data: dict[str, Any] = answer.data
    return data


def new_office(api: Api) -> Office:
    """Create an organization whose member has a session over midnight in each of six months."""
    organization = new_organization(api, timezone="Europe/Berlin")
    owner, member = organization.owner, organization.member(Role.MEMBER)
    client = new_client(owner)["id"]
    project = new_project(owner, clientId=client)["id"]
    office = Office(organization, owner, member, client, project, new_task(owner, project)["id"])
    _done(owner, "addProjectMember", path={"id": project, **office.user})
    for month in range(1, 7):
        start = datetime(2026, month, 8, 21, 30, tzinfo=UTC)
        office.track(start, projectId=project, taskId=office.task, tags=["a"], billable=True)
    _done(owner, "createTimeSession", body=office.times())
    return office


# -- sessions --------------------------------------------------------------------------------------------------------


def _change(office: Office, **fields: Any) -> None:
    _done(office.member, "updateTimeSession", path={"id": office.sessions[-1]}, body=fields)


def _move(office: Office, month: int) -> None:
    _change(office, **office.times(datetime(2026, month, 1, 1, office.number() % 60, tzinfo=UTC)))


def _change_billable(office: Office) -> None:
    session = _done(office.member, "getTimeSession", path={"id": office.sessions[-1]})
    _change(office, billable=not session["billable"])


def _delete(office: Office) -> None:
    office.track()
    for place in (-1, 0):
        _done(office.member, "deleteTimeSession", path={"id": office.sessions.pop(place)})


def _change_many(office: Office) -> None:
    body = {"ids": office.sessions, "changes": {"tags": [unique("tag")]}}
    _done(office.member, "updateTimeSessions", body=body)


def _delete_many(office: Office) -> None:
    _done(office.member, "deleteTimeSessions", body={"ids": office.sessions})
    office.sessions.clear()
    office.track()


def _import(office: Office) -> None:
    start = NOW - timedelta(days=2 * office.number())
    row = {"date": f"{start:%Y-%m-%d}", "start": "03:00", "hours": "1.5", "tags": unique("tag")}
    assert _done(office.member, "importTimeSessions", body={"rows": [row]}, query={"createMissing": "true"})["created"]


# -- timers ----------------------------------------------------------------------------------------------------------


def _start(office: Office, **fields: Any) -> None:
    if _done(office.member, "getCurrentTimer")["timer"] is None:
        start = clock.to_text(NOW - timedelta(minutes=10))
        _done(office.member, "startTimer", body={"startAt": start, **fields})


def _discard(office: Office) -> None:
    _start(office)
    _done(office.member, "discardTimer")


def _stop(office: Office) -> None:
    _discard(office)
    _start(office, projectId=office.project)
    _done(office.member, "stopTimer", body={"endAt": clock.to_text(NOW - timedelta(minutes=5))})


def _switch(office: Office) -> None:
    _discard(office)
    _start(office)
    _done(office.member, "startTimer", body={"stopRunning": True, "projectId": office.project})


def _change_timer(office: Office) -> None:
    _start(office)
    _done(office.member, "updateTimer", body={"tags": [unique("tag")]})


def _pause(office: Office) -> None:
    _discard(office)
    _start(office)
    _done(office.member, "pauseTimer", body={"at": clock.to_text(NOW - timedelta(minutes=3))})


def _deactivate(office: Office) -> None:
    _start(office)
    for action in ("deactivateUser", "reactivateUser"):
        _done(office.owner, action, path=office.user)
    user = USERS.get(office.organization.id, office.member.user.id)
    office.member = replace(office.member, token=office.organization.session(user))


# -- rates, names, zones ---------------------------------------------------------------------------------------------


def _rate(office: Office, action: str, **path: str) -> None:
    body = {"amount": 5000 + office.number(), "currency": "EUR"}
    _done(office.owner, action, path={"effectiveFrom": "2026-02-01", **path}, body=body)


def _delete_rate(office: Office) -> None:
    _rate(office, "setProjectRate", id=office.project)
    path = {"id": office.project, "effectiveFrom": "2026-02-01"}
    _done(office.owner, "deleteProjectRate", path=path)
    _rate(office, "setOrganizationRate")


def _rename(office: Office, action: str, path: dict[str, str], **fields: str) -> None:
    _done(office.owner, action, path=path, body=fields)


def _zone(member: Member, office: Office, action: str) -> None:
    zones = ["Asia/Kathmandu", "Pacific/Apia", "America/St_Johns"]
    _done(member, action, body={"timezone": zones[office.number() % 3]})


def _week_start(office: Office) -> None:
    before = _done(office.owner, "getOrganization")["weekStart"]
    after = "SUNDAY" if before == "MONDAY" else "MONDAY"
    _done(office.owner, "updateOrganization", body={"weekStart": after})


WAYS: Mapping[str, Callable[[Office], object]] = {
    "a session": lambda office: office.track(projectId=office.project, billable=True),
    "a session by another": lambda office: _done(
        office.owner, "createTimeSession", body={**office.times(), **office.user}
    ),
    "time of a session": lambda office: _move(office, 6),
    "month of a session": lambda office: _move(office, 2),
    "tags of a session": lambda office: _change(office, tags=[unique("tag")]),
    "project of a session": lambda office: _change(office, projectId=new_project(office.owner)["id"], taskId=None),
    "billable": _change_billable,
    "deleted sessions": _delete,
    "changed sessions": _change_many,
    "sessions deleted at once": _delete_many,
    "an import": _import,
    "a timer": _start,
    "a changed timer": _change_timer,
    "a paused timer": _pause,
    "a discarded timer": _discard,
    "a stopped timer": _stop,
    "a timer in the place of another": _switch,
    "deactivation": _deactivate,
    "rate of the organization": lambda office: _rate(office, "setOrganizationRate"),
    "rate of the user": lambda office: _rate(office, "setMemberRate", **office.user),
    "rate of the project": lambda office: _rate(office, "setProjectRate", id=office.project),
    "rate of the member": lambda office: _rate(office, "setProjectMemberRate", id=office.project, **office.user),
    "deleted rate": _delete_rate,
    "name of the project": lambda office: _rename(
        office, "updateProject", {"id": office.project}, name=unique("Project")
    ),
    "client of the project": lambda office: _rename(
        office, "updateProject", {"id": office.project}, clientId=new_client(office.owner)["id"]
    ),
    "name of the client": lambda office: _rename(office, "updateClient", {"id": office.client}, name=unique("Client")),
    "title of the task": lambda office: _rename(office, "updateTask", {"id": office.task}, title=unique("Task")),
    "own name": lambda office: _done(office.member, "updateProfile", body={"firstName": unique("Anna")}),
    "name by another": lambda office: _rename(office, "updateUser", office.user, lastName=unique("Berg")),
    "own zone": lambda office: _zone(office.member, office, "updatePreferences"),
    "zone of the organization": lambda office: _zone(office.owner, office, "updateOrganization"),
    "start of the week": _week_start,
}
"""Every kind of write that can change a figure, a name or a day."""
