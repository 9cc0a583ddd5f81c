"""Linters of the API document: `make lint-openapi`. Their rules are in redocly.yaml and spectral.yaml, with reasons."""

from __future__ import annotations

import shutil
from pathlib import Path

from infra import npm
from infra.openapi import COPY

CONFIGURATION = Path(__file__).parent
REDOCLY = {"@redocly/cli": "2.77.0"}
SPECTRAL = {"@stoplight/spectral-cli": "6.16.3", "@stoplight/spectral-owasp-ruleset": "2.0.1"}


def redocly(document: Path = COPY) -> str:
    """Return Redocly's findings; empty if there are none."""
    folder = npm.installed(REDOCLY)
    configuration = str(CONFIGURATION / "redocly.yaml")
    done = npm.run(folder, "redocly", "lint", str(document), "--config", configuration, "--format", "stylish")
    return done.stdout if done.returncode else ""


def spectral(document: Path = COPY) -> str:
    """Return Spectral's findings; empty if there are none."""
    folder = npm.installed(SPECTRAL)
    # Spectral looks for the rule sets that a file extends beside that file.
    rules = shutil.copy(CONFIGURATION / "spectral.yaml", folder)
    arguments = ("lint", str(document), "--ruleset", str(rules), "--fail-severity", "hint", "--quiet")
    done = npm.run(folder, "spectral", *arguments)
    return done.stdout if done.returncode else ""
