"""Fixtures of the jobs. The app is imported late: its settings must be in place first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.stack import Stack

if TYPE_CHECKING:
    from tests.support.deliveries import Deliveries
    from tests.support.mail_delivery import Post
    from tests.support.store import Store


@pytest.fixture(scope="module")
def post(local_stack: Stack) -> Post:
    from tests.support.mail_delivery import Post

    return Post(local_stack)


@pytest.fixture(scope="module")
def deliveries(local_stack: Stack) -> Deliveries:
    from tests.support.deliveries import Deliveries

    return Deliveries(local_stack)


@pytest.fixture
def table(local_stack: Stack) -> Store:
    from tests.support import store

    return store.of(local_stack)


@pytest.fixture(autouse=True)
def _without_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reconciliations run without waiting: no stream runs during these tests."""
    from chalicelib.metrics.rollups import reconcile

    monkeypatch.setattr(reconcile, "_PATIENCE_SECONDS", 0)
