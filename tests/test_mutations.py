"""The mutation script finds guards, removes one at a time, and distinguishes survivors from kills."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from benchmarks import mutations
from benchmarks.mutations import Scratch, all_mutations, closest_tests, find, run

SOURCE = b"""
@action("doIt", "POST /it", permission=Permission.CLIENTS_WRITE)
def do(ctx, unit):
    ctx.require(1)
    if ctx.is_old and \\
            ctx.is_closed:
        raise ValueError("closed")
    if (value := ctx.get()) is None:
        raise ValueError("it binds a name")
    if ctx.is_new:
        ctx.note("no guard")
    unit.update(ctx.key, [], Item.version == 1, stale)
    unit.delete(ctx.key, None, stale)
    unit.check(ctx.key, Item.pk.exists(), stale)
    unit.update(ctx.key, [], Item.pk.exists() & (Item.version == 1) & (Item.ttl > 5), stale)
    unit.update(ctx.key, [], all_of([Item.a == 1, ctx.condition]), stale)
    return f"ORG#{organization}"
"""


def test_all_guards_and_nothing_else_are_found() -> None:
    assert [(mutation.kind, mutation.guard, mutation.replacement) for mutation in find(SOURCE, are_keys=True)] == [
        ("permission", "Permission.CLIENTS_WRITE", "Permission.WORKSPACE_READ"),
        ("requirement", "ctx.require(1)", "pass"),
        ("refusal", "ctx.is_old and \\ ctx.is_closed", "False"),
        ("condition", "Item.version == 1", "None"),
        ("check", "unit.check(ctx.key, Item.pk.exists(), stale)", "pass"),
        ("condition", "Item.pk.exists()", "((Item.version == 1) & (Item.ttl > 5))"),
        ("condition", "Item.version == 1", "((Item.pk.exists()) & (Item.ttl > 5))"),
        ("condition", "Item.ttl > 5", "((Item.pk.exists()) & (Item.version == 1))"),
        ("condition", "Item.a == 1", "None"),
        ("condition", "ctx.condition", "None"),
        ("tenant", "organization", "'anybody'"),
    ]


def test_a_mutated_module_lacks_only_the_guard() -> None:
    for mutation in find(SOURCE, are_keys=True):
        mutated = mutation.applied(SOURCE)
        ast.parse(mutated)
        assert mutated == SOURCE[: mutation.start] + mutation.replacement.encode() + SOURCE[mutation.end :]


def test_every_guard_of_the_product_leaves_python() -> None:
    guards = all_mutations(mutations.ROOT, None)
    assert {mutation.kind for _, mutation in guards} == {
        "check", "condition", "permission", "refusal", "requirement", "tenant",
    }  # fmt: skip
    for module, mutation in guards:
        ast.parse(mutation.applied((mutations.ROOT / module).read_bytes()))


def test_the_closest_tests_are_a_modules_own_its_importers_and_its_actions() -> None:
    credentials = closest_tests(mutations.ROOT, Path("chalicelib/models/identity/credentials.py"))
    assert {"tests/modules/auth/test_sign_in.py", "tests/modules/auth/test_reset_password.py"} <= {*credentials.files}
    etags = closest_tests(mutations.ROOT, Path("chalicelib/action/etags.py"))
    assert etags.files[0] == "tests/action/test_etags.py"
    clients = closest_tests(mutations.ROOT, Path("chalicelib/modules/clients/actions.py"))
    assert "tests/modules/clients/test_clients.py" in clients.files
    assert "createClient" in clients.actions


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two guards, one of them without a test."""
    files = {
        "chalicelib/__init__.py": "",
        "chalicelib/doors.py": (
            "def enter(age, has_key):\n"
            "    if age < 18:\n        raise ValueError('too young')\n"
            "    if not has_key:\n        raise ValueError('locked')\n"
        ),
        "tests/test_doors.py": (
            "import pytest\nfrom chalicelib.doors import enter\n\n"
            "def test_the_young_stay_out():\n    with pytest.raises(ValueError):\n        enter(17, True)\n"
        ),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_survivors_and_kills_are_distinguished(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (repository / "chalicelib/doors.py").read_bytes()
    assert run(repository, all_mutations(repository, None)) == 1
    output = capsys.readouterr().out
    assert "killed     chalicelib/doors.py:2 refusal: age < 18" in output
    assert "survived   chalicelib/doors.py:4 refusal: not has_key" in output
    assert output.endswith(
        "2 guards removed, 1 covered by a test, 1 by none:\nchalicelib/doors.py:4 refusal: not has_key\n"
    )
    assert (repository / "chalicelib/doors.py").read_bytes() == before


def test_failing_tests_give_no_verdict(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (repository / "tests/test_doors.py").write_text(
        "from chalicelib.doors import enter\n\ndef test_it():\n    assert False\n"
    )
    (module, mutation), _ = all_mutations(repository, None)
    verdict = Scratch.of(repository, tmp_path_factory.mktemp("scratch")).verdict(module, mutation)
    assert verdict.startswith("no verdict")


def test_an_endless_mutant_is_stopped(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = Scratch.of(repository, tmp_path_factory.mktemp("scratch"))
    (module, mutation), _ = all_mutations(repository, None)
    assert scratch.verdict(module, mutation) == "killed"
    monkeypatch.setattr(mutations, "_SECONDS_A_MUTANT", 0)
    assert scratch.verdict(module, mutation) == "timed out"
