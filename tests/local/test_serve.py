"""`make serve` from start to end: the whole product, as a developer uses it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local import demo, tier
from infra.local.engine import HOST, Store, free_port
from tests.support import readme
from tests.support.serving import ROOT, Serving, runnable_store


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def started(data: Path) -> Iterator[Serving]:
    """Return the one run of most tests, whose demo may still be filled."""
    started = Serving(runnable_store(), data)
    yield started
    if not started.has_ended:
        _interrupt(started)


def _interrupt(serving: Serving) -> str:
    """End a run as Ctrl-C does; return its log."""
    log = serving.end(signal.SIGINT)
    assert log.endswith("Stopped.\n")
    assert "Traceback" not in log
    return log


@pytest.fixture(scope="module")
def serving(started: Serving) -> Serving:
    return started.complete()


def test_the_banner_has_all_addresses(started: Serving) -> None:
    for path in ("/console", "/api/v1", "/docs", "/_local/mail"):
        assert f"{started.url}{path}" in started.banner
    assert re.search(r"ready after [0-9.]+ s", started.banner)
    assert started.get("/docs").status == 200


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_is_ready_for_a_few_times_the_price_of_importing_the_product(started: Serving) -> None:
    # Relative CPU time: the machine may be slow, and other processes may slow it down.
    # The server imports all domains at its start.
    whole = "import app, moto.server; from chalicelib.modules import load_actions; load_actions()"
    imported = subprocess.Popen([sys.executable, "-c", whole], cwd=ROOT)
    _, status, used = os.wait4(imported.pid, 0)
    imported.returncode = os.waitstatus_to_exitcode(status)
    assert imported.returncode == 0
    assert started.cpu_seconds < 10 * (used.ru_utime + used.ru_stime)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_the_first_calls_work_as_printed(started: Serving) -> None:
    printed = started.banner.partition("First calls\n")[2].replace("\\\n", "")
    calls = [line for line in printed.splitlines() if line.strip().startswith("curl")]
    assert len(calls) == 2
    for call in calls:
        assert '"success":true' in subprocess.check_output(shlex.split(call), text=True)


@pytest.mark.parametrize("person", [demo.OWNER, *demo.TEAM], ids=lambda person: person.name)
def test_members_have_their_role_and_status(serving: Serving, person: demo.Person) -> None:
    credentials = {"email": person.email, "password": demo.PASSWORD}
    if person.status == "ACTIVE":
        assert serving.api().post("/auth/sign-in", **credentials)["user"]["role"] == person.role
    else:
        refusal = {"DEACTIVATED": "FORBIDDEN", "INVITED": "INVALID_CREDENTIALS"}[person.status]
        with pytest.raises(demo.Refused, match=refusal):
            serving.api().post("/auth/sign-in", **credentials)


def test_companies_have_work_locations_positions_and_rates(serving: Serving) -> None:
    owner = serving.owner()
    organization = owner.get("/organization")
    assert [organization[name] for name in ("timezone", "currency", "region")] == ["Europe/Berlin", "EUR", "DE"]
    positions = list(owner.all("/positions"))
    assert {position["workLocation"]["client"]["name"] for position in positions} == {
        client["name"] for client in owner.all("/clients")
    }
    rates = Counter(len(owner.get(f"/positions/{position['id']}/rates")["rates"]) for position in positions)
    assert rates[1] > rates[2] > rates[0] > 0


def test_assignments_have_all_states_and_hours_are_reported(serving: Serving) -> None:
    owner = serving.owner()
    today = datetime.now(UTC).date()
    for status in ("scheduled", "active", "completed", "cancelled"):
        assert owner.get(f"/assignments?status={status}&limit=1")["items"], status
    workers = list(owner.all("/workers"))
    assert any(worker["assignedLocations"] for worker in workers)
    report = owner.get(f"/reports/hours?startDate={today - timedelta(days=30)}&endDate={today}")
    assert report["totals"]["margin"]["amount"] > 0
    assert report["totals"]["hoursWithoutBillRate"] > 0


def test_a_second_organization_has_lent_to_the_first(serving: Serving) -> None:
    assert demo.LENDER.email in serving.banner
    token = serving.api().post("/auth/sign-in", email=demo.LENDER.email, password=demo.PASSWORD)["token"]
    lender, owner = serving.api(token), serving.owner()
    offer, overdue, current = lender.get("/loans")["items"]
    assert (offer["status"], offer["counterparty"]["name"]) == ("OFFERED", demo.ORGANIZATION)
    assert (overdue["daysPastDue"], overdue["bucket"]) == (40, "D31_60")
    assert (current["status"], current["bucket"]) == ("ACTIVE", "CURRENT")
    assert [loan["id"] for loan in owner.get("/loans?side=borrower")["items"]] == [
        loan["id"] for loan in (offer, overdue, current)
    ]
    covenants = owner.get(f"/loans/{current['id']}/kpis")["items"]
    tests = (owner.get(f"/loans/{current['id']}/kpis/{kpi['id']}/tests")["items"] for kpi in covenants)
    assert [rows[0]["state"] for rows in tests] == ["BREACHED", "MET"]


def test_the_dashboard_shows_the_metrics(serving: Serving) -> None:
    owner = serving.owner()
    calculated = {row["name"]: row for row in owner.post("/metrics/calculate")["metrics"]}
    assert {metric["name"] for metric in demo.METRICS} < set(calculated)
    assert [row for row in calculated.values() if "error" in row] == []
    widgets = list(owner.all("/widgets"))
    assert {widget["type"] for widget in widgets} == {
        "METRIC", "CHART", "TABLE", "ACTIVITY_FEED", "QUICK_ACTIONS", "CALENDAR",
    }  # fmt: skip
    for widget in widgets:
        shown = owner.get(f"/widgets/{widget['id']}/data")
        assert ("spec" in shown) == (widget["type"] == "CHART"), widget["name"]


def test_a_timesheet_is_mailed_and_a_project_is_near_its_estimate(serving: Serving) -> None:
    """Given the demo's three weeks of time, then the owner has mail of a submission, and the feed one threshold."""
    owner, deadline = serving.owner(), time.monotonic() + 60
    mails: list[Any] = []
    reports: list[Any] = []
    while not (mails and reports) and time.monotonic() < deadline:
        mails = serving.get(f"/_local/mail?to={demo.OWNER.email}").json()
        events = owner.all("/activities/by-type/SYSTEM_EVENT")
        reports = [event["title"] for event in events if event["action"] == "PROJECT_BUDGET_REACHED"]
    assert any(mail["subject"].startswith("A timesheet to approve, week of") for mail in mails)
    assert "Bewerberportal has used 80 % of its estimated time" in reports
    assert "Bewerberportal has used 100 % of its estimated time" not in reports


