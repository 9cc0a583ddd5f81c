"""The template that is deployed: what Chalice derives from `app.py`, with `resources.yaml` merged over it."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
RESOURCES = Path("infra", "resources.yaml")
TEMPLATE = "sam.json"
STAGES: Sequence[str] = sorted(json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"])

# Chalice writes the origin of preflight answers into the template as text. This one stands for the parameter.
_ORIGIN = "https://cors-origin.invalid"
_SAID_BY_CHALICE = {"Creating deployment package."}


class PackagingFailed(Exception):
    """The package would not run, or not be what the repository says."""


def build(stage: str, out: Path, requirements: Sequence[str] = ()) -> Path:
    """Runs `chalice package` into `out`; returns the template. Without requirements the package lacks them."""
    with tempfile.TemporaryDirectory() as directory:
        project = Path(directory)
        _stage_project(project, requirements)
        _chalice_package(project, stage, out)
    template = out / TEMPLATE
    template.write_text(json.dumps(_finished(out, stage), indent=1, sort_keys=True) + "\n")
    return template


def lint(template: Path) -> None:
    """No finding is ignored, information included."""
    command = [_tool("cfn-lint"), "--include-checks", "I", "--template", str(template)]
    if subprocess.run(command, check=False).returncode:
        raise PackagingFailed(f"cfn-lint found faults in {template}")


def _stage_project(project: Path, requirements: Sequence[str]) -> None:
    """A copy, because Chalice packs whatever lies in `chalicelib`, caches included."""
    junk = shutil.ignore_patterns("__pycache__", "*.pyc", "deployed", "deployments")
    for directory in ("chalicelib", ".chalice"):
        shutil.copytree(ROOT / directory, project / directory, ignore=junk)
    shutil.copy(ROOT / "app.py", project)
    (project / RESOURCES).parent.mkdir()
    shutil.copy(ROOT / RESOURCES, project / RESOURCES)
    (project / "requirements.txt").write_text("".join(f"{requirement}\n" for requirement in requirements))


def _chalice_package(project: Path, stage: str, out: Path) -> None:
    command = [_tool("chalice"), "package", "--stage", stage]
    command += ["--merge-template", str(RESOURCES), str(out.resolve())]
    done = subprocess.run(command, cwd=project, env=_environment(), stdout=subprocess.PIPE, text=True, check=False)
    # Chalice only mentions a wheel that it could not get, and goes on without it.
    unexpected = [line for line in done.stdout.splitlines() if line.strip() and line.strip() not in _SAID_BY_CHALICE]
    if done.returncode or unexpected:
        raise PackagingFailed("\n".join([f"chalice package ended with {done.returncode}", *unexpected]))


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("WORKLEDGER_")}
    # Importing the app must not leave caches in the copy, which would be packed.
    fixed = {"PYTHONDONTWRITEBYTECODE": "1", "WORKLEDGER_CORS_ORIGIN": _ORIGIN}
    return {"AWS_DEFAULT_REGION": "us-east-1", **own, **fixed}


def _finished(out: Path, stage: str) -> dict[str, Any]:
    """As JSON: Chalice's YAML has aliases, which CloudFormation does not read."""
    written = out / "sam.yaml"
    template: dict[str, Any] = _with_origin_parameter(yaml.safe_load(written.read_text()))
    written.unlink()
    _hand_every_method_to_the_app(template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"])
    template["Parameters"]["Stage"]["Default"] = stage
    return template


def _hand_every_method_to_the_app(paths: dict[str, dict[str, Any]]) -> None:
    """Add ANY to each path: the gateway would answer 404 to a method without a route, the app answers 405."""
    for methods in paths.values():
        routed = next(method for name, method in methods.items() if name != "options")
        methods["x-amazon-apigateway-any-method"] = {
            name: value for name, value in routed.items() if name not in {"consumes", "parameters", "security"}
        } | {"parameters": [each for each in routed.get("parameters", []) if each["in"] == "path"]}


def _with_origin_parameter(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _with_origin_parameter(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_with_origin_parameter(value) for value in node]
    if isinstance(node, str) and _ORIGIN in node:
        return {"Fn::Sub": re.sub(re.escape(_ORIGIN), "${CorsOrigin}", node)}
    return node


def main() -> None:
    parser = argparse.ArgumentParser(description="Lints the template of a stage.")
    parser.add_argument("--stage", choices=STAGES, required=True)
    with tempfile.TemporaryDirectory() as directory:
        lint(build(parser.parse_args().stage, Path(directory)))


if __name__ == "__main__":
    try:
        main()
    except PackagingFailed as failure:
        sys.exit(str(failure))
