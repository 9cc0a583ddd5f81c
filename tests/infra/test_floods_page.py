"""docs/floods.md agrees with the limits in the code and the parameters of the template."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chalicelib.auth import mail_limits, rate_limits
from chalicelib.auth.mail_limits import invitations_of_organization
from chalicelib.dal.limits import Limit
from chalicelib.models.organizations import SubscriptionTier
from infra.deploy import parameters
from infra.local.template import load

pytestmark = pytest.mark.storeless

PAGE = (Path(__file__).parents[2] / "docs" / "floods.md").read_text()
_SECONDS = {"min": 60, "h": 60 * 60, "d": 24 * 60 * 60}


def test_the_page_has_every_limit_with_its_numbers() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| (\d+) [^|]+ \| (\d+) (min|h|d) \|$", PAGE, re.MULTILINE)
    described = {(name, int(uses), int(number) * _SECONDS[unit]) for name, uses, number, unit in rows}
    limits = [
        *(
            value
            for module in (rate_limits, mail_limits)
            for value in vars(module).values()
            if isinstance(value, Limit)
        ),
        *(invitations_of_organization(tier) for tier in SubscriptionTier),
    ]
    assert len(limits) > 8
    assert described == {(limit.name, limit.quota, limit.seconds) for limit in limits}


def test_the_page_has_the_parameters_with_their_defaults() -> None:
    declared = load()["Parameters"]
    section = PAGE.partition("## What the template offers")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ((?:`[A-Za-z0-9]+`(?:, )?)+) \| ([^|]+) \|", section, re.MULTILINE)
    described = {name: default for names, default in rows for name in re.findall(r"`(\w+)`", names)}
    assert set(described) == {
        "AbuseContact", "AlarmEmail", "ApiConcurrency", "RequestBurst", "RequestsPerSecond", "WafRequestsPerFiveMinutes"
    }  # fmt: skip
    for name, default in described.items():
        value = declared[name]["Default"]
        assert value == "" or str(value) in re.findall(r"\d+", default), name


def test_a_deployment_accepts_the_parameter_names_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "sam.json").write_text(json.dumps({"Parameters": load()["Parameters"]}))
    variables = {"WAF_REQUESTS_PER_FIVE_MINUTES": "500", "API_CONCURRENCY": "100", "ABUSE_CONTACT": "a@example.com"}
    assert all(name in PAGE for name in ("WAF_REQUESTS_PER_FIVE_MINUTES", "API_CONCURRENCY"))
    assert parameters(tmp_path / "sam.json", variables) == {
        "WafRequestsPerFiveMinutes": "500", "ApiConcurrency": "100", "AbuseContact": "a@example.com"
    }  # fmt: skip
