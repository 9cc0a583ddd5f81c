"""What people do with the deployed product, from signing up to the audit log, and what must follow by itself."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID, uuid4

from infra.e2e.api import Caller
from infra.e2e.emulator import E2eFailed, Emulator
from infra.e2e.stack import ORIGIN, SENDER, Stack

OWNER = "anna.berg@workledger.test"
_PASSWORD = "correct-horse-4711"  # noqa: S105  of a user who lives as long as this run
_STREAM_SECONDS = 120.0
"""A function's first start included, and that of another which the emulator polls for before it."""
_SWEEP_SECONDS = 180.0
"""A minute until the schedule fires, and the same."""
_OVERDUE_MILLISECONDS = 10 * 60 * 1000
_CODE = re.compile(r"code in the app: (\S+)")


@dataclass(frozen=True)
class Chapter:
    title: str
    tell: Callable[[Story], None]


class Story:
    def __init__(self, emulator: Emulator, stack: Stack) -> None:
        self.emulator = emulator
        self.stack = stack
        self.anyone = Caller(stack.api_url)
        self.owner = self.anyone
        self.organization = ""
        self.metrics: dict[str, Any] = {}

    # -- an owner arrives

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
        expect(self.owner.get("/auth/role").data() == {"role": "OWNER"}, "who signed up is not the OWNER")

    # -- and works

    def create_client(self) -> None:
        key = str(uuid4())
        first = self.owner.post("/clients", {"name": "Hansekontor"}, Idempotency_Key=key)
        again = self.owner.post("/clients", {"name": "Hansekontor"}, Idempotency_Key=key)
        expect(first.data(201) == again.data(201), "the replay differs from the first answer")
        expect(again.headers["Idempotency-Replayed"] == "true", "the replay does not say that it is one")
        self.owner.post("/clients", {"name": "Other"}, Idempotency_Key=key).refused(422, "IDEMPOTENCY_MISMATCH")
        self.owner.post("/clients", {"name": "HANSEKONTOR"}).refused(409, "DUPLICATE_ENTRY")
        listed = self.owner.get("/clients?search=hanse&pageSize=5").data()
        expect([client["name"] for client in listed["data"]] == ["Hansekontor"], "the client is not listed")
        expect(listed["pagination"]["totalItems"] == 1, "the total is wrong")

    # -- and lends out a worker

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
        expect(self.owner.post("/assignments", assigned).data(201)["warnings"] == [], "an only shift clashes")
        again = self.owner.post("/assignments", assigned).data(201)
        codes = [warning["code"] for warning in again["warnings"]]
        expect(codes == ["OVERLAP", "OVER_HEADCOUNT"], f"the same shift twice warns of {codes}")
        self.owner.call("DELETE", f"/assignments/{again['id']}").data()
        march = "startDate=2026-03-01&endDate=2026-03-31"
        totals = self.owner.get(f"/reports/hours?{march}").data()["totals"]
        margin = totals["totalHours"], totals["margin"]
        expect(margin == (8.5, {"amount": 10200, "currency": "EUR"}), f"hours and margin are {margin}")
        lines = self.owner.get(f"/reports/hours?{march}", Accept="text/csv").text.splitlines()
        expect(lines[1].startswith("Mehmet Yılmaz,Hansekontor,Lager Süd,8.50,30600,255.00,153.00,102.00,EUR"), lines[1])
        completed = self.owner.get(f"/assignments?clientId={client['id']}&status=completed").data()["items"]
        expect(len(completed) == 1, f"{len(completed)} assignments are completed")

    # -- the stream rolls it up

    def measure(self) -> None:
        march = {"version": 1, "type": "simple", "source": "assignments", "aggregate": "sum"}
        march["period"] = {"from": "2026-03-01", "to": "2026-03-31"}
        for field, form in (("hours", "number"), ("billed", "currency")):
            metric = {"name": f"March, {field}", "category": "FINANCIAL", "format": form, "refreshRate": 60}
            self.metrics[field] = self.owner.post("/metrics", {**metric, "query": {**march, "field": field}}).data(201)
        asked = {"metricIds": [self.metrics["hours"]["id"]]}
        eventually(
            "the stream rolls up the shift, and its hours are told",
            lambda: [each for each in self._calculated(asked) if each["value"] == 8.5 and each["unit"] == "h"],
            _STREAM_SECONDS,
        )
        feed = eventually(
            "the stream tells of the shift",
            lambda: [each for each in self._feed() if each["action"] == "ASSIGNMENT_CREATED"],
            _STREAM_SECONDS,
        )
        expect(feed[0]["actor"]["email"] == OWNER, f"{feed[0]['actor']} is told to have assigned")

    def recalculated(self) -> None:
        """By the schedule and the queue: nobody asked for this one."""
        path = f"/metrics/{self.metrics['billed']['id']}/history"
        points = eventually(
            "the schedule recalculates what is due", lambda: self.owner.get(path).data()["items"], _SWEEP_SECONDS
        )
        expect(points[0]["value"] == 255.0, f"the history tells {points}")

    def reconcile(self) -> None:
        answer = self.emulator.client("lambda").invoke(
            FunctionName=self.stack.functions["ReconcileRollups"],
            Payload=json.dumps({"organizationId": self.organization}).encode(),
        )
        payload = answer["Payload"].read().decode()
        expect("FunctionError" not in answer and payload == "1", f"the reconciliation answered {payload[:600]}")

    def _calculated(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], self.owner.post("/metrics/calculate", asked).data()["metrics"])

    def _feed(self) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], self.owner.get("/activities?limit=100").data()["items"])

    # -- the stream mails an invitation

    def invite(self) -> None:
        self._invited("ben.maas@workledger.test")
        (mail,) = eventually(
            "the stream's mail consumer mails the invitation",
            lambda: self.emulator.mails_to("ben.maas@workledger.test"),
            _STREAM_SECONDS,
        )
        expect(mail["Source"] == SENDER, f"mail comes from {mail['Source']}")
        member = self._accepted("ben.maas@workledger.test", code_in(mail))
        member.post("/clients", {"name": "Not mine to add"}).refused(403, "FORBIDDEN")
        expect(member.get("/clients").data()["pagination"]["totalItems"] == 1, "the member sees no clients")

    # -- a mail that the stream missed

    def sweep(self) -> None:
        address = "cleo.ode@workledger.test"
        events = self.emulator.client("lambda")
        (stream,) = events.list_event_source_mappings(FunctionName=self.stack.functions["SendMail"])[
            "EventSourceMappings"
        ]
        events.update_event_source_mapping(UUID=stream["UUID"], Enabled=False)
        self._invited(address)
        self._age_unsent_mail()
        (mail,) = eventually(
            "the schedule sweeps the outbox and the queue's worker sends the mail",
            lambda: self.emulator.mails_to(address),
            _SWEEP_SECONDS,
        )
        self._accepted(address, code_in(mail))
        events.update_event_source_mapping(UUID=stream["UUID"], Enabled=True)
        self._invited("dora.fink@workledger.test")
        eventually(
            "the stream goes on where it was stopped",
            lambda: self.emulator.mails_to("dora.fink@workledger.test"),
            _STREAM_SECONDS,
        )
        expect(len(self.emulator.mails_to(address)) == 1, "the late stream sent the mail once more")

    def _age_unsent_mail(self) -> None:
        """Makes the one unsent mail look as old as one that nobody sent in time: a mail's age is in its id."""
        table = self.emulator.client("dynamodb")
        unsent = table.query(
            TableName=self.stack.table,
            IndexName="gsi2",
            KeyConditionExpression="gsi2pk = :unsent",
            ExpressionAttributeValues={":unsent": {"S": "MAIL#UNSENT"}},
        )["Items"]
        expect(len(unsent) == 1, f"{len(unsent)} mails are unsent while the stream stands, not 1")
        key = {name: unsent[0][name] for name in ("pk", "sk")}
        mail = table.get_item(TableName=self.stack.table, Key=key, ConsistentRead=True)["Item"]
        mail["sk"] = {"S": str(aged(UUID(key["sk"]["S"])))}
        table.transact_write_items(
            TransactItems=[
                {"Delete": {"TableName": self.stack.table, "Key": key}},
                {"Put": {"TableName": self.stack.table, "Item": mail}},
            ]
        )

    # -- an operator

    def set_tier(self) -> None:
        request = {"organizationId": self.organization, "tier": "PRO"}
        answer = self.emulator.client("lambda").invoke(
            FunctionName=self.stack.functions["SetSubscriptionTier"], Payload=json.dumps(request).encode()
        )
        payload = answer["Payload"].read().decode()
        expect("FunctionError" not in answer, f"the operator's function failed: {payload[:600]}")
        tier = self.owner.get("/organization").data()["subscriptionTier"]
        expect(tier == "PRO", f"the tier is {tier}")

    # -- what is refused

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

    # -- the trail

    def audit(self) -> None:
        entries = self.owner.get("/audit-log?limit=100").data()["items"]
        trail = [entry["action"] for entry in reversed(entries)]
        told = [
            "ORGANIZATION_CREATED", "SIGNED_IN", "CLIENT_CREATED",
            "WORK_LOCATION_CREATED", "POSITION_CREATED", "WORKER_CREATED", "POSITION_RATE_SET", "WORKER_RATE_SET",
            "ASSIGNMENT_CREATED", "ASSIGNMENT_CREATED", "ASSIGNMENT_DELETED",
            "METRIC_CREATED", "METRIC_CREATED",
            "USER_INVITED", "INVITATION_ACCEPTED",
            "USER_INVITED", "INVITATION_ACCEPTED", "USER_INVITED",
            "SUBSCRIPTION_TIER_SET",
        ]  # fmt: skip
        expect(trail == told, f"the audit log tells {trail}")

    def sign_out(self) -> None:
        self.owner.post("/auth/sign-out", {}).data()
        self.owner.get("/auth/me").refused(401, "SESSION_EXPIRED")

    def dead_letters(self) -> None:
        queues = self.emulator.client("sqs")
        for name in ("MailDeadLetters", "MetricsDeadLetters", "StreamDeadLetters"):
            attributes = queues.get_queue_attributes(
                QueueUrl=self.stack.queues[name], AttributeNames=["ApproximateNumberOfMessages"]
            )
            given_up = attributes["Attributes"]["ApproximateNumberOfMessages"]
            expect(given_up == "0", f"{name} holds {given_up} messages")

    # -- asides

    def _invited(self, address: str) -> Any:
        invitation = {"email": address, "firstName": "Ben", "lastName": "Maas", "role": "MEMBER"}
        return self.owner.post("/users", invitation).data(201)

    def _accepted(self, address: str, code: str) -> Caller:
        acceptance = {"email": address, "code": code, "password": _PASSWORD}
        return self.anyone.signed_in(self.anyone.post("/auth/invitation/accept", acceptance).data()["token"])


