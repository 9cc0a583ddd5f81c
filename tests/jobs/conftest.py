"""The mail of a module. The app is imported late: its settings must stand first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.stack import Stack

if TYPE_CHECKING:
    from tests.support.post import Post


@pytest.fixture(scope="module")
def post(local_stack: Stack) -> Post:
    from tests.support.post import Post

    return Post(local_stack)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No stream runs beside these tests for which a reconciliation would have to wait."""
    from chalicelib.metrics.rollups import reconcile

    monkeypatch.setattr(reconcile, "_PATIENCE_SECONDS", 0)
