"""The two sides of a loan: the only code that reads or writes in partitions of an organization other than the caller's.

A loan, and everything below it, is stored in the partitions of both organizations, in one transaction and at the same
version. So each side reads its own partitions alone. `tests/test_floors.py` holds that only `models.loans` uses this.
"""

from __future__ import annotations

from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.organizations import ORGANIZATIONS, LoanRole, StoredOrganization

LENDERS = frozenset({LoanRole.LENDER, LoanRole.BOTH})
BORROWERS = frozenset({LoanRole.BORROWER, LoanRole.BOTH})


def other_side(unit: UnitOfWork, other: UUID, signature: str) -> UnitOfWork:
    """Return the unit that writes the same in the partitions of the other side, in the same transaction.

    `signature`: the name of the side that acts.
    """
    return unit.open_counterpart(OrganizationId(other), signature)


def borrower_name(identifier: UUID) -> str | None:
    """Return the name of an organization that borrows; None for any other, and for one that does not exist."""
    organization = OrganizationId(identifier)
    item = table.get(ORGANIZATIONS.key(organization, organization))
    if item is None:
        return None
    borrower = StoredOrganization.of(item, ORGANIZATIONS.entity)
    return borrower.name if borrower.loan_role in BORROWERS else None


def require_roles(lender: UnitOfWork, borrower: UnitOfWork) -> None:
    """Let the commit fail if one of the two organizations ceases to lend or to borrow meanwhile."""
    for unit, roles in ((lender, LENDERS), (borrower, BORROWERS)):
        own = ORGANIZATIONS.key(unit.organization, unit.organization)
        unit.check(own, Item.data["loanRole"].is_in(*sorted(role.value for role in roles)), stale)
