"""Steps of a user of the deployed product, from sign-up to the audit log, with their asynchronous effects."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from infra.e2e.api import Caller
from infra.e2e.emulator import E2eFailed, Emulator
from infra.e2e.stack import ORIGIN, SENDER, Stack

OWNER = "anna.berg@workledger.test"
_PASSWORD = "correct-horse-4711"  # noqa: S105  of a user who lives as long as this run
_STREAM_SECONDS = 120.0
"""Includes the cold starts of three functions: the emulator polls for another one first."""
_SWEEP_SECONDS = 180.0
"""A minute until the schedule fires, and the cold starts."""
_OVERDUE_MILLISECONDS = 10 * 60 * 1000
_CODE = re.compile(r"code in the app: (\S+)")


@dataclass(frozen=True)
class Step:
    title: str
    run: Callable[[Scenario], None]


class Scenario:
    def __init__(self, emulator: Emulator, stack: Stack) -> None:
        self.emulator = emulator
        self.stack = stack
        self.anyone = Caller(stack.api_url)
        self.owner = self.anyone
        self.organization = ""
        self.metrics: dict[str, Any] = {}

    # -- sign-up

    def sign_up(self) -> None:
        expect(self.anyone.get("/health").data()["status"] == "ok", "the service is not healthy")
        names = {"firstName": "Anna", "lastName": "Berg", "organizationName": "Berg Staffing"}
        account = self.anyone.post("/auth/sign-up", {"email": OWNER, "password": _PASSWORD, **names}).data(201)
        self.organization = account["organization"]["id"]

    def sign_in(self) -> None:
        self.anyone.post("/auth/sign-in", {"email": OWNER, "password": "wrong-horse-4711"}).refused(
            401, "INVALID_CREDENTIALS"
        )
        signed_in = self.anyone.post("/auth/sign-in", {"email": OWNER, "password": _PASSWORD}).data()
        self.owner = self.anyone.signed_in(signed_in["token"])
        expect(self.owner.get("/auth/role").data() == {"role": "OWNER"}, "the user who signed up is not the OWNER")

    # -- clients

    def create_client(self) -> None:
        key = str(uuid4())
        first = self.owner.post("/clients", {"name": "Hansekontor"}, Idempotency_Key=key)
        again = self.owner.post("/clients", {"name": "Hansekontor"}, Idempotency_Key=key)
        expect(first.data(201) == again.data(201), "the replay differs from the first answer")
        expect(again.headers["Idempotency-Replayed"] == "true", "the replay is not marked as one")
        self.owner.post("/clients", {"name": "Other"}, Idempotency_Key=key).refused(422, "IDEMPOTENCY_MISMATCH")
        self.owner.post("/clients", {"name": "HANSEKONTOR"}).refused(409, "DUPLICATE_ENTRY")
        listed = self.owner.get("/clients?search=hanse&pageSize=5").data()
        expect([client["name"] for client in listed["data"]] == ["Hansekontor"], "the client is not listed")
        expect(listed["pagination"]["totalItems"] == 1, "the total is wrong")

    # -- assignments

    def staff(self) -> None:
        (client,) = self.owner.get("/clients").data()["data"]
        location = self.owner.post("/work-locations", {"clientId": client["id"], "name": "Lager Süd"}).data(201)
        position = self.owner.post("/positions", {"workLocationId": location["id"], "name": "Picker"}).data(201)
        worker = {"firstName": "Mehmet", "lastName": "Yılmaz", "phone": "+49 151 23456789"}
        worker = self.owner.post("/workers", worker).data(201)
        for path, cents in ((f"/positions/{position['id']}", 3000), (f"/workers/{worker['id']}", 1800)):
            rate = {"amount": cents, "currency": "EUR"}
            self.owner.call("PUT", f"{path}/rates/2026-01-01", rate).data()
        shift = {"startAt": "2026-03-02T08:00:00+01:00", "endAt": "2026-03-02T16:30:00+01:00"}
        assigned = {"workerId": worker["id"], "positionId": position["id"], **shift}
        expect(self.owner.post("/assignments", assigned).data(201)["warnings"] == [], "a single shift has warnings")
        again = self.owner.post("/assignments", assigned).data(201)
        codes = [warning["code"] for warning in again["warnings"]]
        expect(codes == ["OVERLAP", "OVER_HEADCOUNT"], f"the same shift twice warns of {codes}")
        self.owner.call("DELETE", f"/assignments/{again['id']}").data()
        march = "startDate=2026-03-01&endDate=2026-03-31"
        totals = self.owner.get(f"/reports/hours?{march}").data()["totals"]
        margin = totals["totalHours"], totals["margin"]
        expect(margin == (8.5, {"amount": 10200, "currency": "EUR"}), f"hours and margin are {margin}")
        lines = self.owner.get(f"/reports/hours?{march}", Accept="text/csv").text.splitlines()
        expect(
            lines[1].startswith("Mehmet Yılmaz,Hansekontor,Lager Süd,8.50,30600,0.00,255.00,153.00,102.00,EUR"),
            lines[1],
        )
        completed = self.owner.get(f"/assignments?clientId={client['id']}&status=completed").data()["items"]
        expect(len(completed) == 1, f"{len(completed)} assignments are completed")

    # -- metrics

    def measure(self) -> None:
        march = {"version": 1, "type": "simple", "source": "assignments", "aggregate": "sum"}
        march["period"] = {"from": "2026-03-01", "to": "2026-03-31"}
        for field, form in (("hours", "number"), ("billed", "currency")):
            metric = {"name": f"March, {field}", "category": "FINANCIAL", "format": form, "refreshRate": 60}
            self.metrics[field] = self.owner.post("/metrics", {**metric, "query": {**march, "field": field}}).data(201)
        query = {"metricIds": [self.metrics["hours"]["id"]]}
        eventually(
            "the stream rolls up the shift, and its hours are shown",
            lambda: [row for row in self.calculate(query) if row["value"] == 8.5 and row["unit"] == "h"],
            _STREAM_SECONDS,
        )
        feed = eventually(
            "the shift is in the feed",
            lambda: [row for row in self.feed() if row["action"] == "ASSIGNMENT_CREATED"],
            _STREAM_SECONDS,
        )
        expect(feed[0]["actor"]["email"] == OWNER, f"the actor of the assignment is {feed[0]['actor']}")

    def recalculate(self) -> None:
        """Wait for a metric that only the schedule and the queue recalculate."""
        path = f"/metrics/{self.metrics['billed']['id']}/history"
        points = eventually(
            "the schedule recalculates due metrics", lambda: self.owner.get(path).data()["items"], _SWEEP_SECONDS
        )
        expect(points[0]["value"] == 255.0, f"the history is {points}")

    def reconcile(self) -> None:
        answer = self.emulator.client("lambda").invoke(
            FunctionName=self.stack.functions["ReconcileRollups"],
            Payload=json.dumps({"organizationId": self.organization}).encode(),
        )
        payload = answer["Payload"].read().decode()
        expect("FunctionError" not in answer and payload == "1", f"the reconciliation answered {payload[:600]}")

    def calculate(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], self.owner.post("/metrics/calculate", query).data()["metrics"])

    def feed(self) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], self.owner.get("/activities?limit=100").data()["items"])

    # -- mail

    def invite(self) -> None:
        self.invite_user("ben.maas@workledger.test")
        (mail,) = eventually(
            "the stream's mail consumer mails the invitation",
            lambda: self.emulator.mails_to("ben.maas@workledger.test"),
            _STREAM_SECONDS,
        )
        expect(mail["Source"] == SENDER, f"mail comes from {mail['Source']}")
        member = self.accept_invitation("ben.maas@workledger.test", code_in(mail))
        member.post("/clients", {"name": "Not mine to add"}).refused(403, "FORBIDDEN")
        expect(member.get("/clients").data()["pagination"]["totalItems"] == 1, "the member sees no clients")

    # -- tracked time

    def track_time(self) -> None:
        """Reach the estimate of a project, and forget a timer, of which only the schedule reminds."""
        project = self.owner.post("/projects", {"name": "Umzug", "estimatedMinutes": 60}).data(201)
        shift = {"startAt": "2026-03-02T08:00:00+01:00", "endAt": "2026-03-02T09:00:00+01:00"}
        self.owner.post("/time-sessions", {"projectId": project["id"], **shift}).data(201)
        start = datetime.now(UTC) - timedelta(hours=13)
        self.owner.post("/timer/start", {"startAt": start.isoformat()}).data(201)
        reports = eventually(
            "stream and queue report that the estimate is reached",
            lambda: [row for row in self.feed() if row["action"] == "PROJECT_BUDGET_REACHED"],
            _STREAM_SECONDS,
        )
        percents = sorted(row["metadata"]["percent"] for row in reports)
        expect(percents == [80, 100], f"the reported thresholds are {percents}")
        eventually("the schedule reminds of the timer", lambda: self.emulator.mails_to(OWNER)[1:], _SWEEP_SECONDS)
        subjects = [mail["Subject"] for mail in self.emulator.mails_to(OWNER)]
        expected = ["Confirm your e-mail address for Workledger", "Your timer is still running"]
        expect(subjects == expected, f"the owner has mail: {subjects}")
        reminders = [row for row in self.feed() if row["action"] == "TIMER_LONG_RUNNING"]
        expect(len(reminders) == 1, f"{len(reminders)} activities remind of the timer")

    # -- mail that the stream missed

    def sweep(self) -> None:
        address = "cleo.ode@workledger.test"
        events = self.emulator.client("lambda")
        (stream,) = events.list_event_source_mappings(FunctionName=self.stack.functions["DispatchStream"])[
            "EventSourceMappings"
        ]
        events.update_event_source_mapping(UUID=stream["UUID"], Enabled=False)
        self.invite_user(address)
        self.age_unsent_mail()
        (mail,) = eventually(
            "the schedule sweeps the outbox and the queue's worker sends the mail",
            lambda: self.emulator.mails_to(address),
            _SWEEP_SECONDS,
        )
        self.accept_invitation(address, code_in(mail))
        events.update_event_source_mapping(UUID=stream["UUID"], Enabled=True)
        self.invite_user("dora.fink@workledger.test")
        eventually(
            "the stream goes on where it was stopped",
            lambda: self.emulator.mails_to("dora.fink@workledger.test"),
            _STREAM_SECONDS,
        )
        expect(len(self.emulator.mails_to(address)) == 1, "the late stream sent the mail once more")

    def age_unsent_mail(self) -> None:
        """Make the one unsent mail overdue. The age of a mail is in its id."""
        table = self.emulator.client("dynamodb")
        unsent = table.query(
            TableName=self.stack.table,
            IndexName="gsi2",
            KeyConditionExpression="gsi2pk = :unsent",
            ExpressionAttributeValues={":unsent": {"S": "MAIL#UNSENT"}},
        )["Items"]
        expect(len(unsent) == 1, f"{len(unsent)} mails are unsent while the stream is stopped, not 1")
        key = {name: unsent[0][name] for name in ("pk", "sk")}
        mail = table.get_item(TableName=self.stack.table, Key=key, ConsistentRead=True)["Item"]
        mail["sk"] = {"S": str(aged(UUID(key["sk"]["S"])))}
        table.transact_write_items(
            TransactItems=[
                {"Delete": {"TableName": self.stack.table, "Key": key}},
                {"Put": {"TableName": self.stack.table, "Item": mail}},
            ]
        )

    # -- the operator

    def set_tier(self) -> None:
        request = {"organizationId": self.organization, "tier": "PRO"}
        answer = self.emulator.client("lambda").invoke(
            FunctionName=self.stack.functions["SetSubscriptionTier"], Payload=json.dumps(request).encode()
        )
        payload = answer["Payload"].read().decode()
        expect("FunctionError" not in answer, f"the operator's function failed: {payload[:600]}")
        tier = self.owner.get("/organization").data()["subscriptionTier"]
        expect(tier == "PRO", f"the tier is {tier}")

    # -- refusals

    def refusals(self) -> None:
        self.anyone.get("/clients").refused(401, "NOT_AUTHENTICATED")
        self.anyone.signed_in("not-a-token").get("/clients").refused(401, "NOT_AUTHENTICATED")
        self.owner.get(f"/clients/{uuid4()}").refused(404, "NOT_FOUND")
        unknown = self.owner.get("/no-such-route").refused(404, "NOT_FOUND")
        expect(unknown.headers["Access-Control-Allow-Origin"] == ORIGIN, "the gateway's refusal lacks the origin")
        other = self.owner.call("DELETE", "/organization").refused(405, "METHOD_NOT_ALLOWED")
        expect(other.headers["Allow"] == "GET, HEAD, OPTIONS, PATCH", f"the path allows {other.headers['Allow']}")
        head = self.owner.call("HEAD", "/organization")
        expect((head.status, head.text) == (200, ""), f"HEAD is answered {head.status} {head.text}")
        allowed = self.owner.get("/clients").headers["Access-Control-Allow-Origin"]
        expect(allowed == ORIGIN, f"the functions allow the origin {allowed}")

    # -- the end

    def console(self) -> None:
        host = Caller(self.stack.api_url.removesuffix("/api/v1"))
        release = re.search(r"/console/([0-9a-f]+)/app.js", host.get("/console").text)
        if release is None:
            raise E2eFailed("the console's page names no module")
        module = host.get(f"/console/{release[1]}/lib/api.js")
        expect(module.headers["Cache-Control"].endswith("immutable"), "a module of the console is not kept for ever")
        expect("Idempotency-Key" in module.text, "a module of the console is not served as it is")

    def audit(self) -> None:
        entries = self.owner.get("/audit-log?limit=100").data()["items"]
        trail = [entry["action"] for entry in reversed(entries)]
        expected = [
            "ORGANIZATION_CREATED", "SIGNED_IN", "CLIENT_CREATED",
            "WORK_LOCATION_CREATED", "POSITION_CREATED", "WORKER_CREATED", "POSITION_RATE_SET", "WORKER_RATE_SET",
            "ASSIGNMENT_CREATED", "ASSIGNMENT_CREATED", "ASSIGNMENT_DELETED",
            "METRIC_CREATED", "METRIC_CREATED",
            "USER_INVITED", "INVITATION_ACCEPTED",
            "USER_INVITED", "INVITATION_ACCEPTED", "USER_INVITED",
            "PROJECT_CREATED", "TIME_SESSION_CREATED", "TIMER_STARTED",
            "SUBSCRIPTION_TIER_SET",
        ]  # fmt: skip
        expect(trail == expected, f"the audit log has {trail}")

    def sign_out(self) -> None:
        self.owner.post("/auth/sign-out", {}).data()
        self.owner.get("/auth/me").refused(401, "SESSION_EXPIRED")

    def dead_letters(self) -> None:
        queues = self.emulator.client("sqs")
        for name in ("FeedDeadLetters", "MailDeadLetters", "MetricsDeadLetters", "StreamDeadLetters"):
            attributes = queues.get_queue_attributes(
                QueueUrl=self.stack.queues[name], AttributeNames=["ApproximateNumberOfMessages"]
            )
            dead = attributes["Attributes"]["ApproximateNumberOfMessages"]
            expect(dead == "0", f"{name} holds {dead} messages")

    # -- shared

    def invite_user(self, address: str) -> Any:
        invitation = {"email": address, "firstName": "Ben", "lastName": "Maas", "role": "MEMBER"}
        return self.owner.post("/users", invitation).data(201)

    def accept_invitation(self, address: str, code: str) -> Caller:
        acceptance = {"email": address, "code": code, "password": _PASSWORD}
        return self.anyone.signed_in(self.anyone.post("/auth/invitation/accept", acceptance).data()["token"])


STEPS = (
    Step("an owner signs up", Scenario.sign_up),
    Step("and signs in", Scenario.sign_in),
    Step("creates a client, twice with one key, and lists it", Scenario.create_client),
    Step("assigns a worker, and reports the hours", Scenario.staff),
    Step("defines metrics: the stream rolls up, and fills the feed", Scenario.measure),
    Step("invites a member: stream and queue send the mail, the code works", Scenario.invite),
    Step("invites another while the stream is stopped: schedule and queue send the mail", Scenario.sweep),
    Step("tracks time: an estimate is reported, a forgotten timer reminded of", Scenario.track_time),
    Step("sees a metric recalculated by schedule and queue", Scenario.recalculate),
    Step("an operator reconciles the rollups", Scenario.reconcile),
    Step("an operator changes the tier", Scenario.set_tier),
    Step("refusals are in the envelope, the gateway's too", Scenario.refusals),
    Step("the console is served", Scenario.console),
    Step("the audit log has every step", Scenario.audit),
    Step("the owner signs out", Scenario.sign_out),
    Step("the dead-letter queues are empty", Scenario.dead_letters),
)


def expect(condition: bool, message: str) -> None:  # noqa: FBT001  reads like an assertion
    if not condition:
        raise E2eFailed(message)


def eventually(description: str, look: Callable[[], list[dict[str, Any]]], seconds: float) -> list[dict[str, Any]]:
    """Call `look` until it returns rows. Raises E2eFailed after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if rows := look():
            return rows
        time.sleep(0.5)
    raise E2eFailed(f"not within {seconds:.0f} s: {description}")


def code_in(mail: dict[str, Any]) -> str:
    match = _CODE.search(mail["BodyText"])
    if match is None:
        raise E2eFailed(f"no code in the mail {mail['Subject']!r}")
    return match[1]


def aged(identifier: UUID) -> UUID:
    """Return the same UUIDv7, made ten minutes earlier."""
    return UUID(int=identifier.int - (_OVERDUE_MILLISECONDS << 80))
