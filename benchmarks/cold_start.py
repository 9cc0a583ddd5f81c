"""CPU of a fresh process: bare, with one AWS client, with the app, and with the app's first request."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile

from benchmarks.tables import show

_REPEATS = 5
_CLIENT = "import botocore.session; botocore.session.get_session().create_client('dynamodb')"
_IMPORT = "import app"
_REQUEST = """
import app
event = {"resource": "/api/v1/health", "path": "/api/v1/health", "httpMethod": "GET", "headers": {},
  "multiValueHeaders": {}, "queryStringParameters": None, "multiValueQueryStringParameters": None,
  "pathParameters": None, "stageVariables": None, "body": None, "isBase64Encoded": False,
  "requestContext": {"requestId": "1", "httpMethod": "GET", "resourcePath": "/api/v1/health",
    "identity": {"sourceIp": "198.51.100.7"}}}
assert app.app(event, None)["statusCode"] == 200
"""


def run() -> None:
    bare, client = median_cpu("pass"), median_cpu(_CLIENT)
    cases = [
        ("bare Python", bare),
        ("one botocore client", client),
        ("import app", median_cpu(_IMPORT)),
        ("import app, first request", median_cpu(_REQUEST)),
        ("one botocore client, without .pyc", median_cpu(_CLIENT, bytecode=False)),
        ("import app, without .pyc", median_cpu(_IMPORT, bytecode=False)),
    ]
    rows = [(name, milliseconds, milliseconds / bare, milliseconds / client) for name, milliseconds in cases]
    show("Cold start", ("process", "CPU ms", "to bare Python", "to one client"), rows)


def median_cpu(code: str, *, bytecode: bool = True) -> float:
    """Return the median CPU milliseconds, user and system, of a new interpreter."""
    with tempfile.TemporaryDirectory() as empty:
        # An empty cache directory has no bytecode; none is written to it either.
        environment = {**os.environ} if bytecode else {**os.environ, "PYTHONPYCACHEPREFIX": empty}
        command = [sys.executable, *([] if bytecode else ["-B"]), "-c", code]
        if bytecode:
            child_cpu(command, environment)
        return statistics.median(child_cpu(command, environment) for _ in range(_REPEATS))


def child_cpu(command: list[str], environment: dict[str, str], text: str = "") -> float:
    """Return the CPU milliseconds, user and system, of a command that reads a text."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, input=text, text=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000
