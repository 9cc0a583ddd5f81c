"""Repayments: what they pay, in which order, and how a loan ends. The figures are those of docs/loans.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.models.loans.arrears import Bucket
from tests.support.api import Api
from tests.support.factories import Organization
from tests.support.frozen_time import later, standing_still
from tests.support.loan_helpers import Deal, assert_equal_on_both_sides, offered, party
from tests.support.store import Store, of
from tests.support.threads import at_once

TERMS = {
    "principal": 1_200_000,
    "interestRateBps": 612.5,
    "startDate": "2026-01-31",
    "maturityDate": "2026-07-15",
    "installments": 6,
}
EVERYTHING = 1_200_000 + 20_505


@pytest.fixture(scope="module")
def store(local_stack: Any) -> Store:
    return of(local_stack)


@pytest.fixture(autouse=True)
def _april() -> Iterator[None]:
    with standing_still(datetime(2026, 4, 15, 12, tzinfo=UTC)):
        yield


@pytest.fixture(scope="module")
def sides(api: Api, _fresh_table: None) -> tuple[Organization, Organization]:
    """Return a lender and a borrower who are signed in on the day of the tests."""
    with standing_still(datetime(2026, 4, 15, 11, tzinfo=UTC)):
        return party(api, "LENDER", timezone="Europe/Berlin"), party(api, "BORROWER")


@pytest.fixture
def loan(sides: tuple[Organization, Organization]) -> Deal:
    return offered(*sides, **TERMS).accept()


def pay(loan: Deal, amount: int, day: str | None = None, **fields: Any) -> dict[str, Any]:
    return loan.lend("recordRepayment", 201, amount=amount, valueDate=day, **fields)


def schedule(loan: Deal) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = loan.borrower.owner.call("getRepaymentSchedule", path=loan.path).data["rows"]
    return rows


def paid(loan: Deal) -> list[tuple[int, int]]:
    return [(row["paidInterest"], row["paidPrincipal"]) for row in schedule(loan)]


# -- allocation ------------------------------------------------------------------------------------------------------


def test_a_repayment_pays_interest_then_principal_of_the_oldest_installment(loan: Deal) -> None:
    answer = pay(loan, 150_000, "2026-03-02")

    assert (answer["interest"], answer["principal"], answer["reallocated"]) == (5_638, 144_362, [])
    assert paid(loan)[:2] == [(5_638, 144_362), (0, 0)]
    assert answer["loan"]["outstanding"] == 1_200_000 - 144_362
    assert [row["status"] for row in schedule(loan)] == ["OVERDUE", "OVERDUE", *["UPCOMING"] * 4]
    # 46 days after 28 February
    read = loan.read()
    assert (read["daysPastDue"], read["bucket"], read["overdueAmount"]) == (46, "D31_60", 55_638 + 205_202)
    assert (read["nextDueDate"], read["nextPayment"]) == ("2026-04-30", 204_027)


def test_a_back_dated_one_names_those_it_reallocates(loan: Deal) -> None:
    first = pay(loan, 150_000, "2026-03-02")

    second = pay(loan, 55_638, "2026-02-28")

    assert second["reallocated"] == [first["id"]]
    assert (second["interest"], second["principal"]) == (5_638, 50_000)
    listed = loan.borrower.owner.call("listRepayments", path=loan.path).data["items"]
    assert [(row["id"], row["interest"], row["principal"]) for row in listed] == [
        (second["id"], 5_638, 50_000),
        (first["id"], 0, 150_000),
    ]


def test_the_order_of_recording_does_not_matter(sides: tuple[Organization, Organization]) -> None:
    facts = [(150_000, "2026-03-02"), (55_638, "2026-02-28"), (300_000, "2026-04-01")]
    results = []
    for order in permutations(facts):
        loan = offered(*sides, **TERMS).accept()
        for amount, day in order:
            pay(loan, amount, day)
        results.append((schedule(loan), loan.read()["outstanding"]))

    assert all(result == results[0] for result in results)


def test_no_more_than_everything_can_be_repaid(loan: Deal) -> None:
    pay(loan, 200_000)

    answer = loan.lender.owner.call("recordRepayment", path=loan.path, body={"amount": EVERYTHING - 199_999})

    assert answer.code == "VALIDATION_ERROR"
    assert [*answer.error["details"]["fieldErrors"]] == ["amount"]
    assert answer.error["details"]["maximum"] == EVERYTHING - 200_000
    assert pay(loan, EVERYTHING - 200_000)["loan"]["status"] == "REPAID"


@pytest.mark.parametrize(
    ("day", "message"), [("2026-01-30", "must not be before startDate"), ("2026-04-16", "must not be ahead")]
)
def test_value_dates_are_in_the_loan_s_time(loan: Deal, day: str, message: str) -> None:
    answer = loan.lender.owner.call("recordRepayment", path=loan.path, body={"amount": 1, "valueDate": day})

    assert answer.error["details"]["fieldErrors"] == {"valueDate": [message]}


def test_today_is_the_day_of_the_loan_s_zone(loan: Deal) -> None:
    # At 22:30 in UTC it is the next day in Berlin
    with standing_still(datetime(2026, 4, 15, 22, 30, tzinfo=UTC)):
        assert pay(loan, 1)["valueDate"] == "2026-04-16"
        assert loan.read(loan.borrower.owner)["daysPastDue"] == 47


def test_the_note_of_a_repayment_is_the_lender_s(loan: Deal) -> None:
    pay(loan, 1_000, reference="RF18", note="Bar übergeben")

    lent = loan.lender.owner.call("listRepayments", path=loan.path).data["items"][0]
    borrowed = loan.borrower.owner.call("listRepayments", path=loan.path).data["items"][0]
    assert (lent["reference"], lent["note"]) == ("RF18", "Bar übergeben")
    assert (borrowed["reference"], borrowed["note"]) == ("RF18", None)


def test_a_walk_through_the_repayments(loan: Deal) -> None:
    ids = [pay(loan, 100)["id"] for _ in range(5)]
    pages, cursor = [], None
    while not pages or cursor:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = loan.borrower.owner.call("listRepayments", path=loan.path, query=query).data
        pages.append([row["id"] for row in page["items"]])
        cursor = page["nextCursor"]

    assert pages == [ids[:2:-1], ids[2:0:-1], ids[:1]]


# -- reversal --------------------------------------------------------------------------------------------------------


def reverse(loan: Deal, repayment: dict[str, Any], expected: int = 200) -> dict[str, Any]:
    path = {**loan.path, "repaymentId": repayment["id"]}
    answer = loan.lender.owner.call("reverseRepayment", path=path, body={"reason": "Die Lastschrift kam zurück."})
    assert answer.status == expected, answer.text
    result: dict[str, Any] = answer.json.get("data") or answer.error
    return result


def test_reversing_everything_gives_the_untouched_schedule(loan: Deal) -> None:
    before = schedule(loan)
    repayments = [pay(loan, 150_000, "2026-03-02"), pay(loan, EVERYTHING - 150_000)]
    assert loan.read()["status"] == "REPAID"

    assert reverse(loan, repayments[0])["reallocated"] == [repayments[1]["id"]]
    assert loan.read()["status"] == "ACTIVE"
    reverse(loan, repayments[1])

    assert schedule(loan) == before
    listed = loan.borrower.owner.call("listRepayments", path=loan.path).data["items"]
    assert [(row["reversalReason"], row["principal"]) for row in listed] == [("Die Lastschrift kam zurück.", 0)] * 2


def test_a_repayment_is_reversed_once(loan: Deal) -> None:
    repayment = pay(loan, 1_000)
    reverse(loan, repayment)

    assert reverse(loan, repayment, 400)["message"] == "this repayment was reversed before"
    assert reverse(loan, {"id": loan.id}, 404)["code"] == "NOT_FOUND"


# -- the end ---------------------------------------------------------------------------------------------------------


def test_a_settlement_is_exactly_the_payoff(loan: Deal) -> None:
    pay(loan, 205_638, "2026-02-28")
    pay(loan, 205_202, "2026-03-31")
    payoff = loan.borrower.owner.call("getPayoff", path=loan.path, query={"on": "2026-04-15"}).data
    assert [payoff[name] for name in ("principal", "dueInterest", "accruedInterest", "amount")] == [
        800_000,
        0,
        2_014,
        802_014,
    ]

    settled = loan.lend("settleLoan", on="2026-04-15")

    assert (settled["status"], settled["outstanding"], settled["paidInterest"]) == ("REPAID", 0, 5_638 + 5_202 + 2_014)
    totals = loan.borrower.owner.call("getRepaymentSchedule", path=loan.path).data["totals"]
    assert totals["cancelledInterest"] == 7_651
    # Reversed, the schedule is as it was
    (settlement, *_) = loan.lender.owner.call("listRepayments", path=loan.path).data["items"]
    assert settlement["isSettlement"]
    assert reverse(loan, settlement)["loan"]["status"] == "ACTIVE"
    assert loan.read()["outstanding"] == 800_000


def test_a_settlement_comes_after_all_repayments(loan: Deal) -> None:
    pay(loan, 1_000, "2026-04-15")

    answer = loan.lender.owner.call("settleLoan", path=loan.path, body={"on": "2026-04-14"})

    assert [*answer.error["details"]["fieldErrors"]] == ["on"]


def test_what_comes_in_after_a_write_off_is_a_recovery(loan: Deal) -> None:
    assert loan.lend("writeOffLoan", reason="Insolvenz")["bucket"] is None

    with later(seconds=1):
        assert pay(loan, 300_000)["loan"]["status"] == "WRITTEN_OFF"
        read = loan.read()
        assert (read["status"], read["outstanding"]) == ("WRITTEN_OFF", 1_200_000 - read["paidPrincipal"])
        pay(loan, loan.lender.owner.call("getPayoff", path=loan.path).data["amount"])
    assert (loan.read()["status"], loan.read()["outstanding"]) == ("WRITTEN_OFF", 0)


@pytest.mark.parametrize("action", ["recordRepayment", "settleLoan", "getPayoff"])
def test_an_offer_takes_no_repayments(sides: tuple[Organization, Organization], action: str) -> None:
    loan = offered(*sides, **TERMS)
    body = {"recordRepayment": {"amount": 1}, "settleLoan": {}, "getPayoff": None}[action]

    answer = loan.lender.owner.call(action, path=loan.path, body=body)

    assert answer.code == "VALIDATION_ERROR"
    assert "OFFERED" in answer.error["message"]


@pytest.mark.parametrize("action", ["recordRepayment", "settleLoan", "reverseRepayment"])
def test_only_the_lender_writes_repayments(loan: Deal, action: str) -> None:
    repayment = pay(loan, 1_000)
    body = {"recordRepayment": {"amount": 1}, "settleLoan": {}, "reverseRepayment": {"reason": "x"}}[action]
    path = {**loan.path, **({"repaymentId": repayment["id"]} if action == "reverseRepayment" else {})}

    answer = loan.borrower.owner.call(action, path=path, body=body)

    assert (answer.status, answer.code) == (404, "NOT_FOUND")


# -- lists -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_loans_by_bucket(api: Api, zone: str) -> None:
    # Given a loan whose first installment is due on 28 February, and an offer
    lender, borrower = party(api, "LENDER", timezone=zone), party(api, "BORROWER")
    loan, offer = offered(lender, borrower, **TERMS).accept(), offered(lender, borrower, **TERMS)

    def buckets() -> list[str]:
        token, result = lender.session(lender.owner.user), []
        for bucket in Bucket:
            page = api.call("listLoans", token, query={"bucket": bucket}).data["items"]
            assert offer.id not in {row["id"] for row in page}
            result += [str(bucket)] * bool(page)
        return result

    days = {"2026-03-01": "D1_30", "2026-03-30": "D1_30", "2026-03-31": "D31_60", "2026-04-29": "D31_60"}
    days |= {"2026-04-30": "D61_90", "2026-05-29": "D61_90", "2026-05-30": "D90_PLUS", "2026-02-28": "CURRENT"}
    for day, bucket in days.items():
        for clock in ("00:30", "23:30"):
            # When the days begin and end in its zone, it is in one bucket
            with standing_still(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(zone))):
                assert buckets() == [bucket], (day, clock)
    pay(loan, 205_638, "2026-02-28")
    assert buckets() == ["D1_30"]


# -- at once ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("on_a_safe_engine")
def test_twenty_at_once_never_overpay(loan: Deal, store: Store) -> None:
    body = {"amount": EVERYTHING // 5}

    answers = at_once([lambda: loan.lender.owner.call("recordRepayment", path=loan.path, body=body)] * 20)

    outcomes = Counter(answer.status for answer in answers)
    assert outcomes[201] <= 5
    assert {*outcomes} <= {201, 400, 409}, [answer.text for answer in answers]
    read = loan.read()
    recorded = [answer.data for answer in answers if answer.status == 201]
    assert read["paidPrincipal"] + read["paidInterest"] == sum(row["amount"] for row in recorded) <= EVERYTHING
    assert len(loan.lender.owner.call("listRepayments", path=loan.path).data["items"]) == len(recorded)
    assert_equal_on_both_sides(store, loan)
