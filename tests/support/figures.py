"""Figures that tests report as properties, printed at the end of the run, also with parallel processes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

ROUND_TRIPS = "round trips"
"""The cost of a request for an action: `action`, `operations`, `of` (the variant of the request)."""

GENERATED_REQUESTS = "generated requests"
"""The number of requests that the contract net made for an action."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reported = defaultdict(list)
    for report in terminalreporter.getreports(""):
        # The report of teardown includes the properties of setup and call.
        for name, value in report.user_properties if report.when == "teardown" else ():
            reported[name].append(value)
    if reported[ROUND_TRIPS]:
        terminalreporter.section(ROUND_TRIPS)
        for line in _round_trips(reported[ROUND_TRIPS]):
            terminalreporter.write_line(line)
    if reported[GENERATED_REQUESTS]:
        counts = reported[GENERATED_REQUESTS]
        terminalreporter.section(GENERATED_REQUESTS)
        terminalreporter.write_line(f"{sum(counts):,} for {len(counts)} actions")


def _round_trips(costs: list[dict[str, Any]]) -> list[str]:
    rows = {(cost["action"] + cost["of"], cost["trips"], tuple(cost["operations"])) for cost in costs}
    return [f"{request:<42}{trips}  {', '.join(operations)}" for request, trips, operations in sorted(rows)]
