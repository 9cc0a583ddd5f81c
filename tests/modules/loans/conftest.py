"""A lender, a borrower and somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.api import Api
    from tests.support.factories import Organization
    from tests.support.loan_helpers import Deal


@pytest.fixture(scope="module")
def lender(api: Api, _fresh_table: None) -> Organization:
    from tests.support.loan_helpers import party

    return party(api, "LENDER", name="Nordhafen Kredit AG", timezone="Europe/Berlin")


@pytest.fixture(scope="module")
def borrower(api: Api, _fresh_table: None) -> Organization:
    from tests.support.loan_helpers import party

    return party(api, "BORROWER", name="Berg Staffing GmbH", timezone="Asia/Tokyo", currency="JPY")


@pytest.fixture(scope="module")
def stranger(api: Api, _fresh_table: None) -> Organization:
    from tests.support.loan_helpers import party

    return party(api, "BOTH")


@pytest.fixture
def deal(lender: Organization, borrower: Organization) -> Deal:
    """Return a new offer."""
    from tests.support.loan_helpers import offered

    return offered(lender, borrower, note="Zweite Linie.")
