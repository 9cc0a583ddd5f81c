"""Fixtures of the identity tests."""

from __future__ import annotations

import pytest

from infra.local.engine import Store
from infra.local.stack import Stack


@pytest.fixture
def on_a_safe_engine(local_stack: Stack) -> None:
    if local_stack.engine.store is Store.MOTO:
        pytest.skip("moto loses acknowledged writes when its calls overlap")
