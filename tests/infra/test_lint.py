"""The API document has no findings of the linters that API teams use; what is switched off says why."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import lint
from infra.npm import NpmUnavailable
from infra.openapi import COPY

pytestmark = pytest.mark.storeless

LINTERS = {"redocly": lint.redocly, "spectral": lint.spectral}


def _findings(linter: Callable[[Path], str], document: Path) -> str:
    try:
        return linter(document)
    except NpmUnavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", LINTERS)
def test_the_document_has_no_findings(name: str) -> None:
    assert _findings(LINTERS[name], COPY) == ""


@pytest.mark.parametrize(("name", "rule"), [("redocly", "tag-description"), ("spectral", "operation-tag-defined")])
def test_a_linter_finds_what_is_wrong(name: str, rule: str, tmp_path: Path) -> None:
    document = {"openapi": "3.1.0", "info": {"title": "A", "version": "1"}, "tags": [{"name": "a"}], "paths": {}}
    document["paths"] = {"/a": {"get": {"tags": ["b"], "responses": {"200": {"description": "A."}}}}}
    wrong = tmp_path / "openapi.json"
    wrong.write_text(json.dumps(document))
    assert rule in _findings(LINTERS[name], wrong)


@pytest.mark.parametrize("name", LINTERS)
def test_each_rule_that_is_off_has_a_reason(name: str) -> None:
    """A comment stands above each group of such rules."""
    lines = (lint.CONFIGURATION / f"{name}.yaml").read_text().splitlines()
    off = [number for number, line in enumerate(lines) if re.fullmatch(r"  [\w:-]+: off", line)]
    assert off
    for number in off:
        before = lines[number - 1]
        assert before.startswith("  # ") or number - 1 in off, lines[number]
