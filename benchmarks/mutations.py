"""`make mutate`: remove each guard of the product in turn, run the closest tests, and list the survivors.

Guards are: `if …: raise`, the conditions of writes, `require…` calls, an action's permission, the organization in a
key. Each is removed in a scratch copy of the repository, never in place. A survivor is a guard that no test covers.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_COPIED = ("app.py", "benchmarks", "chalicelib", "docs", "infra", "pyproject.toml", "tests", ".chalice")
_PRODUCT = "chalicelib"
_WRITES = {"delete": 1, "put": 1, "update": 2}
"""Methods of a unit of work and of collections, with the position of their condition."""
_LOWEST = "Permission.WORKSPACE_READ"
_NETS = [f"tests/nets/test_{net}.py" for net in ("authorization", "etags", "idempotency", "audit")]
_MAX_TEST_FILES = 12
_MAX_ACTIONS = 3
_SECONDS_A_MUTANT = 240


@dataclass(frozen=True)
class Mutation:
    """A guard, and the source text that replaces it."""

    kind: str
    line: int
    guard: str
    start: int
    end: int
    replacement: str

    def applied(self, source: bytes) -> bytes:
        return source[: self.start] + self.replacement.encode() + source[self.end :]


# -- finding guards --------------------------------------------------------------------------------------------------


def find(source: bytes, *, are_keys: bool = False) -> list[Mutation]:
    """Return the guards in a module. `are_keys`: it builds the keys of the table, which separate tenants."""
    tree = ast.parse(source)
    finder = _Finder(source)
    for node in ast.walk(tree):
        finder.guards_of(node, are_keys=are_keys)
    return sorted(finder.mutations, key=lambda mutation: (mutation.start, mutation.end))


class _Finder:
    def __init__(self, source: bytes) -> None:
        self._source = source
        self._offsets = [0]
        for line in source.splitlines(keepends=True):
            self._offsets.append(self._offsets[-1] + len(line))
        self._inner: set[int] = set()
        self.mutations: list[Mutation] = []

    def guards_of(self, node: ast.AST, *, are_keys: bool) -> None:
        match node:
            case ast.If(test=test, body=body) if isinstance(body[-1], ast.Raise) and not _binds(test):
                self._add("refusal", test, "False")
            case ast.Expr(value=ast.Call() as call) if re.match(r"_?require", _name(call.func)):
                self._add("requirement", node, "pass")
            case ast.Expr(value=ast.Call() as call) if _name(call.func) == "check" and len(call.args) >= 3:
                self._add("check", node, "pass")
            case ast.BinOp(op=ast.BitAnd()) if b"Item." in self._text(node):
                self._operands(node)
            case ast.FormattedValue(value=ast.Name(id="organization") as name) if are_keys:
                self._add("tenant", name, "'anybody'")
            case ast.Call():
                self._arguments(node)
            case _:
                pass

    def _operands(self, node: ast.BinOp) -> None:
        """Drop each operand of `a & b & c` in turn."""
        if id(node) in self._inner:
            return
        operands: list[ast.expr] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and isinstance(left.op, ast.BitAnd):
            self._inner.add(id(left))
            operands.insert(0, left.right)
            left = left.left
        operands.insert(0, left)
        texts = [f"({self._text(operand).decode()})" for operand in operands]
        for number, operand in enumerate(operands):
            remaining = " & ".join([*texts[:number], *texts[number + 1 :]])
            self._add("condition", node, f"({remaining})", guard=operand)

    def _arguments(self, call: ast.Call) -> None:
        conditions: list[ast.expr] = []
        for keyword in call.keywords:
            if keyword.arg == "permission" and self._text(keyword.value).decode() not in {_LOWEST, "PUBLIC"}:
                self._add("permission", keyword.value, _LOWEST)
            if keyword.arg == "condition":
                conditions.append(keyword.value)
        position = _WRITES.get(_name(call.func))
        if position is not None and isinstance(call.func, ast.Attribute):
            conditions += call.args[position : position + 1]
        conditions += _joined(call)
        for condition in conditions:
            if isinstance(condition, ast.Compare | ast.Call | ast.Attribute) and not _joined(condition):
                self._add("condition", condition, "None")

    def _add(self, kind: str, node: ast.expr | ast.stmt, replacement: str, guard: ast.AST | None = None) -> None:
        start, end = self._span(node)
        text = " ".join(self._text(guard or node).decode().split())
        self.mutations.append(Mutation(kind, node.lineno, text, start, end, replacement))

    def _text(self, node: ast.AST) -> bytes:
        start, end = self._span(node)
        return self._source[start:end]

    def _span(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._offsets[node.lineno - 1] + node.col_offset,
            self._offsets[node.end_lineno - 1] + node.end_col_offset,
        )


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _joined(call: ast.expr) -> list[ast.expr]:
    """Return the conditions of an `all_of`, which are dropped one by one; none for anything else."""
    match call:
        case ast.Call(func=func, args=[ast.List(elts=conditions), *_]) if _name(func) == "all_of":
            return conditions
    return []


def _binds(test: ast.expr) -> bool:
    """Return True if the test binds a name, which later code may use."""
    return any(isinstance(node, ast.NamedExpr) for node in ast.walk(test))


# -- the closest tests -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tests:
    """The tests of a module: test files, then the nets of its closest actions."""

    files: tuple[str, ...]
    actions: tuple[str, ...]

    def commands(self) -> Iterator[list[str]]:
        pytest = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
        if self.files:
            yield [*pytest, *self.files]
        if self.actions:
            yield [*pytest, *_NETS, "-k", " or ".join(self.actions)]


def closest_tests(root: Path, module: Path) -> Tests:
    """Return the tests of a module (`chalicelib/…`), of its importers, and of its actions."""
    inside = module.relative_to(_PRODUCT)
    imports = _imports_of(inside)
    importers = [path for path in sorted((root / _PRODUCT).rglob("*.py")) if imports.search(path.read_text())]
    chosen = [*sibling_tests(root, inside)]
    chosen += [path for path in sorted((root / "tests").rglob("test_*.py")) if imports.search(path.read_text())]
    for importer in importers:
        chosen += sibling_tests(root, importer.relative_to(root / _PRODUCT))
    files = [str(path.relative_to(root)) for path in dict.fromkeys(chosen) if path.parent.name != "nets"]
    actions = [
        name for path in (root / module, *importers) for name in re.findall(r'@action\(\s*"(\w+)"', path.read_text())
    ]
    return Tests(tuple(files[:_MAX_TEST_FILES]), tuple(dict.fromkeys(actions))[:_MAX_ACTIONS])


def sibling_tests(root: Path, inside: Path) -> Iterator[Path]:
    """Yield the tests at the module's place in the product; for actions, those of the whole package."""
    folder = root / "tests" / inside.parent
    yield from sorted(folder.glob(f"test_{inside.stem}*.py"))
    if inside.parts[0] == "modules":
        yield from sorted(folder.glob("test_*.py"))


