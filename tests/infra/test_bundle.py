"""The code package: usable bytecode, no unused service data, and reproducible bytes."""

from __future__ import annotations

import json
import marshal
import struct
import subprocess
import sys
import zipfile
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from infra import bundle, cold_start
from infra.template import PackagingFailed

UNCHECKED_HASH = 0b01
TAG = sys.implementation.cache_tag

FILES = {
    "app.py": "from field import rate\n",
    "field/__init__.py": "rate = 1\n",
    "field-1.0.dist-info/METADATA": "Name: field\n",
    "boto3/__init__.py": "from boto3.session import Session\n",
    "boto3/session.py": "import s3transfer\nclass Session: ...\n",
    "boto3/dynamodb/__init__.py": "",
    "boto3/dynamodb/types.py": "from boto3.compat import collections_abc\nMAPPING = collections_abc.Mapping\n",
    "s3transfer/__init__.py": "",
    "botocore/data/dynamodb/2012-08-10/service-2.json": "{}",
    "botocore/data/ec2/2016-11-15/service-2.json": "{}",
    "botocore/data/endpoints.json": json.dumps({"partitions": [{"services": {"dynamodb": {}, "ec2": {}}}]}),
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "deployment.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return path


def finished(package: Path, directory: Path) -> Path:
    directory.mkdir()
    bundle.finish(package, directory / "scratch")
    with zipfile.ZipFile(package) as archive:
        archive.extractall(directory / "unzipped")
    return directory / "unzipped"


def test_every_module_has_bytecode_that_stays_valid(package: Path, tmp_path: Path) -> None:
    unzipped = finished(package, tmp_path / "first")
    compiled = {path.relative_to(unzipped).as_posix(): path.read_bytes() for path in unzipped.rglob("*.pyc")}
    assert set(compiled) >= {f"__pycache__/app.{TAG}.pyc", f"field/__pycache__/__init__.{TAG}.pyc"}
    assert len(compiled) == len([*unzipped.rglob("*.py")])
    for content in compiled.values():
        assert content[:4] == MAGIC_NUMBER
        assert struct.unpack("<I", content[4:8]) == (UNCHECKED_HASH,)
    # Tracebacks name files where Lambda has them.
    app = marshal.loads(compiled[f"__pycache__/app.{TAG}.pyc"][16:])  # noqa: S302  compiled by this test
    assert app.co_filename == "/var/task/app.py"


def test_unused_services_are_removed(package: Path, tmp_path: Path) -> None:
    data = finished(package, tmp_path / "first") / "botocore" / "data"
    assert {path.name for path in data.iterdir()} == {"dynamodb", "endpoints.json"}
    assert json.loads((data / "endpoints.json").read_text()) == {"partitions": [{"services": {"dynamodb": {}}}]}


def test_only_the_types_of_boto3_are_left(package: Path, tmp_path: Path) -> None:
    unzipped = finished(package, tmp_path / "first")
    assert not (unzipped / "s3transfer").exists()
    assert not (unzipped / "boto3" / "session.py").exists()
    script = "import boto3; from boto3.dynamodb.types import MAPPING; print(MAPPING.__name__)"
    run = subprocess.run([sys.executable, "-c", script], cwd=unzipped, capture_output=True, text=True, check=True)
    assert run.stdout == "Mapping\n"


def test_the_same_content_is_the_same_package(package: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    other.write_bytes(package.read_bytes())
    finished(package, tmp_path / "first")
    finished(other, tmp_path / "second")
    assert package.read_bytes() == other.read_bytes()


def test_a_package_too_large_for_lambda_is_refused(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "LIMIT_BYTES", 100)
    with pytest.raises(PackagingFailed, match="bytes unzipped exceed"):
        bundle.finish(package, tmp_path / "scratch")


def test_exactly_the_pins_are_packaged(package: Path, tmp_path: Path) -> None:
    unzipped = finished(package, tmp_path / "first")
    bundle.check_requirements(unzipped, ["Field==1.0"])
    for pins in ([], ["field==1.1"], ["field==1.0", "wheel-less==2.0"]):
        with pytest.raises(PackagingFailed):
            bundle.check_requirements(unzipped, pins)


@pytest.mark.parametrize(("machine", "architecture"), [(62, "x86_64"), (183, "arm64")])
def test_compiled_modules_are_for_the_functions_processors(machine: int, architecture: str, tmp_path: Path) -> None:
    header = b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little")
    (tmp_path / "field.abi3.so").write_bytes(header)
    bundle.check_machine(tmp_path, architecture)
    other = {"x86_64": "arm64", "arm64": "x86_64"}[architecture]
    with pytest.raises(PackagingFailed, match=f"not for {other}: field.abi3.so"):
        bundle.check_machine(tmp_path, other)


def test_a_cold_start_that_would_compile_is_refused(package: Path, tmp_path: Path) -> None:
    unzipped = finished(package, tmp_path / "first")
    (unzipped / "field" / "__pycache__" / f"__init__.{TAG}.pyc").unlink()
    command = [sys.executable, "-I", "-S", cold_start.__file__, str(unzipped)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode
    assert "field/__init__.py has no valid bytecode" in result.stderr
