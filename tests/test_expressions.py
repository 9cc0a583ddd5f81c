"""All regular expressions of the code take linear time: none backtracks over repetitions.

The tests bound the growth of CPU time over doubled texts, not the time itself.
"""

from __future__ import annotations

import ast
import re
import string
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LENGTHS = (2_000, 4_000, 8_000)
TOO_SHORT_TO_MEASURE = 2_000_000
"""Nanoseconds for the longest text: a quadratic expression takes far longer."""
FIRST = ["", "x", '"', "/", "http://", "A-", "Page_", "+"]
FILLINGS = [
    " ",
    "\t",
    "a",
    "A",
    "0",
    "-",
    ".",
    ",",
    ", ",
    '"',
    "'",
    "\\",
    ";",
    "; a=b",
    ";a=",
    "_",
    "(",
    "/",
    ":",
    "{",
    "<",
    "a/b,",
]
ENDINGS = ["", "!", "\x00", "\ud800", "y"]


def _literals(path: Path) -> Iterator[str]:
    """Yield the expressions that a module gives to `re`, or to a contract as `pattern`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            function = node.func
            is_of_re = isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "re"
            candidates = [*node.args[:1]] if is_of_re and function.attr != "escape" else []
            candidates += [keyword.value for keyword in node.keywords if keyword.arg == "pattern"]
            for value in candidates:
                if isinstance(value, ast.Constant) and isinstance(value.value, str | bytes):
                    text = value.value
                    yield text if isinstance(text, str) else text.decode("latin-1")


def _compiled() -> Iterator[str]:
    """Yield the compiled expressions of modules, including composed ones."""
    import importlib

    for path in sorted((ROOT / "chalicelib").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, re.Pattern):
                yield value.pattern if isinstance(value.pattern, str) else value.pattern.decode("latin-1")


def _documented() -> Iterator[str]:
    """Yield the patterns of the OpenAPI document, which clients run, too."""
    from chalicelib.action.openapi import document

    pending: list[object] = [document()]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            if isinstance(part.get("pattern"), str):
                yield part["pattern"]
            pending += part.values()
        elif isinstance(part, list):
            pending += part


def _expressions() -> list[str]:
    from chalicelib.modules import load_actions

    load_actions()
    paths = [*(ROOT / "chalicelib").rglob("*.py"), *(ROOT / "infra" / "local").rglob("*.py")]
    literals = [text for path in sorted(paths) for text in _literals(path)]
    return [*dict.fromkeys([*literals, *_compiled(), *_documented()])]


def _nanoseconds(expression: re.Pattern[str], text: str) -> int:
    attempts = []
    for _ in range(2):
        started = time.thread_time_ns()
        expression.fullmatch(text)
        expression.match(text)
        attempts.append(time.thread_time_ns() - started)
    return min(attempts)


def pumped(expression: str) -> list[str]:
    """Return the pumping texts for which an expression takes more than linear time."""
    compiled = re.compile(expression)
    own = {char for char in expression if char in string.printable and char not in string.whitespace}
    slow = []
    for first in FIRST:
        for filling in {*FILLINGS, *own}:
            for end in ENDINGS:
                texts = [first + filling * length + end for length in LENGTHS]
                # Measured again before it counts: among thousands of texts, a busy machine slows one down by chance.
                if all(_grows_faster_than_text(compiled, texts) for _ in range(4)):
                    slow.append(f"{first!r} + {filling!r} * n + {end!r}")
                    return slow
    return slow


def _grows_faster_than_text(expression: re.Pattern[str], texts: list[str]) -> bool:
    times = [_nanoseconds(expression, text) for text in texts]
    return times[-1] > TOO_SHORT_TO_MEASURE and times[-1] > 2.8 * times[-2] > 2.8 * 2.8 * times[-3]


def test_no_expression_backtracks() -> None:
    expressions = _expressions()
    assert len(expressions) > 30
    assert {expression: slow for expression in expressions if (slow := pumped(expression))} == {}


@pytest.mark.parametrize("expression", [r"\s*\s*x", r"0*0*z", r"a*-?a*!!"])
def test_a_backtracking_expression_is_reported(expression: str) -> None:
    assert pumped(expression)
