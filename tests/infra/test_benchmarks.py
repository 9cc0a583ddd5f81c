"""Benchmarks run too seldom to be their own check: their modules import, and call functions that exist."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from benchmarks import growth
from benchmarks.peers import __main__ as measured

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "benchmarks" / "peers"
SERVICES = {PEERS / f"{name}.py" for name in measured.PEERS}
"""Services beside which the product is measured: they need what is installed for benchmarks alone."""
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in {*(ROOT / "benchmarks").rglob("*.py")} - SERVICES
)


@pytest.mark.parametrize("service", sorted(SERVICES), ids=lambda path: path.stem)
def test_a_service_beside_the_product_has_a_handler(service: Path) -> None:
    names = {node.name for node in ast.parse(service.read_text()).body if isinstance(node, ast.FunctionDef)}
    assert "handler" in names or "handler = " in service.read_text()


@pytest.mark.parametrize("module", MODULES)
def test_a_benchmark_imports(module: str) -> None:
    importlib.import_module(module)


def test_a_cost_that_grows_with_the_data_needs_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    flat, growing = [(200, 2, 4.0, 99)] * 3, [(200, 2, 4.0, 99), (200, 2, 10.0, 99), (200, 3, 99.0, 99)]

    assert growth.report({"getUser": flat, "getClients": growing, "getWorker": growing}, 5) == ["getWorker"]
    assert growth.REASONS["getClients"] in capsys.readouterr().out
