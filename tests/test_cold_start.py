"""Importing the app creates no botocore client and imports no package that requests do not need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.storeless

ROOT = Path(__file__).parents[1]

_SCRIPT = """
import json, sys
import botocore.session

made = []
create = botocore.session.Session.create_client

def counted(self, service, *arguments, **options):
    made.append(service)
    return create(self, service, *arguments, **options)

botocore.session.Session.create_client = counted
import app
imported = set(sys.modules)
app.find("createClient").types
print(json.dumps({
    "clients": made,
    "modules": sorted(imported),
    "domains": sorted(name.split(".")[2] for name in sys.modules if name.startswith("chalicelib.modules.")),
    "actions": len(app.app.routes),
}))
"""

# boto3 is imported by the idempotency of Powertools, with its own DynamoDB layer; no client is created from it.
# Packaging leaves only that of it.
_NOT_AT_START = [
    "aws_xray_sdk",
    "chalicelib.jobs",
    "chalicelib.metrics",
    "chalicelib.models.loans",
    "chalicelib.models.time",
    "chalicelib.modules.clients",
    "docker",
    "email_validator",
    "hypothesis",
    "infra",
    "jsonschema_rs",
    "moto",
    "phonenumbers",
    "pytest",
    "tests",
    "unittest",
    "werkzeug",
    "yaml",
    "zxcvbn",
]


@pytest.fixture(scope="module")
def start() -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        cwd=ROOT,
        env={**environment, "AWS_DEFAULT_REGION": "eu-central-1"},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stderr == ""
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_no_client_is_created(start: dict[str, Any]) -> None:
    assert start["clients"] == []
    assert start["actions"] > 20


@pytest.mark.parametrize("package", _NOT_AT_START)
def test_unneeded_packages_are_not_imported(start: dict[str, Any], package: str) -> None:
    assert [name for name in start["modules"] if name == package or name.startswith(f"{package}.")] == []


def test_a_request_imports_the_domain_of_its_action(start: dict[str, Any]) -> None:
    assert set(start["domains"]) == {"clients", "routes"}
