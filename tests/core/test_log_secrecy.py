"""Logs and metrics: one line per request with all that is needed, and never a secret."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]


class Scenario(NamedTuple):
    output: str
    report: dict[str, Any]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("message") == "action"]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "_aws" in line]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Standard output and error of a process that logs at DEBUG and measures."""
    report = tmp_path_factory.mktemp("story") / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.auth_story", str(report)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return Scenario(done.stdout + done.stderr, json.loads(report.read_text()))


def test_the_scenario_ran_as_expected(story: Scenario) -> None:
    """Otherwise the rest would prove nothing."""
    answers = [(answer["action"], answer["status"]) for answer in story.report["answers"]]
    assert answers == [
        ("signUp", 201),
        ("signUp", 201),
        ("signUp", 409),
        ("signIn", 200),
        ("signIn", 200),
        ("signIn", 422),
        ("signIn", 400),
        ("getOrganization", 401),
        ("inviteUser", 201),
        ("acceptInvitation", 400),
        ("acceptInvitation", 200),
        ("resetPassword", 200),
        ("confirmResetPassword", 200),
        ("signIn", 200),
        ("updatePassword", 401),
        ("updatePassword", 200),
        ("signIn", 503),
        ("signIn", 500),
        ("resetPassword", 200),
        ("getCurrentUser", 200),
    ]
    assert len(story.report["secrets"]) > 15
    assert len(story.report["mail texts"]) > 4


@pytest.mark.parametrize("kind", ["secrets", "mail texts"])
def test_no_secret_is_in_any_line(story: Scenario, kind: str) -> None:
    leaked = [text for text in story.report[kind] if text in story.output]
    assert leaked == []


def test_what_is_secret_is_not_in_any_line_in_disguise(story: Scenario) -> None:
    lower = story.output.casefold()
    for word in ("argon2id$", "recognisable-key", "recognisable-pw", "bearer ", "recognisable.guest", "wl_"):
        assert word not in lower


def test_one_line_a_request(story: Scenario) -> None:
    logged = [(line["correlation_id"], line["action"], line["status"]) for line in story.requests]
    assert logged == [(answer["id"], answer["action"], answer["status"]) for answer in story.report["answers"]]


def test_a_line_says_who_what_how_long_and_at_what_price(story: Scenario) -> None:
    line = story.requests[-1]
    assert line["organization_id"] == story.report["organization"]
    assert line["user_id"] == story.report["user"]
    assert line["service"] == "workledger-api"
    assert line["level"] == "INFO"
    assert line["timestamp"]
    assert line["duration_ms"] > 0
    assert line["round_trips"] == 1
    refused = next(line for line in story.requests if line["status"] == 401)
    assert refused["error"] == "NOT_AUTHENTICATED"


@pytest.mark.parametrize(
    ("status", "message", "exception", "cause"),
    [
        (500, "unexpected error", "ZeroDivisionError", None),
        (503, "request failed", "ActionError", "ReadTimeoutError"),
    ],
)
def test_every_server_error_is_logged_with_its_cause_under_the_request(
    story: Scenario, status: int, message: str, exception: str, cause: str | None
) -> None:
    (line,) = [line for line in story.lines if line.get("message") == message]
    (failed,) = [answer for answer in story.report["answers"] if answer["status"] == status]
    assert (line["level"], line["correlation_id"]) == ("ERROR", failed["id"])
    assert line["exception_name"] == exception
    assert cause is None or cause in line["causes"]
    assert any("chalicelib/action/runner.py" in frame for frame in line["stack"])
    assert "exception" not in line


def test_a_mail_that_fails_is_logged_by_its_id(story: Scenario) -> None:
    failures = [line for line in story.lines if "mail not sent" in str(line.get("message"))]
    assert failures
    assert all(line["mail_id"] for line in failures)


def test_metrics_of_requests_are_one_set(story: Scenario) -> None:
    measured = [line for line in story.metrics if "LatencyMs" in line]
    assert len(measured) == len(story.report["answers"])
    for line, answer in zip(measured, story.report["answers"], strict=True):
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "Workledger"
        # A metric is billed for each combination of dimensions.
        assert [sorted(names) for names in directive["Dimensions"]] == [["service", "stage"]]
        units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
        assert units == {"LatencyMs": "Milliseconds", "Errors": "Count", "Refusals": "Count", "RoundTrips": "Count"}
        assert line["Errors"] == [float(answer["status"] >= 500)]
        assert line["Refusals"] == [float(400 <= answer["status"] < 500)]
        assert line["LatencyMs"][0] > 0


def test_failed_mails_are_measured(story: Scenario) -> None:
    # Once for each try of the queue.
    assert {line["template"] for line in story.metrics if "MailFailures" in line} == {"PASSWORD_RESET"}
