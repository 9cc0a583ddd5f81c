"""The collection for Bruno: a request for each action, made of the API document."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infra import bruno
from infra.openapi import COPY

pytestmark = pytest.mark.storeless

DOCUMENT = json.loads(COPY.read_text())
FILES = bruno.files(DOCUMENT)
OPERATIONS = {
    operation["operationId"]: (path, method, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


def _request(action: str) -> str:
    (text,) = (text for name, text in FILES.items() if name.endswith(f"/{action}.bru"))
    return text


@pytest.mark.parametrize("action", OPERATIONS)
def test_a_request_has_all_that_its_action_takes(action: str) -> None:
    path, method, operation = OPERATIONS[action]
    text = _request(action)
    blocks = dict(re.findall(r"^([\w:-]+) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL))

    assert "{{baseUrl}}" + re.sub(r"\{(\w+)\}", r":\1", path) in blocks[method]
    for row in operation["parameters"]:
        block = blocks[{"path": "params:path", "query": "params:query", "header": "headers"}[row["in"]]]
        value = re.search(rf"^  ~?{row['name']}: ?(.*)$", block, re.MULTILINE)
        assert value is not None
        assert value[1] or not row.get("required"), row["name"]
    assert ("body:json" in blocks) == ("requestBody" in operation)
    if "body:json" in blocks:
        example = operation["requestBody"]["content"]["application/json"]["example"]
        assert json.loads(blocks["body:json"]).keys() == example.keys()


def test_ids_come_from_the_requests_before() -> None:
    stored = set(re.findall(r'setVar\("(\w+)"', "".join(FILES.values())))
    used = set(re.findall(r"\{\{(\w+)\}\}", "".join(FILES.values()))) - {"baseUrl"}
    assert {"token", "clientId", "workLocationId", "timeSessionId", "activityId"} <= stored
    assert used <= stored


def test_the_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "bruno").mkdir()
    (tmp_path / "bruno" / "old.bru").write_text("")
    bruno.write(tmp_path / "bruno")

    written = {path.relative_to(tmp_path / "bruno").as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {*FILES}
