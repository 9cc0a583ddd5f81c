"""A valid, fresh request for any action of the registry, derived from the action's declaration.

Bodies come from the OpenAPI example, ids in paths from the action that POSTs to the collection before them, ids in
bodies from the action that creates such an entity. `ARRANGEMENTS` has the preconditions that are not declared.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from pydantic import SecretStr

from chalicelib.action import openapi
from chalicelib.action.registry import PREFIX, REGISTRY, Action
from chalicelib.auth import codes, unsubscribing
from chalicelib.auth.tokens import Token
from chalicelib.core import clock, ids
from chalicelib.dal import table
from chalicelib.models import users
from chalicelib.models.identity import credentials
from chalicelib.models.identity.credentials import CodePurpose
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.users import Role
from tests.support.api import Answer, Api, Call
from tests.support.factories import PASSWORD, Member, Organization, address, unique
from tests.support.loan_helpers import Deal, become, offered, party

ANOTHER_PASSWORD = "steady-lantern-77"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SAMPLES = {"date": "2026-03-01", "date-time": "2026-03-01T08:30:00.000Z"}
_HINT = "add the preconditions of its request to ARRANGEMENTS (tests/support/arrange.py)"


_days = itertools.count()


class NotArranged(AssertionError):
    """No valid request could be derived."""


@dataclass(frozen=True)
class Arranged:
    """A request that its sender can send once, and that is answered with the action's declared status."""

    api: Api
    call: Call
    organization: Organization
    sender: Member | None

    @property
    def action(self) -> Action:
        return REGISTRY[self.call.action]

    def send(self, key: str | None = None, token: str | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Send the request. `token`: of another sender."""
        own = self.sender.token if self.sender else None
        call = replace(self.call, headers={**self.call.headers, **(headers or {})})
        return self.api.send(call, token or own, key=key)

    @property
    def ids(self) -> set[str]:
        """All ids in the request."""
        return {*_UUID.findall(repr((self.call.path, self.call.body)))}

    def with_other_ids(self) -> Arranged:
        """Return the same request about entities that do not exist."""
        others = {identifier: str(ids.new_id()) for identifier in self.ids}
        path, body = _replaced(self.call.path, others), _replaced(self.call.body, others)
        return replace(self, call=replace(self.call, path=path, body=body))


@dataclass(frozen=True)
class Scene:
    """The organization and sender of a request. Its first OWNER creates the preconditions."""

    organization: Organization
    sender: Member

    def create(self, action: str, path: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
        """Send a valid request as the OWNER; return the answer's data. `fields` replace derived fields of the body."""
        call = derive_call(REGISTRY[action], replace(self, sender=self.organization.owner), path)
        if fields:
            call = replace(call, body={**call.body, **fields})
        answer = self.organization.api.send(call, self.organization.owner.token)
        if answer.status != REGISTRY[action].status:
            raise NotArranged(f"{action} answers {answer.status} {answer.text}: {_HINT}")
        data: dict[str, Any] = answer.data
        return data

    def code(self, email: str, purpose: CodePurpose) -> str:
        credential = credentials.get(email)
        code = codes.issue(credential, purpose) if credential else None
        assert code is not None
        return code


# Far in the future, so that scheduled assignments stay scheduled, and repeated requests are equal.
_AHEAD = {"startAt": "2096-03-02T08:00:00.000Z", "endAt": "2096-03-02T16:30:00.000Z"}
_LATER = {"startAt": "2096-03-05T08:00:00.000Z", "endAt": "2096-03-05T16:30:00.000Z"}
_OPEN = {"startAt": "2026-03-02T08:00:00.000Z", "endAt": None}


def _assignment(scene: Scene, span: dict[str, str | None]) -> dict[str, str]:
    """Return the path parameters of a new assignment."""
    return {"id": scene.create("createAssignment", **span)["id"]}


def _accept_invitation(scene: Scene) -> dict[str, Any]:
    email = scene.create("inviteUser")["email"]
    return {"body": {"email": email, "code": scene.code(email, CodePurpose.INVITATION), "password": PASSWORD}}


def _unconfirmed(scene: Scene) -> str:
    """Make the sender's address unconfirmed, as that of somebody who has signed up; return it."""
    user = scene.sender.user
    table.update(users.key(scene.organization.id, user.id), [table.assign("emailConfirmed", False)])
    return user.email


def _confirm_email(scene: Scene) -> dict[str, Any]:
    return {"body": {"code": scene.code(_unconfirmed(scene), CodePurpose.CONFIRMATION)}}


def _resend_confirmation(scene: Scene) -> dict[str, Any]:
    _unconfirmed(scene)
    return {}


def _confirm_reset_password(scene: Scene) -> dict[str, Any]:
    email = scene.organization.enrol(Role.MEMBER, PASSWORD).user.email
    return {"body": {"email": email, "code": scene.code(email, CodePurpose.RESET), "newPassword": ANOTHER_PASSWORD}}


def _delete_rate(owner: str, holder: Callable[[Scene], dict[str, str]]) -> Callable[[Scene], dict[str, Any]]:
    """Return the arrangement for deleting a rate. `holder` makes the entity that has it; its path parameters."""

    def arrange_path(scene: Scene) -> dict[str, Any]:
        # Another day each time: the organization's rates are the same for all requests.
        path = {**holder(scene), "effectiveFrom": str(date(2020, 1, 1) + timedelta(days=next(_days)))}
        scene.create(f"set{owner}Rate", path)
        return {"path": path}

    return arrange_path


def _new(entity: str) -> Callable[[Scene], dict[str, str]]:
    """Return a function that creates an entity and returns the path parameter with its id."""
    return lambda scene: {"id": scene.create(f"create{entity}")["id"]}


def _user_id(scene: Scene) -> dict[str, str]:
    return {"userId": scene.create("inviteUser")["id"]}


def _user_of_project(scene: Scene) -> dict[str, str]:
    return {"id": scene.create("createProject")["id"], **_user_id(scene)}


def _project_member(scene: Scene) -> dict[str, str]:
    path = _user_of_project(scene)
    scene.create("addProjectMember", path)
    return path


def _task(scene: Scene) -> dict[str, str]:
    return {"id": scene.create("createTask")["id"]}


def _task_body(scene: Scene, action: str) -> dict[str, Any]:
    """Return the example, with the assignment to a user who exists."""
    return {**example_body(REGISTRY[action]), "assigneeId": scene.create("inviteUser")["id"]}


def _own(scene: Scene, action: str, **fields: Any) -> dict[str, Any]:
    """Create something of the sender's own; return the answer's data."""
    answer = scene.sender.post(action, **{**example_body(REGISTRY[action]), **fields})
    assert answer.status == 201, answer.text
    data: dict[str, Any] = answer.data
    return data


# Without project and task, which the example names.
_WORKED = {"projectId": None, "taskId": None, "userId": None}


def _time_session(scene: Scene) -> dict[str, str]:
    session = _own(scene, "createTimeSession", **_WORKED, externalId=unique("external"))
    return {"id": session["id"]}


def _session_body(scene: Scene, action: str) -> dict[str, Any]:
    """Return the example, of the sender, on a new task."""
    task = scene.create("createTask", assigneeId=None)
    work = {"projectId": task["projectId"], "taskId": task["id"]}
    body = {**example_body(REGISTRY[action]), **work, "externalId": unique("external")}
    return {name: value for name, value in body.items() if name != "userId"}


def _timer_body(scene: Scene, action: str) -> dict[str, Any]:
    """Return the example, on a new task, at an instant that a repetition has, too."""
    task = scene.create("createTask", assigneeId=None)
    body = {**example_body(REGISTRY[action]), "projectId": task["projectId"], "taskId": task["id"]}
    body["startAt"] = clock.to_text(clock.now() - timedelta(minutes=5))
    body.pop("runningEndAt", None)
    return body


def _running_timer(scene: Scene) -> dict[str, Any]:
    """Start the sender's timer ten minutes ago, in the place of one that runs."""
    scene.sender.call("discardTimer")
    with clock.shifted(timedelta(minutes=-10)):
        answer = scene.sender.post("startTimer", description="Abbau")
    assert answer.status == 201, answer.text
    timer: dict[str, Any] = answer.data["timer"]
    return timer


def _after_start(timer: dict[str, Any], minutes: int) -> str:
    return clock.to_text(datetime.fromisoformat(timer["startAt"]) + timedelta(minutes=minutes))


def _with_timer(field: str) -> Callable[[Scene], dict[str, Any]]:
    """Return the arrangement of a request about a running timer, at an instant that a repetition has, too."""
    return lambda scene: {"body": {field: _after_start(_running_timer(scene), 5)}}


def _paused_timer(scene: Scene) -> dict[str, Any]:
    timer = _running_timer(scene)
    assert scene.sender.post("pauseTimer", at=_after_start(timer, 3)).status == 200
    return {"body": {"at": _after_start(timer, 5)}}


def _start_timer(scene: Scene) -> dict[str, Any]:
    scene.sender.call("discardTimer")
    return {"body": _timer_body(scene, "startTimer")}


def _update_timer(scene: Scene) -> dict[str, Any]:
    _running_timer(scene)
    return {"body": _timer_body(scene, "updateTimer")}


def _discard_timer(scene: Scene) -> dict[str, Any]:
    _running_timer(scene)
    return {}


_weeks = itertools.count()
"""Weeks before a Monday: another one each time, so that a sender can submit again."""


def _sheet(scene: Scene, *steps: str, own: bool = False) -> dict[str, Any]:
    """Arrange a week that has gone through steps: of the sender, or of a member whose time an admin manages."""
    user = scene.sender if own else scene.organization.enrol(Role.MEMBER)
    week = date(2026, 3, 2) - timedelta(weeks=next(_weeks))
    path = {"userId": str(user.user.id), "weekStart": str(week)}
    for step in steps:
        member = user if step == "submitTimesheet" else scene.organization.owner
        answer = member.call(step, path=path, body={"reason": "why"} if step == "rejectTimesheet" else None)
        assert answer.status == 200, answer.text
    return {"path": path}


def _with_account(scene: Scene) -> str:
    """Create a member who has tracked time; return their id."""
    member = scene.organization.enrol(Role.MEMBER)
    example = example_body(REGISTRY["createTimeSession"])
    times = {name: example[name] for name in ("startAt", "endAt")}
    assert member.post("createTimeSession", **times).status == 201
    return str(member.user.id)


def _locking(scene: Scene, before: str) -> dict[str, Any]:
    return {"body": {"before": before, "userId": _with_account(scene)}}


def _unlocking(scene: Scene) -> dict[str, Any]:
    body = _locking(scene, "2026-03-05")["body"]
    assert scene.organization.owner.call("lockTimesheet", body=body).status == 200
    return {"body": {**body, "before": "2026-03-01"}}


def _bulk(scene: Scene) -> list[str]:
    return [_time_session(scene)["id"] for _ in range(2)]


def _rows_of_time() -> dict[str, Any]:
    """Return an import of two equal rows, whose project, task and tag there are not."""
    row = {"date": "2026-03-02", "start": "08:00", "end": "12:30", "project": unique("Project"), "task": "Abbau"}
    return {"rows": [{**row, "tags": "Kunde"}] * 2, "createMissing": True}


def _dated(path: dict[str, str]) -> dict[str, Any]:
    return {"path": {**path, "effectiveFrom": _SAMPLES["date"]}}


def _loan_body(scene: Scene) -> dict[str, Any]:
    """Return the example, as an offer of the organization to another one."""
    become(scene.organization, "BOTH")
    borrower = party(scene.organization.api)
    return {**example_body(REGISTRY["createLoan"]), "borrowerOrganizationId": str(borrower.id)}


def _loan(scene: Scene, side: str = "lender", *, is_accepted: bool = False) -> Deal:
    """Arrange a loan, of which the organization is one side."""
    own, other = become(scene.organization, "BOTH"), party(scene.organization.api)
    deal = offered(own, other) if side == "lender" else offered(other, own)
    return deal.accept() if is_accepted else deal


def _deletable(scene: Scene) -> dict[str, Any]:
    deal = _loan(scene)
    deal.lend("cancelLoan")
    return {"path": deal.path}


def _repayment(scene: Scene) -> dict[str, str]:
    """Return the path of a repayment of a new loan."""
    deal = _loan(scene, is_accepted=True)
    return {**deal.path, "repaymentId": deal.lend("recordRepayment", 201, amount=10_000)["id"]}


def _kpi(scene: Scene, side: str = "lender", value: float | None = None) -> dict[str, str]:
    """Return the path of a KPI of a new loan; with a value of its first test."""
    deal = _loan(scene, side, is_accepted=True)
    # Half a year after the test date of the example, a first value is still in time.
    kpi = deal.lend("createKpi", 201, **{**example_body(REGISTRY["createKpi"]), "reportingDays": 366})
    path = {**deal.path, "kpiId": kpi["id"]}
    if value is not None:
        body = {"testDate": kpi["firstTestDate"], "value": value}
        assert deal.borrower.owner.call("recordKpiValue", path=path, body=body).status == 201
    return path


def _waiver(scene: Scene) -> dict[str, Any]:
    return {"path": {**_kpi(scene, value=0.5), "testDate": "2026-06-30"}}


def _execute_quick_action(scene: Scene) -> dict[str, Any]:
    """Arrange a quick action that runs a write, which the same roles may run as quick actions."""
    quick_action = scene.create("createQuickAction", apiAction="recordActivity")
    return {"path": {"id": quick_action["id"]}, "body": {"payload": example_body(REGISTRY["recordActivity"])}}


def _calculated_metric(scene: Scene) -> dict[str, Any]:
    """Create a calculated metric whose values all roles may see."""
    metric = scene.create("createDashboardMetric", permissions=list(Role))
    answer = scene.organization.owner.call("calculateMetrics", body={"metricIds": [metric["id"]]})
    assert answer.status == 200, answer.text
    return metric


def _reactivate_user(scene: Scene) -> dict[str, Any]:
    user = scene.create("inviteUser")["id"]
    return {"path": {"userId": scene.create("deactivateUser", {"userId": user})["id"]}}


def _resend_invitation(scene: Scene) -> dict[str, Any]:
    """Arrange an invitation that was mailed long enough ago to be mailed again."""
    with clock.shifted(timedelta(minutes=-10)):
        return {"path": {"userId": scene.create("inviteUser")["id"]}}


def _reset_password(scene: Scene) -> dict[str, Any]:
    return {"body": {"email": scene.organization.enrol(Role.MEMBER, PASSWORD).user.email}}


def _revoke_session(scene: Scene) -> dict[str, Any]:
    token = Token.parse(scene.organization.session(scene.sender.user))
    assert token is not None
    return {"path": {"id": str(token.session)}}


def _sign_in(scene: Scene) -> dict[str, Any]:
    return {"body": {"email": scene.organization.enrol(Role.MEMBER, PASSWORD).user.email, "password": PASSWORD}}


def _mail_link(scene: Scene) -> dict[str, str]:
    """Return the address and the token of the link in a weekly report."""
    member = scene.organization.enrol(Role.MEMBER)
    member.call("updatePreferences", body={"notifications": {"weeklyReport": True}})
    user = member.user
    organization = ORGANIZATIONS.get(scene.organization.id, scene.organization.id)
    return {"email": user.email, "token": unsubscribing.token(organization, user.id, user.email)}


def _own_widget(scene: Scene) -> dict[str, Any]:
    """Arrange a widget that the sender may change in any role."""
    answer = scene.organization.api.send(derive_call(REGISTRY["createDashboardWidget"], scene), scene.sender.token)
    assert answer.status == 201, answer.text
    return {"path": {"id": answer.data["id"]}}


def _update_assignment(scene: Scene) -> dict[str, Any]:
    return {
        "path": _assignment(scene, _AHEAD),
        "body": {**_LATER, "positionId": scene.create("createPosition")["id"]},
    }


def _update_organization(_: Scene) -> dict[str, Any]:
    settings = example_body(REGISTRY["updateOrganization"])
    del settings["loanRole"]  # only an OWNER may set it, and other roles send this request, too
    return {"body": settings}


def _update_password(_: Scene) -> dict[str, Any]:
    return {"body": {"currentPassword": PASSWORD, "newPassword": ANOTHER_PASSWORD}}


ARRANGEMENTS: dict[str, Callable[[Scene], dict[str, Any]]] = {
    "acceptInvitation": _accept_invitation,
    "acceptLoan": lambda scene: {"path": _loan(scene, "borrower").path},
    "addProjectMember": lambda scene: {"path": _user_of_project(scene)},
    "approveTimesheet": lambda scene: _sheet(scene, "submitTimesheet"),
    "calculateMetrics": lambda scene: {"body": {"metricIds": [_calculated_metric(scene)["id"]]}},
    "cancelAssignment": lambda scene: {"path": _assignment(scene, _AHEAD)},
    "changeUserRole": lambda _: {"body": {"role": Role.VIEWER}},
    "confirmEmail": _confirm_email,
    "confirmResetPassword": _confirm_reset_password,
    "createLoan": lambda scene: {"body": _loan_body(scene)},
    "createTask": lambda scene: {"body": _task_body(scene, "createTask")},
    "createTimeSession": lambda scene: {"body": _session_body(scene, "createTimeSession")},
    "declineLoan": lambda scene: {"path": _loan(scene, "borrower").path},
    "deleteDashboardWidget": _own_widget,
    "deleteKpi": lambda scene: {"path": _kpi(scene)},
    "deleteMemberRate": _delete_rate("Member", _user_id),
    "deleteLoan": _deletable,
    "deleteOrganizationRate": _delete_rate("Organization", lambda _: {}),
    "deletePositionRate": _delete_rate("Position", _new("Position")),
    "deleteProjectMemberRate": _delete_rate("ProjectMember", _project_member),
    "deleteProjectRate": _delete_rate("Project", _new("Project")),
    "deleteTask": lambda scene: {"path": _task(scene)},
    "deleteTimeSession": lambda scene: {"path": _time_session(scene)},
    "deleteTimeSessions": lambda scene: {"body": {"ids": _bulk(scene)}},
    "deleteWorkerRate": _delete_rate("Worker", _new("Worker")),
    "discardTimer": _discard_timer,
    "endAssignment": lambda scene: {"path": _assignment(scene, _OPEN), "body": {"endAt": "2026-03-02T16:30:00.000Z"}},
    "executeQuickAction": _execute_quick_action,
    "getMailSubscription": lambda scene: {"query": _mail_link(scene)},
    "getMemberRates": lambda scene: {"path": _user_id(scene)},
    "getMetricById": lambda scene: {"path": {"id": _calculated_metric(scene)["id"]}},
    "getMetricHistory": lambda scene: {"path": {"id": _calculated_metric(scene)["id"]}},
    "getPayoff": lambda scene: {"path": {"id": _repayment(scene)["id"]}},
    "getProjectMemberRates": lambda scene: {"path": _project_member(scene)},
    "getRepaymentSchedule": lambda scene: {"path": {"id": _repayment(scene)["id"]}},
    "getTask": lambda scene: {"path": _task(scene)},
    "getTimeSession": lambda scene: {"path": _time_session(scene)},
    "getTimesheet": lambda scene: _sheet(scene, "submitTimesheet", own=True),
    "importTimeSessions": lambda _: {"body": _rows_of_time()},
    "importWorkers": lambda _: {
        "body": {"rows": [example_body(REGISTRY["createWorker"]) for _ in range(2)], "dryRun": False}
    },
    "inviteUser": lambda _: {"body": {**example_body(REGISTRY["inviteUser"]), "role": Role.MEMBER}},
    "listKpiTests": lambda scene: {"path": _kpi(scene, value=1.5)},
    "listRepayments": lambda scene: {"path": {"id": _repayment(scene)["id"]}},
    "lockTimesheet": lambda scene: _locking(scene, "2026-03-05"),
    "pauseTimer": _with_timer("at"),
    "reactivateUser": _reactivate_user,
    "recordKpiValue": lambda scene: {"path": _kpi(scene, "borrower")},
    "recordRepayment": lambda scene: {"path": {"id": _repayment(scene)["id"]}},
    "rejectTimesheet": lambda scene: _sheet(scene, "submitTimesheet"),
    "removeProjectMember": lambda scene: {"path": _project_member(scene)},
    "reopenTimesheet": lambda scene: _sheet(scene, "submitTimesheet", "approveTimesheet"),
    "resendConfirmation": _resend_confirmation,
    "resendInvitation": _resend_invitation,
    "resetPassword": _reset_password,
    "resumeTimer": _paused_timer,
    "reverseRepayment": lambda scene: {"path": _repayment(scene)},
    "revokeSession": _revoke_session,
    "setMemberRate": lambda scene: _dated(_user_id(scene)),
    "setProjectMemberRate": lambda scene: _dated(_project_member(scene)),
    "settleLoan": lambda scene: {"path": _loan(scene, is_accepted=True).path},
    "signIn": _sign_in,
    "startTimer": _start_timer,
    "stopTimer": _with_timer("endAt"),
    "submitTimesheet": lambda scene: _sheet(scene, "submitTimesheet", "rejectTimesheet", own=True),
    "unlockTimesheet": _unlocking,
    "unsubscribe": lambda scene: {"body": _mail_link(scene)},
    "updateAssignment": _update_assignment,
    "updateDashboardWidget": _own_widget,
    "updateKpi": lambda scene: {"path": _kpi(scene)},
    "updateOrganization": _update_organization,
    "updatePassword": _update_password,
    "updateTask": lambda scene: {"path": _task(scene), "body": _task_body(scene, "updateTask")},
    "updateTimeSession": lambda scene: {
        "path": _time_session(scene),
        "body": _session_body(scene, "updateTimeSession"),
    },
    "updateTimeSessions": lambda scene: {"body": {"ids": _bulk(scene), "changes": {"description": "Aufbau"}}},
    "updateTimer": _update_timer,
    "waiveKpiBreach": _waiver,
    "writeOffLoan": lambda scene: {"path": _loan(scene, is_accepted=True).path},
    "withdrawTimesheet": lambda scene: _sheet(scene, "submitTimesheet", own=True),
}
"""Creates the preconditions of a request, and returns its parts (path, body) that cannot be derived."""


_prepared: dict[Organization, Member] = {}
_taken: set[Organization] = set()


def prepare(organization: Organization) -> None:
    """Create the sender of the first arranged request of an organization in advance, once for many tests."""
    _prepared[organization] = organization.enrol(Role.OWNER, PASSWORD)


def start_over() -> None:
    """Make prepared senders available again, after the table was restored."""
    _taken.clear()


def _new_sender(organization: Organization) -> Member:
    if organization in _prepared and organization not in _taken:
        _taken.add(organization)
        return _prepared[organization]
    return organization.enrol(Role.OWNER, PASSWORD)


def arrange(action: str, organization: Organization, sender: Member | None = None) -> Arranged:
    """Return a valid request. `sender`: a member with the password PASSWORD; by default a new OWNER."""
    declared = REGISTRY[action]
    sender = sender or _new_sender(organization)
    call = derive_call(declared, Scene(organization, sender))
    return Arranged(organization.api, call, organization, None if declared.is_public else sender)


def derive_call(action: Action, scene: Scene, path: dict[str, str] | None = None) -> Call:
    parts = ARRANGEMENTS[action.name](scene) if path is None and action.name in ARRANGEMENTS else {}
    if "path" not in parts:
        parts["path"] = derive_path(action, scene) if path is None else path
    if "body" not in parts and action.takes_body:
        parts["body"] = _referring(example_body(action), scene)
    return Call.of(action.name, **{"query": _query(action), **parts})


def derive_path(action: Action, scene: Scene) -> dict[str, str]:
    """Return the path parameters: ids of new entities of the collection before them, else examples."""
    values: dict[str, str] = {}
    segments = action.path.split("/")
    for position, segment in enumerate(segments):
        if not segment.startswith("{"):
            continue
        name = segment[1:-1]
        collection = ("POST", "/".join(segments[:position]))
        creator = next((name for name, known in REGISTRY.items() if (known.method, known.path) == collection), None)
        values[name] = scene.create(creator, values or None)["id"] if creator else _sample(action, name)
    return values


def example_body(action: Action) -> dict[str, Any]:
    """Return the documented example, with new values in fields that may be unique."""
    example = operation(action)["requestBody"]["content"]["application/json"]["example"]
    if not isinstance(example, dict):
        raise NotArranged(f"{action.name} has no object as its example: {_HINT}")
    makers: dict[str, Callable[[], str]] = {
        "email": address,
        "name": lambda: unique("Name"),
        "phone": lambda: "+49 30 " + f"{ids.new_id().int % 10**10:010d}",
    }
    return {name: makers[name]() if name in makers and value else value for name, value in example.items()}


def _referring(body: dict[str, Any], scene: Scene) -> dict[str, Any]:
    """Fill fields such as `clientId` with the id of a new entity, if there is an action such as `createClient`."""
    creators = {name: f"create{name[0].upper()}{name[1:-2]}" for name in body if name.endswith("Id")}
    new_ids = {name: scene.create(creator)["id"] for name, creator in creators.items() if creator in REGISTRY}
    return {**body, **new_ids}


def _query(action: Action) -> dict[str, Any]:
    parameters = operation(action)["parameters"]
    return {row["name"]: _sample(action, row["name"]) for row in parameters if row["in"] == "query" and row["required"]}


def _sample(action: Action, parameter: str) -> str:
    schema = next(row["schema"] for row in operation(action)["parameters"] if row["name"] == parameter)
    for source in ("examples", "enum"):
        if schema.get(source):
            return str(schema[source][0])
    if schema.get("format") in _SAMPLES:
        return _SAMPLES[schema["format"]]
    raise NotArranged(f"{action.name} needs a {parameter} that no action creates and no example shows: {_HINT}")


def operation(action: Action) -> dict[str, Any]:
    """Return the operation of an action in the OpenAPI document."""
    described: dict[str, Any] = _document()["paths"][PREFIX + action.path][action.method.lower()]
    return described


def takes_header(action: Action, name: str) -> bool:
    return any(row["in"] == "header" and row["name"] == name for row in operation(action)["parameters"])


@cache
def _document() -> dict[str, Any]:
    return openapi.document()


def _replaced(value: Any, others: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(child, others) for name, child in value.items()}
    if isinstance(value, list):
        return [_replaced(child, others) for child in value]
    return others.get(value, value) if isinstance(value, str) else value


def names(matching: Callable[[Action], bool] = lambda _: True) -> list[str]:
    """Return the names of matching actions, as parameters of tests."""
    return [name for name, action in REGISTRY.items() if matching(action)]


def secret_fields(action: Action) -> list[str]:
    """Return the names of the secret fields, as in the API."""
    fields = action.data_type.model_fields.values() if action.data_type else ()
    return [str(field.alias) for field in fields if field.annotation is SecretStr]


WRITES = names(lambda action: action.is_write)
READS = names(lambda action: not action.is_write)
OWN_READS = {"getTimeSession", "getTimesheet"}
"""Reads of an entity that not everyone may see who has the permission."""
SECRETIVE = names(lambda action: bool(secret_fields(action)))
"""Writes whose input holds secrets."""
