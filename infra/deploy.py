"""Deploy `build/<stage>/` with the AWS CLI, as stack `workledger-<stage>`.

Template parameters come from environment variables: `make deploy MAIL_FROM=no-reply@example.org`. One that is not
given keeps its value in the stack. `ARTIFACT_BUCKET=` names the bucket for the code; without it a bucket
`workledger-artifacts-<account>-<region>` is used, and created if it is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.template import ROOT, STAGES, TEMPLATE


class DeploymentFailed(Exception):
    """The AWS CLI is missing or refused a step."""


def deploy(stage: str) -> None:
    if shutil.which("aws") is None:
        raise DeploymentFailed("the AWS CLI is needed: install `aws` and configure credentials and a region")
    out = ROOT / "build" / stage
    stack = f"workledger-{stage}"
    bucket = os.environ.get("ARTIFACT_BUCKET") or artifact_bucket()
    uploaded = out / "uploaded.json"
    place = ["--s3-bucket", bucket, "--s3-prefix", stack]
    _aws("cloudformation", "package", "--template-file", str(out / TEMPLATE), "--use-json", *place,
         "--output-template-file", str(uploaded))  # fmt: skip
    overrides = parameters(uploaded, os.environ)
    print(f"deploying {stack} with {', '.join(sorted(overrides)) or 'its current parameters'}")
    _aws("cloudformation", "deploy", "--template-file", str(uploaded), "--stack-name", stack, *place,
         "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--no-fail-on-empty-changeset",
         *(["--parameter-overrides", *(f"{name}={value}" for name, value in overrides.items())] if overrides else []),
         "--tags", f"workledger:stage={stage}")  # fmt: skip
    described = json.loads(_aws("cloudformation", "describe-stacks", "--stack-name", stack, "--output", "json"))
    for output in described["Stacks"][0]["Outputs"]:
        print(f"{output['OutputKey']}: {output['OutputValue']}")


def parameters(template: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the given parameters: `MailFrom` from `MAIL_FROM`. The stage is fixed when the template is packaged."""
    declared: dict[str, Any] = json.loads(template.read_text())["Parameters"]
    named = {name: re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() for name in declared if name != "Stage"}
    return {name: variables[variable] for name, variable in named.items() if variable in variables}


def artifact_bucket() -> str:
    account = _aws("sts", "get-caller-identity", "--query", "Account", "--output", "text").strip()
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or configured_region()
    bucket = f"workledger-artifacts-{account}-{region}"
    if _run("s3api", "head-bucket", "--bucket", bucket, stderr=subprocess.DEVNULL).returncode:
        _aws("s3", "mb", f"s3://{bucket}", "--region", region)
    return bucket


def configured_region() -> str:
    region = _run("configure", "get", "region").stdout.strip()
    if not region:
        raise DeploymentFailed("no region: set AWS_REGION or run `aws configure`")
    return region


def _aws(*arguments: str) -> str:
    done = _run(*arguments)
    if done.returncode:
        raise DeploymentFailed(f"aws {' '.join(arguments[:2])} ended with {done.returncode}")
    return done.stdout


def _run(*arguments: str, stderr: int | None = None) -> subprocess.CompletedProcess[str]:
    command = ["aws", *arguments]  # version 1 and version 2 both have these commands
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, check=False)


def main() -> None:
    parser = argparse.ArgumentParser(description="Deploys a packaged stage with the AWS CLI.")
    parser.add_argument("--stage", choices=STAGES, required=True)
    try:
        deploy(parser.parse_args().stage)
    except DeploymentFailed as failure:
        sys.exit(f"deployment failed: {failure}")


if __name__ == "__main__":
    main()
