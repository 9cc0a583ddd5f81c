"""A tenant of the data layer's own, without the app around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from chalicelib.core.ids import OrganizationId


@pytest.fixture
def tenant() -> OrganizationId:
    from chalicelib.core import ids
    from chalicelib.core.ids import OrganizationId

    return OrganizationId(ids.new_id())
