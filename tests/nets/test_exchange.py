"""Loans: the other side learns of an act, and never of the person who acts. Nobody else learns anything."""

from __future__ import annotations

import re

import pytest

from chalicelib.action.registry import REGISTRY
from tests.support.arrange import arrange, names
from tests.support.audit_entries import entries_of
from tests.support.client_hooks import Call as TableCall
from tests.support.client_hooks import Recording
from tests.support.exchange import MEETING, hold_to_exchange, is_exchange
from tests.support.factories import Organization
from tests.support.loan_helpers import PARTIES
from tests.support.store import Store, partitions_of, texts_in

WRITES = names(is_exchange)
LENDER = "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091"
BORROWER = "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8092"


@pytest.mark.parametrize("action", WRITES)
def test_the_other_side_learns_of_the_act_and_not_of_the_person(home: Organization, store: Store, action: str) -> None:
    # Given a request about a loan
    arranged = arrange(action, home)
    assert arranged.sender is not None
    before = store.items()
    # When somebody sends it
    answer = arranged.send("a key")
    assert answer.status == arranged.action.status, answer.text
    # Then the other side's log has the same event of the same entity, signed by the organization
    changes = store.changes(before)
    entries = entries_of(arranged.action, changes)
    (signed,) = entries.signed
    name = home.owner.call("getOrganization").data["name"]
    assert signed["actor"] == {"name": name}
    for field in ("action", "entityType", "entityId", "requestId"):
        assert signed[field] == entries.own[field]
    # And no item of the other side has a word about the person
    user = arranged.sender.user
    person = [str(user.id), user.email, user.full_name, user.first_name, user.last_name, "Zweite Linie"]
    words = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in person))
    abroad = {key: change.after for key, change in changes.items() if not key[0].startswith(f"ORG#{home.id}#")}
    assert abroad
    for key, item in abroad.items():
        for text in texts_in(item) if item else ():
            assert not words.search(text), f"{key} names the person: {text}"


@pytest.mark.parametrize("action", WRITES)
def test_a_third_organization_is_not_touched(
    home: Organization, abroad: Organization, store: Store, action: str
) -> None:
    before = partitions_of(store.items(), abroad.id)

    assert arrange(action, home).send("a key").status == REGISTRY[action].status

    assert partitions_of(store.items(), abroad.id) == before


@pytest.mark.parametrize("action", names(lambda action: action.path.startswith("/loans/{id}")))
def test_each_of_three_organizations_does_what_is_its_own(
    home: Organization, abroad: Organization, store: Store, action: str
) -> None:
    # Given a request about a loan, which one of its sides may send
    arranged = arrange(action, home)
    loan = home.owner.call("getLoan", path={"id": arranged.call.path["id"]}).data
    other = PARTIES[loan["counterparty"]["organizationId"]]
    before = store.items()
    # When an OWNER of a third organization sends it, it is not found
    stranger = arranged.send("a key", token=abroad.owner.token)
    assert (stranger.status, stranger.code) == (404, "NOT_FOUND"), stranger.text
    # When an OWNER of the other side sends it, a read is answered, and a write is not found
    answer = arranged.send("a key", token=other.owner.token)
    if REGISTRY[action].is_write:
        assert (answer.status, answer.code) == (404, "NOT_FOUND"), answer.text
    else:
        assert answer.status == 200, answer.text
    assert not store.changes(before)
    # And the side whose act it is may send it
    assert arranged.send("a key").status == REGISTRY[action].status


# -- the net itself --------------------------------------------------------------------------------------------------


def _recording(operation: str, parameters: dict[str, object]) -> Recording:
    return Recording([TableCall(operation, parameters)])


def _put(organization: str, kind: str, sk: str = "1") -> dict[str, object]:
    return {"Put": {"Item": {"pk": {"S": f"ORG#{organization}#{kind}"}, "sk": {"S": sk}}}}


@pytest.mark.parametrize(
    ("writes", "message"),
    [
        ([_put(BORROWER, "CLIENT")], "wrote CLIENT"),
        ([_put(BORROWER, "LOAN")], "for another organization alone"),
        ([_put(LENDER, "LOAN", "2"), _put(BORROWER, "LOAN", "1")], "for another organization alone"),
        ([_put(BORROWER, "AUDIT", "1"), _put(BORROWER, "AUDIT", "2")], "several entries"),
        ([_put(BORROWER, "ORGANIZATION")], "settings"),
        ([_put(BORROWER, "AUDIT"), _put(str(LENDER[::-1]), "AUDIT")], "touched"),
    ],
)
def test_anything_more_than_the_exchange_is_caught(writes: list[dict[str, object]], message: str) -> None:
    recording = _recording("TransactWriteItems", {"TransactItems": writes})

    with pytest.raises(AssertionError, match=message):
        hold_to_exchange("acceptLoan", LENDER, recording)


def test_reads_and_other_actions_stay_at_home() -> None:
    recording = _recording("GetItem", {"Key": {"pk": {"S": f"ORG#{BORROWER}#LOAN"}, "sk": {"S": "1"}}})
    for action in ("getLoan", "updateClient", "acceptLoan", *MEETING):
        with pytest.raises(AssertionError):
            hold_to_exchange(action, LENDER, recording)
