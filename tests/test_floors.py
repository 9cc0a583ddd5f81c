"""The house has floors: each imports only from below, and each outside library has its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.storeless

ROOT = Path(__file__).parents[1]
FLOORS = ("core", "dal", "models", "auth", "metrics", "action", "modules", "jobs")
"""The floors, from the ground up; `app.py` is the roof."""

FILES = sorted((ROOT / "chalicelib").rglob("*.py"))

PLACES = {
    "chalice": {"app.py", "action/http.py"},
    "pynamodb": {"dal"},
    "botocore": {"dal", "jobs"},
    "boto3": set(),
    "argon2": {"auth/passwords.py"},
    "zxcvbn": {"auth/passwords.py"},
    "jsonschema_rs": {"modules/quick_actions/forms.py"},
    "aws_lambda_powertools.event_handler": {"action"},
    "aws_lambda_powertools.utilities.batch": {"jobs"},
    "aws_lambda_powertools.utilities.idempotency": {"action/idempotency.py"},
    "tests": set(),
    "infra": set(),
    "moto": set(),
    "unittest": set(),
}
"""Files that may import a library."""

MINTS = {
    "core/ids.py": "the type itself, and the id that stands for none",
    "auth": "from a token, whose secret is then verified",
    "dal/keys.py": "from a stored key",
    "models": "from a stored key or record; loans also from the id of the other side",
    "jobs": "from a queue message of ours, and from the operator's input",
    "action/runner.py": "from the stored answer of the request that opened a session",
}
"""Files that may turn a UUID into an OrganizationId."""


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix().removeprefix("chalicelib/")


def _floor(name: str) -> int:
    return FLOORS.index(name.partition("/")[0])


def _is_at(name: str, places: set[str]) -> bool:
    return any(name == place or name.startswith(f"{place}/") for place in places)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _imports(path: Path) -> Iterator[str]:
    """Dotted names, those inside functions too; `from a import b` counts as a.b."""
    for node in ast.walk(_tree(path)):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{name.name}" for name in names)
            case ast.ImportFrom():
                raise AssertionError(f"{path} imports relatively")


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_imports_come_from_below(path: Path) -> None:
    name = _name(path)
    if name == "__init__.py":
        return
    above = [
        module
        for module in _imports(path)
        if module.startswith("chalicelib.") and FLOORS.index(module.split(".")[1]) > _floor(name)
    ]
    assert above == []


@pytest.mark.parametrize("path", [*FILES, ROOT / "app.py"], ids=_name)
def test_libraries_stay_in_their_place(path: Path) -> None:
    name = _name(path)
    strayed = [
        (library, module)
        for module in _imports(path)
        for library, places in PLACES.items()
        if (module == library or module.startswith(f"{library}.")) and not _is_at(name, places)
    ]
    assert strayed == []


@pytest.mark.parametrize("path", [path for path in FILES if "modules" in path.parts], ids=_name)
def test_domains_do_not_use_each_others_actions(path: Path) -> None:
    domain = _name(path).split("/")[1]
    foreign = [
        module
        for module in _imports(path)
        if module.startswith("chalicelib.modules.")
        and module.split(".")[2] != domain
        and module.split(".")[3:4] == ["actions"]
    ]
    assert foreign == []


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_only_a_few_mint_an_organization_id(path: Path) -> None:
    mints = any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "OrganizationId"
        for node in ast.walk(_tree(path))
    )
    assert not mints or _is_at(_name(path), set(MINTS))


OTHER_SIDE = "chalicelib.models.loans.sides"
"""Writes in the partitions of an organization other than the caller's."""


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_only_loans_reach_another_organization(path: Path) -> None:
    name = _name(path)
    if not _is_at(name, {"models/loans"}):
        assert not [module for module in _imports(path) if (module + ".").startswith(OTHER_SIDE + ".")]
    if name not in {"dal/unit_of_work.py", "models/loans/sides.py"}:
        opened = [
            node
            for node in ast.walk(_tree(path))
            if isinstance(node, ast.Attribute) and node.attr == "open_counterpart"
        ]
        assert opened == []


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_keys_are_built_in_one_file(path: Path) -> None:
    if _name(path) == "dal/keys.py":
        return
    docstrings = {
        id(node.value) for node in ast.walk(_tree(path)) if isinstance(node, ast.Expr) and hasattr(node, "value")
    }
    built = [
        node.value
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        for prefix in ("ORG#", "EMAIL#", "SOURCE#", "MAIL#", "#UNIQUE#", "#LIVE", "#DELETED")
        if prefix in node.value
    ]
    assert built == []


MECHANISM = {"pk", "sk", "version", "data", "children", "reference", "at", "search", "facets", "ttl", "derived"}
"""Attributes of every item. A model's own are registered by the model."""


def test_the_generic_item_names_no_attribute_of_one_domain() -> None:
    (item,) = [
        node
        for node in _tree(ROOT / "chalicelib/dal/item.py").body
        if isinstance(node, ast.ClassDef) and node.name == "Item"
    ]
    declared = {
        target.id
        for node in item.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and not target.id.startswith("gsi")
    }
    assert declared == MECHANISM


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_indexes_are_named_in_the_storage_mechanism_alone(path: Path) -> None:
    if _is_at(_name(path), {"dal/keys.py", "dal/item.py"}):
        return
    assert not re.search(r"gsi\d", path.read_text(), re.IGNORECASE)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_file_says_what_it_is_and_is_not_too_long(path: Path) -> None:
    assert ast.get_docstring(_tree(path))
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "actions.py"], ids=_name)
def test_every_action_reads_like_a_manual(path: Path) -> None:
    functions = [node for node in _tree(path).body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    assert functions
    assert [node.name for node in functions if not ast.get_docstring(node)] == []
