"""Write a collection of requests for Bruno: one for each action, from the API document. `make bruno`.

Requests fit together: sign-up and sign-in keep the token, and a request that creates an entity keeps its id for those
that need it.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.openapi import COPY
from infra.template import ROOT

TARGET = ROOT / "build" / "bruno"
URL = "http://127.0.0.1:8000"
_COLLECTION = {"version": "1", "name": "Workledger", "type": "collection"}
_JSON = "application/json"

Document = dict[str, Any]


def files(document: Document) -> dict[str, str]:
    """Return the files of the collection by their paths."""
    variables = {_id_of(path) for path, operations in document["paths"].items() if "201" in _statuses(operations)}
    requests = {
        f"{operation['tags'][0]}/{operation['operationId']}.bru": _request(
            document, path, method, operation, number, variables
        )
        for number, (path, method, operation) in enumerate(_operations(document), start=1)
    }
    return {
        "bruno.json": json.dumps(_COLLECTION, indent=2) + "\n",
        "collection.bru": _block("auth", ["mode: bearer"]) + _block("auth:bearer", ["token: {{token}}"]),
        "environments/local.bru": _block("vars", [f"baseUrl: {URL}"]),
        **requests,
    }


def write(target: Path = TARGET) -> None:
    """Replace the folder by the collection of the committed document."""
    shutil.rmtree(target, ignore_errors=True)
    for name, text in files(json.loads(COPY.read_text())).items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _statuses(operations: Document) -> set[str]:
    return set(operations.get("post", {}).get("responses", {}))


def _id_of(path: str) -> str:
    """Return the name of the id of an entity of a collection: `workLocationId` of `/work-locations`."""
    singular = re.sub("ies$", "y", path.rpartition("/")[2])
    first, *rest = re.sub("s$", "", singular).split("-")
    return first + "".join(map(str.capitalize, rest)) + "Id"


def _request(document: Document, path: str, method: str, operation: Document, number: int, variables: set[str]) -> str:
    url = re.sub(r"\{(\w+)\}", r":\1", path)
    content = operation.get("requestBody", {}).get("content", {})
    auth = "none" if operation.get("security") == [] else "inherit"
    placed: dict[str, list[str]] = {"path": [], "query": [], "header": []}
    for parameter in operation["parameters"]:
        # What is optional is there, switched off.
        mark = "" if parameter.get("required") or parameter["name"] == "Idempotency-Key" else "~"
        placed[parameter["in"]].append(f"{mark}{parameter['name']}: {_value(document, parameter, path, variables)}")
    blocks = [
        _block("meta", [f"name: {operation['operationId']}", "type: http", f"seq: {number}"]),
        _block(method, [f"url: {{{{baseUrl}}}}{url}", f"body: {'json' if content else 'none'}", f"auth: {auth}"]),
        _block("params:path", placed["path"]),
        _block("params:query", placed["query"]),
        _block("headers", placed["header"]),
    ]
    if content:
        text = json.dumps(_linked(content[_JSON]["example"], variables), indent=2, ensure_ascii=False)
        blocks.append(_block("body:json", text.splitlines()))
    blocks.append(_block("script:post-response", _keeping(operation, path)))
    blocks.append(_block("docs", [f"{operation['summary']}.", "", *operation["description"].splitlines()]))
    return "\n".join(filter(None, blocks))


def _keeping(operation: Document, path: str) -> list[str]:
    """Return the script that keeps what later requests need of an answer."""
    success = next(response for status, response in operation["responses"].items() if status[0] == "2")
    data = success["content"].get(_JSON, {}).get("example", {}).get("data", {})
    names = {"token": "token"} if "token" in data else {}
    if "201" in operation["responses"] and "id" in data:
        names["id"] = _id_of(path)
    return [f'if (res.body.data) bru.setVar("{variable}", res.body.data.{name});' for name, variable in names.items()]


def _value(document: Document, parameter: Document, path: str, variables: set[str]) -> str:
    name, schema = parameter["name"], parameter["schema"]
    if name == "Idempotency-Key":
        return "{{$guid}}"
    known = _id_of(path.partition("/{id}")[0]) if name == "id" else name
    if known in variables:
        return f"{{{{{known}}}}}"
    if "$ref" in schema:
        schema = {**document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], **schema}
    choices = [*schema.get("examples", []), *schema.get("enum", []), schema.get("default", schema.get("minimum", ""))]
    return str(choices[0])


def _linked(example: Any, variables: set[str]) -> Any:
    """Return the example with the ids that earlier requests have stored."""
    if isinstance(example, list):
        return [_linked(item, variables) for item in example]
    if not isinstance(example, dict):
        return example
    return {
        name: f"{{{{{name}}}}}" if name in variables and isinstance(value, str) else _linked(value, variables)
        for name, value in example.items()
    }


def _block(name: str, lines: list[str]) -> str:
    return f"{name} {{\n" + "".join(f"  {line}".rstrip() + "\n" for line in lines) + "}\n" if lines else ""


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:]))