def test_the_mailbox_is_for_programs_and_people(serving: Serving) -> None:
    mails = serving.get("/_local/mail", accept="*/*").json()
    assert [mail["sentAt"] for mail in mails] == sorted((mail["sentAt"] for mail in mails), reverse=True)
    (invitation,) = serving.get("/_local/mail?to=Invited@demo.example").json()
    assert invitation["recipient"] == "invited@demo.example"
    assert demo.ORGANIZATION in invitation["subject"]
    assert invitation["code"] in invitation["body"]
    assert f"{serving.url}/console#/accept-invitation?email=invited%40demo.example&code=" in invitation["body"]
    page = serving.get("/_local/mail", accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (
        f'<a href="{serving.url}/console#/accept-invitation?email=invited%40demo.example&amp;code='
        in page.data.decode()
    )
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert invitation["code"] in page.data.decode()


def test_make_tier_sets_the_tier_as_an_operator_would(serving: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    owner = serving.owner()
    identifier = owner.get("/organization")["id"]
    for name, set_to in (
        (demo.OWNER.email.upper(), "PRO"),
        (demo.ORGANIZATION.lower(), "ENTERPRISE"),
        (identifier, "FREE"),
    ):
        assert tier.main(["--port", str(serving.port), "--organization", name, "--tier", set_to]) == 0
        assert capsys.readouterr().out == f"{demo.ORGANIZATION} is {set_to} now\n"
        assert owner.get("/organization")["subscriptionTier"] == set_to
    entry = owner.get("/audit-log?limit=1&action=SUBSCRIPTION_TIER_SET")["items"][0]
    assert (entry["actor"]["name"], entry["entityId"]) == ("operator", identifier)


@pytest.mark.parametrize(
    ("organization", "set_to", "reason"),
    [
        ("nobody@demo.example", "PRO", "nobody signs in as nobody@demo.example"),
        ("01890a5d-ac96-774b-bcce-b302099a8057", "PRO", "01890a5d-ac96-774b-bcce-b302099a8057: no such organization"),
        ("Some GmbH", "PRO", "ORG: must be an id, the e-mail address of a user"),
        (demo.OWNER.email, "pro", "tier: must be FREE, PRO or ENTERPRISE; did you mean PRO?"),
        (demo.OWNER.email, "", "tier: must be FREE, PRO or ENTERPRISE"),
    ],
)
def test_a_tier_that_cannot_be_set_is_one_line_with_the_reason(
    serving: Serving, capsys: pytest.CaptureFixture[str], organization: str, set_to: str, reason: str
) -> None:
    assert tier.main(["--port", str(serving.port), "--organization", organization, "--tier", set_to]) == 1
    assert capsys.readouterr().err.startswith(f"make tier: {reason}")
    assert serving.owner().get("/organization")["subscriptionTier"] == "FREE"


def test_a_tier_needs_a_run(serving: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    assert tier.main(["--port", str(free_port()), "--tier", "PRO"]) == 1
    assert "start `make serve`, or name its port" in capsys.readouterr().err
    # A page of another origin cannot set it: a form has no such type.
    form = serving.http.request("POST", f"{serving.url}{tier.PATH}", fields={"tier": "PRO"})
    assert (form.status, serving.get(tier.PATH).status) == (405, 405)


def test_the_gateways_own_answers_are_in_the_envelope(serving: Serving) -> None:
    answer = serving.get("/nothing")
    error = answer.json()["error"]
    assert (answer.status, error["code"], error["requestId"]) == (404, "NOT_FOUND", answer.headers["X-Request-Id"])


def test_a_body_that_is_not_text_is_a_validation_error(serving: Serving) -> None:
    headers = {"Content-Type": "application/json"}
    answer = serving.http.request("POST", f"{serving.url}/api/v1/auth/sign-in", body=b'"\xff"', headers=headers)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_the_readmes_commands_answer_as_it_shows(serving: Serving) -> None:
    """After those that read the demo: it adds to it."""
    shown = readme.answers()
    assert len(shown) > 10
    typed = [command.replace(":8000", f":{serving.port}") for command in readme.commands()]
    done = subprocess.run(
        [readme.SHELL, "-c", "\necho\n".join(typed)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    answers = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert [json.loads(answer)["success"] for answer in answers] == [answer.success for answer in shown]
    for answer, expected in zip(answers, shown, strict=True):
        assert expected.names <= set(re.findall(r'"(\w+)":', answer)), answer
    assert readme.CSV_HEADER in done.stdout
    assert done.stdout.count("HTTP/1.1 201") == 1


def test_a_taken_port_is_one_line_and_an_exit_code(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "infra.local.serve", "--port", str(port), "--data", str(tmp_path)]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert str(port) in run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(runnable_store() is Store.MOTO, reason="moto stores nothing; the strict pass runs this")
def test_a_run_that_lost_its_engine_ends_and_the_next_finds_its_data(serving: Serving, data: Path) -> None:
    """Last of all: it ends the run of the others."""
    owner = serving.owner()
    late = owner.post("/users", email="late@demo.example", firstName="Late", lastName="Guest", role="VIEWER")
    while not serving.get("/_local/mail?to=late@demo.example").json():
        time.sleep(0.1)
    while not owner.get(f"/activities/by-entity/user/{late['id']}")["items"]:
        # Then the feed also has all earlier events.
        time.sleep(0.1)
    counts = _counts(owner)
    # All requests share one source here, so limits by source are optional
    assert serving.limits_of_sign_in() == '"sign-in";q=10;w=900'
    os.kill(_engine_on(data / "workledger.db"), signal.SIGKILL)
    assert "make serve: the engine has ended, with exit code -9" in serving.ended(1)
    second = Serving(Store.DYNOXIDE, data, "--limits", "on").complete()
    assert second.limits_of_sign_in() == '"sign-in";q=10;w=900, "password-hashing";q=300;w=900'
    owner = second.owner()
    assert "late@demo.example" in {user["email"] for user in owner.get("/users?pageSize=100")["data"]}
    assert _counts(owner) == counts
    # No address is mailed twice within minutes, even by several runs.
    assert second.get("/_local/mail").json() == []
    assert second.get("/nothing").status == 404
    assert "gateway answered 404 NOT_FOUND" in _interrupt(second)


def _engine_on(file: Path) -> int:
    command = ["ps", "-eww", "-o", "pid=,args="]
    processes = subprocess.check_output(command, text=True).splitlines()
    (engine,) = [line.split()[0] for line in processes if str(file) in line]
    return int(engine)


def _counts(owner: demo.Api) -> dict[str, int]:
    """Return the number of entities of each kind in the demo organization."""
    counts = {path: len(list(owner.all(path))) for path in ("/users", "/clients", "/work-locations", "/workers")}
    positions = list(owner.all("/positions"))
    rates = [rate for row in positions for rate in owner.get(f"/positions/{row['id']}/rates")["rates"]]
    assignments = list(owner.all("/assignments"))
    about = f"/activities/by-entity/organization/{owner.get('/organization')['id']}"
    recorded = [row["action"] for row in owner.all(about) if row["type"] != "DATA_CHANGE"]
    return {
        **counts,
        "/loans": len(list(owner.all("/loans"))),
        "/positions": len(positions),
        "rates": len(rates),
        "/assignments": len(assignments),
        "activities": len(recorded),
        "/metrics": owner.get("/metrics")["pagination"]["totalItems"],
        "/widgets": len(list(owner.all("/widgets"))),
        "/quick-actions": len(owner.get("/quick-actions?includeDisabled=true")["items"]),
    }
