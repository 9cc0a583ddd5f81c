"""The organization of a module's crew, as evaluations read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from chalicelib.models.organizations import StoredOrganization
    from tests.support.shift_helpers import Crew


@pytest.fixture(scope="module")
def seen(crew: Crew) -> StoredOrganization:
    from tests.support.measuring import stored

    return stored(crew.organization.id)
