"""The deployed template: the one that Chalice derives from `app.py`, with `resources.yaml` merged over it."""

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

from infra import offline

ROOT = Path(__file__).parents[1]
RESOURCES = Path("infra", "resources.yaml")
TEMPLATE = "sam.json"
_CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text())
STAGES: Sequence[str] = sorted(_CONFIG["stages"])

# Chalice writes the origin of preflight answers into the template as text. This one is replaced by the parameter.
_ORIGIN = "https://cors-origin.invalid"
_EXPECTED_OUTPUT = {"Creating deployment package."}


class PackagingFailed(Exception):
    """The package would not run, or differs from the repository."""


def architecture(stage: str) -> str:
    """Return the processors of a stage's functions: x86_64 or arm64."""
    chosen: str = _CONFIG["stages"][stage].get("lambda_architecture", _CONFIG["lambda_architecture"])
    return chosen


def build(stage: str, out: Path, requirements: Sequence[str] = ()) -> Path:
    """Run `chalice package` into `out`; return the template's path. Without `requirements` the package has none."""
    with tempfile.TemporaryDirectory() as directory:
        project = Path(directory)
        copy_project(project, requirements)
        run_chalice(project, stage, out)
    template = out / TEMPLATE
    template.write_text(json.dumps(finish(out, stage), indent=1, sort_keys=True) + "\n")
    return template


def lint(template: Path) -> None:
    """Raise PackagingFailed on any finding of cfn-lint, information included."""
    command = [_tool("cfn-lint"), "--include-checks", "I", "--template", str(template)]
    if subprocess.run(command, check=False).returncode:
        raise PackagingFailed(f"cfn-lint has findings in {template}")


def copy_project(project: Path, requirements: Sequence[str]) -> None:
    """Copy the project without caches: Chalice packs every file of `chalicelib`."""
    junk = shutil.ignore_patterns("__pycache__", "*.pyc", "deployed", "deployments")
    for directory in ("chalicelib", ".chalice"):
        shutil.copytree(ROOT / directory, project / directory, ignore=junk)
    shutil.copy(ROOT / "app.py", project)
    (project / RESOURCES).parent.mkdir()
    shutil.copy(ROOT / RESOURCES, project / RESOURCES)
    (project / "requirements.txt").write_text("".join(f"{requirement}\n" for requirement in requirements))


def run_chalice(project: Path, stage: str, out: Path) -> None:
    command = [_tool("chalice"), "package", "--stage", stage]
    command += ["--merge-template", str(RESOURCES), str(out.resolve())]
    done = subprocess.run(command, cwd=project, env=_environment(), stdout=subprocess.PIPE, text=True, check=False)
    # Chalice only prints that it could not get a wheel, and goes on without it.
    unexpected = [line for line in done.stdout.splitlines() if line.strip() and line.strip() not in _EXPECTED_OUTPUT]
    if done.returncode or unexpected:
        raise PackagingFailed("\n".join([f"chalice package ended with {done.returncode}", *unexpected]))


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("WORKLEDGER_")}
    # Importing the app must not leave caches in the copy: they would be packed.
    fixed = {"PYTHONDONTWRITEBYTECODE": "1", "WORKLEDGER_CORS_ORIGIN": _ORIGIN}
    return {**own, **offline.SETTINGS, **fixed}


def finish(out: Path, stage: str) -> dict[str, Any]:
    """Return the template for JSON: Chalice's YAML has aliases, which CloudFormation cannot read."""
    written = out / "sam.yaml"
    template: dict[str, Any] = _with_origin_parameter(yaml.safe_load(written.read_text()))
    written.unlink()
    route_every_method(template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"])
    template["Parameters"]["Stage"]["Default"] = stage
    return template


def route_every_method(paths: dict[str, dict[str, Any]]) -> None:
    """Add ANY to each path: the gateway would answer 404 to a method without a route, the app answers 405."""
    for methods in paths.values():
        routed = next(method for name, method in methods.items() if name != "options")
        methods["x-amazon-apigateway-any-method"] = {
            name: value for name, value in routed.items() if name not in {"consumes", "parameters", "security"}
        } | {"parameters": [entry for entry in routed.get("parameters", []) if entry["in"] == "path"]}


def _with_origin_parameter(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _with_origin_parameter(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_with_origin_parameter(value) for value in node]
    if isinstance(node, str) and _ORIGIN in node:
        return {"Fn::Sub": re.sub(re.escape(_ORIGIN), "${CorsOrigin}", node)}
    return node


def main() -> None:
    parser = argparse.ArgumentParser(description="Lint the template of a stage.")
    parser.add_argument("--stage", choices=STAGES, required=True)
    with tempfile.TemporaryDirectory() as directory:
        lint(build(parser.parse_args().stage, Path(directory)))


if __name__ == "__main__":
    try:
        main()
    except PackagingFailed as failure:
        sys.exit(str(failure))