def _imports_of(inside: Path) -> re.Pattern[str]:
    package = re.escape(".".join((_PRODUCT, *inside.parent.parts)))
    return re.compile(rf"from {package}(\.{inside.stem} import| import [^\n]*\b{inside.stem}\b)")


# -- running ---------------------------------------------------------------------------------------------------------


@dataclass
class Scratch:
    """A copy of the repository in which one mutation at a time is applied."""

    root: Path
    _sound: dict[Tests, bool]

    @classmethod
    def of(cls, repository: Path, directory: Path) -> Scratch:
        for name in _COPIED:
            source, junk = repository / name, shutil.ignore_patterns("__pycache__")
            if source.is_dir():
                shutil.copytree(source, directory / name, ignore=junk)
            elif source.exists():
                shutil.copy(source, directory / name)
        if (repository / ".cache").exists():
            (directory / ".cache").symlink_to(repository / ".cache")
        return cls(directory, {})

    def verdict(self, module: Path, mutation: Mutation) -> str:
        """Return "killed", "survived", "timed out", or the reason why there is no verdict."""
        tests = closest_tests(self.root, module)
        if tests not in self._sound:
            self._sound[tests] = self._passes(tests) is True
        if not self._sound[tests]:
            return "no verdict: its tests fail or time out without the mutation"
        path = self.root / module
        source = path.read_bytes()
        path.write_bytes(mutation.applied(source))
        try:
            passed = self._passes(tests)
        finally:
            path.write_bytes(source)
        return {True: "survived", False: "killed", None: "timed out"}[passed]

    def _passes(self, tests: Tests) -> bool | None:
        """Return True if all tests pass, None if they take too long."""
        for command in tests.commands():
            code = self._run(command)
            if code is None:
                return None
            # 5: no test was selected, because a net has none for these actions.
            if code not in {0, 5}:
                return False
        return True

    def _run(self, command: Sequence[str]) -> int | None:
        environment = {"WORKLEDGER_STORE": "dynoxide", **os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        with subprocess.Popen(
            command,
            cwd=self.root,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                return process.wait(timeout=_SECONDS_A_MUTANT)
            except subprocess.TimeoutExpired:
                # The engine that the tests started is in its process group.
                os.killpg(process.pid, signal.SIGKILL)
                return None


def all_mutations(root: Path, only: Path | None) -> list[tuple[Path, Mutation]]:
    """Return all guards below `only`, by default those of the whole product."""
    start = root / (only or _PRODUCT)
    paths = [start] if start.is_file() else sorted(start.rglob("*.py"))
    return [
        (path.relative_to(root), mutation)
        for path in paths
        for mutation in find(path.read_bytes(), are_keys=path.name == "keys.py")
    ]


def run(root: Path, chosen: Iterable[tuple[Path, Mutation]]) -> int:
    """Try each mutation; print its verdict and, at the end, the survivors; return their number."""
    verdicts: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as directory:
        scratch = Scratch.of(root, Path(directory))
        for module, mutation in chosen:
            verdict = scratch.verdict(module, mutation)
            described = f"{module}:{mutation.line} {mutation.kind}: {mutation.guard[:100]}"
            verdicts.append((verdict, described))
            print(f"{verdict:10} {described}", flush=True)
    survivors = [described for verdict, described in verdicts if verdict == "survived"]
    killed = sum(verdict in {"killed", "timed out"} for verdict, _ in verdicts)
    print(f"\n{len(verdicts)} guards removed, {killed} covered by a test, {len(survivors)} by none:")
    print("\n".join(survivors))
    return len(survivors)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutations", description=__doc__)
    parser.add_argument("--only", type=Path, help="a file or folder of the product, such as chalicelib/models/users.py")
    parser.add_argument("--sample", type=int, help="number of guards, chosen at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="list the guards and remove none")
    options = parser.parse_args(arguments)
    chosen = all_mutations(ROOT, options.only)
    if options.sample is not None:
        chosen = random.Random(options.seed).sample(chosen, min(options.sample, len(chosen)))
    if options.list:
        for module, mutation in chosen:
            print(f"{module}:{mutation.line} {mutation.kind}: {mutation.guard}")
        return 0
    return 1 if run(ROOT, chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
