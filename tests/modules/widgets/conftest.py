"""Frozen time for the data of widgets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def noon() -> Iterator[None]:
    from tests.support.assignment_helpers import NOW
    from tests.support.frozen_time import standing_still

    with standing_still(NOW):
        yield
