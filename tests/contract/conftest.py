"""Says at the end how many requests were generated."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counts = [
        value
        for report in terminalreporter.getreports("")
        for name, value in report.user_properties
        if name == "generated requests" and report.when == "teardown"
    ]
    if counts:
        terminalreporter.write_line(f"{sum(counts):,} requests were generated for {len(counts)} actions")
