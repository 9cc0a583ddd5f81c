"""Deploys `build/<stage>/` with the AWS CLI, as stack `workledger-<stage>`.

Parameters of the template come from variables of their name: `make deploy MAIL_FROM=no-reply@example.org`. One that is
not given keeps the value that the stack has. `ARTIFACT_BUCKET=` names the bucket for the code; without it a bucket
`workledger-artifacts-<account>-<region>` is used, and created when it is not there.
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
        raise DeploymentFailed("the AWS CLI is needed: install `aws` and give it credentials and a region")
    out = ROOT / "build" / stage
    stack = f"workledger-{stage}"
    bucket = os.environ.get("ARTIFACT_BUCKET") or _own_bucket()
    uploaded = out / "uploaded.json"
    place = ["--s3-bucket", bucket, "--s3-prefix", stack]
    _aws("cloudformation", "package", "--template-file", str(out / TEMPLATE), "--use-json", *place,
         "--output-template-file", str(uploaded))  # fmt: skip
    overrides = parameters(uploaded, os.environ)
    print(f"deploying {stack} with {', '.join(sorted(overrides)) or 'the parameters it has'}")
    _aws("cloudformation", "deploy", "--template-file", str(uploaded), "--stack-name", stack, *place,
         "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--no-fail-on-empty-changeset",
         *(["--parameter-overrides", *(f"{name}={value}" for name, value in overrides.items())] if overrides else []),
         "--tags", f"workledger:stage={stage}")  # fmt: skip
    described = json.loads(_aws("cloudformation", "describe-stacks", "--stack-name", stack, "--output", "json"))
    for output in described["Stacks"][0]["Outputs"]:
        print(f"{output['OutputKey']}: {output['OutputValue']}")


def parameters(template: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """`MailFrom` is taken from `MAIL_FROM`. The stage is no choice: the template was packaged for one."""
    declared: dict[str, Any] = json.loads(template.read_text())["Parameters"]
    named = {name: re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() for name in declared if name != "Stage"}
    return {name: variables[variable] for name, variable in named.items() if variable in variables}


def _own_bucket() -> str:
    account = _aws("sts", "get-caller-identity", "--query", "Account", "--output", "text").strip()
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _configured_region()
    bucket = f"workledger-artifacts-{account}-{region}"
    if _run("s3api", "head-bucket", "--bucket", bucket, stderr=subprocess.DEVNULL).returncode:
        _aws("s3", "mb", f"s3://{bucket}", "--region", region)
    return bucket


def _configured_region() -> str:
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
    command = ["aws", *arguments]  # whichever the PATH names: version 1 and 2 know all that is asked here
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
