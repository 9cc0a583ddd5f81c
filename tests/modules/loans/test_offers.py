"""Offers of loans: who makes and answers them, and the states that they go through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from tests.support.api import Answer
from tests.support.factories import Organization
from tests.support.loan_helpers import TERMS, Deal, assert_equal_on_both_sides, become, offered, party
from tests.support.store import Store, of
from tests.support.threads import at_once

RIVALS = 20


@pytest.fixture(scope="module")
def store(local_stack: Any) -> Store:
    return of(local_stack)


# -- both sides ------------------------------------------------------------------------------------------------------


def test_both_sides_read_the_same_loan(deal: Deal) -> None:
    lent, borrowed = deal.read(), deal.read(deal.borrower.owner)

    assert (lent["side"], borrowed["side"]) == ("lender", "borrower")
    assert (lent["counterparty"]["name"], borrowed["counterparty"]["name"]) == (
        "Berg Staffing GmbH",
        "Nordhafen Kredit AG",
    )
    # The lender's currency and zone hold for both, and the note is the lender's own
    assert (borrowed["currency"], borrowed["timezone"]) == ("EUR", "Europe/Berlin")
    assert (lent["note"], borrowed["note"]) == ("Zweite Linie.", None)
    own = {"note", "side", "counterparty"}
    assert {name: value for name, value in lent.items() if name not in own} == {
        name: value for name, value in borrowed.items() if name not in own
    }


def test_currency_and_zone_are_those_of_the_day_of_the_offer(api: Any, borrower: Organization) -> None:
    lender = party(api, "LENDER", timezone="Europe/Berlin")
    deal = offered(lender, borrower)

    assert lender.owner.call("updateOrganization", body={"currency": "USD", "timezone": "UTC"}).status == 200

    deal.lend("updateLoan", note="Später.")
    assert (deal.read()["currency"], deal.read()["timezone"]) == ("EUR", "Europe/Berlin")


def test_a_party_has_the_name_of_its_last_act(api: Any, borrower: Organization) -> None:
    lender = party(api, "LENDER", name="Nordhafen")
    deal = offered(lender, borrower)

    assert lender.owner.call("updateOrganization", body={"name": "Südhafen"}).status == 200

    assert deal.read(borrower.owner)["counterparty"]["name"] == "Nordhafen"
    deal.lend("updateLoan", note="Später.")
    assert deal.read(borrower.owner)["counterparty"]["name"] == "Südhafen"


def test_the_lists_of_both_sides(api: Any) -> None:
    # Given an organization that lends and borrows
    both, other = party(api), party(api)
    lent, borrowed = offered(both, other), offered(other, both).accept()

    def ids(**query: str) -> list[str]:
        return [row["id"] for row in both.owner.call("listLoans", query=query).data["items"]]

    assert ids() == [borrowed.id, lent.id]
    assert ids(side="lender") == ids(status="OFFERED") == [lent.id]
    assert ids(side="borrower") == ids(status="ACTIVE") == [borrowed.id]
    assert ids(side="lender", status="ACTIVE") == ids(status="EXPIRED") == []
    with clock.shifted(timedelta(days=31)):
        session = both.session(both.owner.user)
        late = api.call("listLoans", session, query={"status": "EXPIRED"}).data["items"]
        assert [(row["id"], row["status"]) for row in late] == [(lent.id, "EXPIRED")]
        assert api.call("listLoans", session, query={"status": "OFFERED"}).data["items"] == []


# -- who -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["NONE", "BORROWER"])
def test_only_a_lender_offers(api: Any, borrower: Organization, role: str) -> None:
    answer = party(api, role).owner.post("createLoan", borrowerOrganizationId=str(borrower.id), **TERMS)

    assert (answer.status, answer.code) == (404, "NOT_FOUND")


@pytest.mark.parametrize("role", ["NONE", "LENDER"])
def test_offers_go_to_borrowers_alone(api: Any, lender: Organization, role: str) -> None:
    other = party(api, role)
    answers = [
        lender.owner.post("createLoan", borrowerOrganizationId=identifier, **TERMS)
        for identifier in (str(other.id), str(other.owner.user.id))
    ]

    assert [(answer.status, answer.code, answer.error["message"]) for answer in answers] == [
        (404, "NOT_FOUND", "no such borrower")
    ] * 2


def test_nobody_lends_to_themselves(stranger: Organization) -> None:
    answer = stranger.owner.post("createLoan", borrowerOrganizationId=str(stranger.id), **TERMS)

    assert answer.error["details"]["fieldErrors"] == {"borrowerOrganizationId": ["must be another organization"]}


def test_an_organization_keeps_its_loans_when_its_role_changes(api: Any) -> None:
    lender, borrower = party(api, "LENDER"), party(api, "BORROWER")
    first, second = offered(lender, borrower), offered(lender, borrower)

    become(lender, "NONE")
    become(borrower, "NONE")

    first.accept()
    second.lend("cancelLoan")
    answer = lender.owner.post("createLoan", borrowerOrganizationId=str(borrower.id), **TERMS)
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


# -- terms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"maturityDate": "2026-02-01"}, "INVALID_DATE_RANGE", "maturityDate"),
        ({"installments": 25}, "VALIDATION_ERROR", "installments"),
        ({"graceInstallments": 24}, "VALIDATION_ERROR", "graceInstallments"),
        ({"expiresAt": "2026-01-01T00:00:00Z"}, "VALIDATION_ERROR", "expiresAt"),
        ({"interestRateBps": 612.501}, "VALIDATION_ERROR", "interestRateBps"),
        ({"interestRateBps": -1}, "VALIDATION_ERROR", "interestRateBps"),
        ({"principal": 0}, "VALIDATION_ERROR", "principal"),
        ({"principal": 1.5}, "VALIDATION_ERROR", "principal"),
        ({"installments": 601}, "VALIDATION_ERROR", "installments"),
        ({"currency": "EUR"}, "VALIDATION_ERROR", "currency"),
    ],
)
def test_faulty_terms_are_named(
    lender: Organization, borrower: Organization, deal: Deal, fields: dict[str, Any], code: str, field: str
) -> None:
    body = {**TERMS, "borrowerOrganizationId": str(borrower.id), **fields}
    for answer in (
        lender.owner.call("createLoan", body=body),
        lender.owner.call("updateLoan", path=deal.path, body=fields),
    ):
        assert (answer.code, [*answer.error["details"]["fieldErrors"]]) == (code, [field])


def test_a_rate_is_stored_as_it_is_written(lender: Organization, borrower: Organization) -> None:
    for rate in (0, 612.5, 333.33, 1200, 100_000):
        assert offered(lender, borrower, interestRateBps=rate).read()["interestRateBps"] == rate


# -- states ----------------------------------------------------------------------------------------------------------


def test_the_terms_that_are_accepted_are_the_current_ones(deal: Deal) -> None:
    assert deal.lend("updateLoan", principal=10_000_000)["termsVersion"] == 2

    stale = deal.borrower.owner.call("acceptLoan", path=deal.path, body={"termsVersion": 1})

    assert (stale.status, stale.code) == (409, "CONFLICT")
    assert "termsVersion 2" in stale.error["message"]
    assert deal.read()["status"] == "OFFERED"
    assert deal.borrow("acceptLoan", termsVersion=2)["status"] == "ACTIVE"


OF_BORROWER = {"acceptLoan": {"termsVersion": 1}, "declineLoan": {}}
OF_LENDER = {"updateLoan": {"note": "x"}, "cancelLoan": {}, "deleteLoan": {}, "writeOffLoan": {"reason": "x"}}
ACTS: dict[str, dict[str, Any]] = {**OF_BORROWER, **OF_LENDER}
STATES: dict[str, tuple[Callable[[Deal], Any], set[str]]] = {
    "OFFERED": (lambda _: None, {"acceptLoan", "declineLoan", "updateLoan", "cancelLoan"}),
    "ACTIVE": (lambda deal: deal.accept(), {"writeOffLoan"}),
    "DECLINED": (lambda deal: deal.borrow("declineLoan"), {"deleteLoan"}),
    "CANCELLED": (lambda deal: deal.lend("cancelLoan"), {"deleteLoan"}),
    "WRITTEN_OFF": (lambda deal: deal.accept().lend("writeOffLoan", reason="x"), set()),
    "EXPIRED": (lambda _: None, {"deleteLoan"}),
}


def _act(deal: Deal, action: str, *, is_late: bool = False, by: Organization | None = None) -> Answer:
    side = by or (deal.borrower if action in OF_BORROWER else deal.lender)
    with clock.shifted(timedelta(days=31 if is_late else 0)):
        token = side.session(side.owner.user)
        return side.api.call(action, token, path=deal.path, body=ACTS[action] or None)


@pytest.mark.parametrize("state", STATES)
def test_every_other_transition_is_refused_by_the_state_it_is_in(
    lender: Organization, borrower: Organization, state: str
) -> None:
    reach, allowed = STATES[state]
    for action in ACTS:
        deal = offered(lender, borrower)
        reach(deal)
        before = deal.read()

        answer = _act(deal, action, is_late=state == "EXPIRED")

        if action in allowed:
            assert answer.status == 200, answer.text
        else:
            assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), answer.text
            assert state in answer.error["message"]
            assert deal.read() == before


@pytest.mark.parametrize("action", ACTS)
def test_the_wrong_side_and_strangers_find_nothing(deal: Deal, stranger: Organization, action: str) -> None:
    wrong = deal.lender if action in OF_BORROWER else deal.borrower

    answers = [_act(deal, action, by=side) for side in (wrong, stranger)]

    assert [(answer.status, answer.code) for answer in answers] == [(404, "NOT_FOUND")] * 2
    assert deal.read()["version"] == 1


# -- at once ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("on_a_safe_engine")
def test_of_twenty_that_act_at_once_one_outcome_remains(
    lender: Organization, borrower: Organization, store: Store
) -> None:
    deal = offered(lender, borrower)
    acts = ["acceptLoan", "cancelLoan", "updateLoan", "declineLoan"] * (RIVALS // 4)

    answers = at_once([lambda action=action: _act(deal, action) for action in acts])

    # An end is reached at most once; the answers say which
    ends = Counter(action for action, answer in zip(acts, answers, strict=True) if answer.status == 200)
    del ends["updateLoan"]
    assert sum(ends.values()) <= 1, [answer.text for answer in answers]
    assert {answer.status for answer in answers} <= {200, 400, 409}
    status = {"acceptLoan": "ACTIVE", "cancelLoan": "CANCELLED", "declineLoan": "DECLINED"}
    assert deal.read()["status"] == next((status[end] for end in ends), "OFFERED")
    assert_equal_on_both_sides(store, deal)
