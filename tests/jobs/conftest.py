"""Fixtures of the jobs. The app is imported late: its settings must be in place first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.stack import Stack

if TYPE_CHECKING:
    from tests.support.mail_delivery import Post


@pytest.fixture(scope="module")
def post(local_stack: Stack) -> Post:
    from tests.support.mail_delivery import Post

    return Post(local_stack)


@pytest.fixture(autouse=True)
def _without_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reconciliations run without waiting: no stream runs during these tests."""
    from chalicelib.metrics.rollups import reconcile

    monkeypatch.setattr(reconcile, "_PATIENCE_SECONDS", 0)
