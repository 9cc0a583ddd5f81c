"""The words of the code: terms that docs/glossary.md retired do not come back, and docstrings are sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.storeless

ROOT = Path(__file__).parents[1]
FILES = [
    ROOT / "app.py",
    *(
        path
        for folder in ("benchmarks", "chalicelib", "infra", "tests")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ),
]

RETIRED = {
    "Applied": "AppliedContribution",
    "Card": "Reference",
    "CellKey": "BucketKey",
    "Curve": "Levels",
    "Directory": "NameIndex",
    "Edge": "LevelChange",
    "Grounds": "Inputs",
    "Lane": "LengthClass",
    "Momentary": "SnapshotAggregation",
    "Moves": "Increments",
    "Occupation": "Booking",
    "Parts": "ChunkedWrite",
    "Question": "CacheKey",
    "Reading": "ReadSet",
    "RolledUp": "Source",
    "Roster": "Workload",
    "Setting": "WriteContext",
    "Spread": "Contribution",
    "Standing": "LongRunning",
    "Story": "ActivityTemplate",
    "Tally": "WorkloadDelta",
    "UNTOLD": "SILENT",
    "asked": "the noun",
    "beside": "attributes",
    "card": "reference",
    "carry_out": "run",
    "depends_on": "triggers",
    "each": "the noun of an element",
    "found": "matching, result, or the noun",
    "heal": "reapply_missed",
    "heights": "deltas",
    "is_rehearsal": "is_dry_run",
    "kept": "stored, cached, or the noun",
    "put_before_all": "put(reported_first=True)",
    "relies_on": "dependencies",
    "repair": "fix_drift",
    "retelling": "map_errors",
    "roster": "workload",
    "standing": "long_running",
    "told": "the noun",
    "wanted": "expected, requested, or the noun",
    "what": "the noun",
}
"""Identifiers that were given up, with the words that took their place."""

FRAGMENT = re.compile(
    r"(What|Of|By|How|As|Where|Whether|Who|Whose|Because|So|Also|Or|And|For|From|With|Hard|Soft|Strongly|Eventually)\b"
)
"""A docstring says what something is or does; none of these words begins such a sentence."""


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _identifiers(path: Path) -> Iterator[tuple[int, str]]:
    """Names that a file binds, with their lines."""
    for node in ast.walk(_tree(path)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name


def _docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Docstrings, and the strings below constants and fields, with their lines."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
            yield getattr(node, "lineno", 1), text
        if isinstance(node, ast.Module | ast.ClassDef):
            for before, after in zip(node.body, node.body[1:], strict=False):
                match before, after:
                    case ast.Assign() | ast.AnnAssign(), ast.Expr(value=ast.Constant(value=str(text))):
                        yield after.lineno, text


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_retired_names_do_not_come_back(path: Path) -> None:
    retired = [f"{line}: {name} is {RETIRED[name]} now" for line, name in _identifiers(path) if name in RETIRED]
    assert retired == []


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_docstrings_are_sentences(path: Path) -> None:
    fragments = [f"{line}: {text.splitlines()[0]}" for line, text in _docstrings(path) if FRAGMENT.match(text)]
    assert fragments == []
