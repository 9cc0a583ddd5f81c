"""Loans between two organizations, through the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.api import Api
from tests.support.factories import Member, Organization, new_organization
from tests.support.store import Store, partitions_of, plain

TERMS = {
    "principal": 12_000_000,
    "interestRateBps": 612.5,
    "startDate": "2026-02-01",
    "maturityDate": "2028-02-01",
    "installments": 24,
}


def become(organization: Organization, role: str) -> Organization:
    """Set the `loanRole` of an organization."""
    answer = organization.owner.call("updateOrganization", body={"loanRole": role})
    assert answer.status == 200, answer.text
    return organization


PARTIES: dict[str, Organization] = {}
"""Organizations that `party` created, by id."""


def party(api: Api, role: str = "BOTH", **fields: Any) -> Organization:
    """Create an organization that lends and borrows."""
    organization = become(new_organization(api, **fields), role)
    return PARTIES.setdefault(str(organization.id), organization)


@dataclass
class Deal:
    """A loan, with an OWNER of each side."""

    lender: Organization
    borrower: Organization
    id: str

    @property
    def path(self) -> dict[str, str]:
        return {"id": self.id}

    def read(self, member: Member | None = None) -> dict[str, Any]:
        """Return the loan as a member reads it, by default the lender's OWNER."""
        answer = (member or self.lender.owner).call("getLoan", path=self.path)
        assert answer.status == 200, answer.text
        loan: dict[str, Any] = answer.data
        return loan

    def lend(self, action: str, expected: int = 200, **body: Any) -> dict[str, Any]:
        """Send a request of the lender's about the loan; return the answer's data."""
        return self._send(self.lender.owner, action, expected, body)

    def borrow(self, action: str, expected: int = 200, **body: Any) -> dict[str, Any]:
        """Send a request of the borrower's about the loan; return the answer's data."""
        return self._send(self.borrower.owner, action, expected, body)

    def _send(self, member: Member, action: str, expected: int, body: dict[str, Any]) -> dict[str, Any]:
        answer = member.call(action, path=self.path, body=body or None)
        assert answer.status == expected, answer.text
        data: dict[str, Any] = answer.data
        return data

    def accept(self) -> Deal:
        self.borrow("acceptLoan", termsVersion=self.read()["termsVersion"])
        return self


def offered(lender: Organization, borrower: Organization, **fields: Any) -> Deal:
    """Offer a loan; both organizations have their role. `fields`: of the request, in the place of `TERMS`."""
    body = {"borrowerOrganizationId": str(borrower.id), **TERMS, **fields}
    answer = lender.owner.call("createLoan", body=body)
    assert answer.status == 201, answer.text
    return Deal(lender, borrower, answer.data["id"])


def assert_equal_on_both_sides(store: Store, deal: Deal) -> None:
    """Assert that the items of the loan are the same in both partitions, but for the lender's notes and due index."""
    lent, borrowed = (
        {
            (pk.split("#", 2)[2], sk): _without_own(plain(item))
            for (pk, sk), item in partitions_of(store.items(), side.id).items()
            if deal.id in pk + sk and "#AUDIT" not in pk and "#IDEMPOTENCY" not in pk
        }
        for side in (deal.lender, deal.borrower)
    )
    assert lent
    assert lent == borrowed


def _without_own(item: dict[str, Any]) -> dict[str, Any]:
    data = {name: value for name, value in item["data"].items() if name != "note"}
    return {name: value for name, value in {**item, "data": data}.items() if name not in {"pk", "at", "gsi9pk"}}
