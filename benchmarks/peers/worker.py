"""A process with one service. It answers the requests that it reads from its input and prints their CPU time.

Its arguments are the module of the service and a word that no other process has. Each line of the input is a JSON
object {"event": a Lambda event, "repeat": how often}, in which `{number}` becomes that word with the number of the
request. Each line of the output is the CPU in milliseconds of one request.
"""

from __future__ import annotations

import importlib
import itertools
import json
import sys
import time
from typing import Any


class Context:
    """The part of Lambda's context that handlers read."""

    function_name = "peer"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-central-1:000000000000:function:peer"
    aws_request_id = "1"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 30_000


def main() -> None:
    handler = importlib.import_module(f"benchmarks.peers.{sys.argv[1]}").handler
    numbers = (f"{sys.argv[2]}-{number}" for number in itertools.count())
    for line in sys.stdin:
        request = json.loads(line)
        spent = 0.0
        for _ in range(request["repeat"]):
            event = _numbered(request["event"], next(numbers))
            started = time.process_time()
            answer = handler(event, Context())
            spent += time.process_time() - started
            if answer["statusCode"] not in (200, 201):
                sys.exit(f"{sys.argv[1]} answered {answer}")
        sys.stdout.write(f"{spent * 1000 / request['repeat']}\n")
        sys.stdout.flush()


def _numbered(event: dict[str, Any], number: str) -> dict[str, Any]:
    numbered: dict[str, Any] = json.loads(json.dumps(event).replace("{number}", number))
    return numbered


if __name__ == "__main__":
    main()