CHAPTERS = (
    Chapter("an owner signs up", Story.sign_up),
    Chapter("and signs in", Story.sign_in),
    Chapter("creates a client, twice with one key, and lists it", Story.create_client),
    Chapter("lends out a worker, and reports the hours", Story.staff),
    Chapter("measures it: the stream rolls up, and tells of it", Story.measure),
    Chapter("invites a member: the stream mails, the code works", Story.invite),
    Chapter("invites another while the stream stands: schedule and queue mail", Story.sweep),
    Chapter("finds a metric recalculated by schedule and queue", Story.recalculated),
    Chapter("an operator has rollups compared with what they are made from", Story.reconcile),
    Chapter("an operator changes the tier", Story.set_tier),
    Chapter("what is refused comes in the envelope, the gateway's refusals too", Story.refusals),
    Chapter("the audit log tells it all", Story.audit),
    Chapter("the owner signs out", Story.sign_out),
    Chapter("nothing lies in the dead-letter queues", Story.dead_letters),
)


def expect(held: bool, otherwise: str) -> None:  # noqa: FBT001  what is held to be so
    if not held:
        raise E2eFailed(otherwise)


def eventually(what: str, look: Callable[[], list[dict[str, Any]]], seconds: float) -> list[dict[str, Any]]:
    """Looks until something is there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.5)
    raise E2eFailed(f"not within {seconds:.0f} s: {what}")


def code_in(mail: dict[str, Any]) -> str:
    found = _CODE.search(mail["BodyText"])
    if found is None:
        raise E2eFailed(f"no code in the mail {mail['Subject']!r}")
    return found[1]


def aged(identifier: UUID) -> UUID:
    """The same UUIDv7, made ten minutes earlier."""
    return UUID(int=identifier.int - (_OVERDUE_MILLISECONDS << 80))
