"""Rates of positions and of workers: one set of rules for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.core import ids
from chalicelib.models.staffing import rates
from chalicelib.models.users import Role
from tests.support.api import Answer, Api
from tests.support.client_hooks import overtaken
from tests.support.factories import Member, Organization, new_organization
from tests.support.staffing import new_position, new_worker


def _eur(amount: Any) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


@dataclass(frozen=True)
class Kind:
    """Positions, or workers."""

    name: str
    new: Callable[[Member], dict[str, Any]]

    def set(self, member: Member, identifier: Any, day: str, money: Any, **parts: Any) -> Answer:
        path = {"id": identifier, "effectiveFrom": day}
        return member.call(f"set{self.name}Rate", path=path, body=money, **parts)

    def delete(self, member: Member, identifier: Any, day: str, **parts: Any) -> Answer:
        return member.call(f"delete{self.name}Rate", path={"id": identifier, "effectiveFrom": day}, **parts)

    def get(self, member: Member, identifier: Any) -> Answer:
        return member.call(f"get{self.name}Rates", path={"id": identifier})

    def read(self, member: Member, identifier: Any) -> Answer:
        return member.call(f"get{self.name}", path={"id": identifier})

    def amounts(self, member: Member, identifier: Any) -> dict[str, int]:
        """In the order of the answer."""
        answer = self.get(member, identifier)
        assert answer.status == 200, answer.text
        return {rate["effectiveFrom"]: rate["amount"] for rate in answer.data["rates"]}


@pytest.fixture(params=[Kind("Position", new_position), Kind("Worker", new_worker)], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture
def owner(organization: Organization) -> Member:
    return organization.owner


# -- set, read, delete -----------------------------------------------------------------------------------------------


def test_there_are_none_at_first(owner: Member, kind: Kind) -> None:
    assert kind.get(owner, kind.new(owner)["id"]).data == {"rates": []}


def test_what_is_set_is_listed_earliest_first(owner: Member, kind: Kind) -> None:
    # Given three rates, set in another order than that of their days
    entity = kind.new(owner)["id"]
    answer = kind.set(owner, entity, "2026-03-01", _eur(2650))
    assert (answer.status, answer.data) == (200, {"effectiveFrom": "2026-03-01", "amount": 2650, "currency": "EUR"})
    kind.set(owner, entity, "2026-11-01", _eur(2800))
    kind.set(owner, entity, "2025-01-01", _eur(0))
    # Then they are listed by day
    assert kind.get(owner, entity).data == {
        "rates": [
            {"effectiveFrom": "2025-01-01", "amount": 0, "currency": "EUR"},
            {"effectiveFrom": "2026-03-01", "amount": 2650, "currency": "EUR"},
            {"effectiveFrom": "2026-11-01", "amount": 2800, "currency": "EUR"},
        ]
    }


def test_a_date_that_has_a_rate_gets_the_new_one(owner: Member, kind: Kind) -> None:
    entity = kind.new(owner)["id"]
    for amount in (2650, 2700):
        kind.set(owner, entity, "2026-03-01", _eur(amount))
    assert kind.amounts(owner, entity) == {"2026-03-01": 2700}


def test_a_deleted_rate_is_answered_once_more_and_gone(owner: Member, kind: Kind) -> None:
    # Given two rates
    entity = kind.new(owner)["id"]
    for day in ("2026-01-01", "2026-02-01"):
        kind.set(owner, entity, day, _eur(2650))
    # When one is deleted
    answer = kind.delete(owner, entity, "2026-01-01")
    # Then it is answered, and the other is left
    assert (answer.status, answer.data) == (200, {"effectiveFrom": "2026-01-01", "amount": 2650, "currency": "EUR"})
    assert kind.amounts(owner, entity) == {"2026-02-01": 2650}


def test_a_date_without_a_rate_has_none_to_delete(owner: Member, kind: Kind) -> None:
    entity = kind.new(owner)["id"]
    kind.set(owner, entity, "2026-01-01", _eur(2650))
    answer = kind.delete(owner, entity, "2026-01-02")
    assert (answer.status, answer.code, answer.error["message"]) == (404, "NOT_FOUND", "no such rate")


def test_one_entity_has_no_rates_of_another(owner: Member, kind: Kind) -> None:
    first, second = kind.new(owner)["id"], kind.new(owner)["id"]
    kind.set(owner, first, "2026-01-01", _eur(2650))
    assert kind.amounts(owner, second) == {}


def test_the_most_that_an_entity_may_have(owner: Member, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rates.MAX_RATES == 366
    monkeypatch.setattr(rates, "MAX_RATES", 2)
    # Given as many rates as there may be
    entity = kind.new(owner)["id"]
    for day in ("2026-01-01", "2026-02-01"):
        assert kind.set(owner, entity, day, _eur(2650)).status == 200
    # When one more is set
    refused = kind.set(owner, entity, "2026-03-01", _eur(2650))
    # Then it is refused; one of the others may change, or go and make room
    assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")
    assert f"a {kind.name.lower()} has at most 2 rates" in refused.error["message"]
    assert kind.set(owner, entity, "2026-02-01", _eur(2700)).status == 200
    kind.delete(owner, entity, "2026-01-01")
    assert kind.set(owner, entity, "2026-03-01", _eur(2650)).status == 200


# -- invalid input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "money", "faulty"),
    [
        ("2026-03-01", {"amount": 2650}, ["currency"]),
        ("2026-03-01", {"currency": "EUR"}, ["amount"]),
        ("2026-03-01", _eur(-1), ["amount"]),
        ("2026-03-01", _eur(100_000_001), ["amount"]),
        ("2026-03-01", _eur(26.5), ["amount"]),
        ("2026-03-01", _eur("2650"), ["amount"]),
        ("2026-03-01", {"amount": 2650, "currency": "XXY"}, ["currency"]),
        ("2026-03-01", {"amount": 2650, "currency": "USD"}, ["currency"]),
        ("2026-03-01", {**_eur(2650), "effectiveFrom": "2026-03-01"}, ["effectiveFrom"]),
        ("2026-02-30", _eur(2650), ["effectiveFrom"]),
        ("2026-3-1", _eur(2650), ["effectiveFrom"]),
        ("20260301", _eur(2650), ["effectiveFrom"]),
        ("2026-03-01T00:00:00Z", _eur(2650), ["effectiveFrom"]),
        ("1899-12-31", _eur(2650), ["effectiveFrom"]),
        ("2200-01-01", _eur(2650), ["effectiveFrom"]),
        ("today", _eur(-1), ["amount", "effectiveFrom"]),
    ],
)
def test_dates_and_money_are_checked(
    settled: Organization, kind: Kind, day: str, money: dict[str, Any], faulty: list[str]
) -> None:
    answer = kind.set(settled.owner, ids.new_id(), day, money)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert sorted(answer.error["details"]["fieldErrors"]) == faulty


def test_the_currency_is_the_organizations(owner: Member, kind: Kind) -> None:
    # Given a rate in the currency that the organization had
    entity = kind.new(owner)["id"]
    owner.call("updateOrganization", body={"currency": "CHF"})
    # When further ones are set
    refused = kind.set(owner, entity, "2026-02-01", _eur(2650))
    # Then they are in the new currency, and the first one stays
    assert refused.error["details"]["fieldErrors"] == {"currency": ["must be the organization's, CHF"]}
    assert kind.set(owner, entity, "2026-02-01", {"amount": 3000, "currency": "CHF"}).status == 200


@pytest.mark.parametrize("role", list(Role))
def test_rates_are_the_administrators_to_read_too(organization: Organization, kind: Kind, role: Role) -> None:
    member, entity = organization.member(role), kind.new(organization.owner)["id"]
    answers = [
        kind.set(member, entity, "2026-01-01", _eur(2650)),
        kind.get(member, entity),
        kind.delete(member, entity, "2026-01-01"),
    ]
    assert {answer.status for answer in answers} == ({200} if role in {Role.OWNER, Role.ADMIN} else {403})


def test_absent_deleted_and_foreign_are_one_answer(api: Api, owner: Member, kind: Kind) -> None:
    deleted, foreign = kind.new(owner)["id"], kind.new(new_organization(api).owner)["id"]
    owner.call(f"delete{kind.name}", path={"id": deleted})
    for entity in (ids.new_id(), deleted, foreign):
        for answer in (
            kind.set(owner, entity, "2026-01-01", _eur(2650)),
            kind.get(owner, entity),
            kind.delete(owner, entity, "2026-01-01"),
        ):
            error = (answer.status, answer.code, answer.error["message"])
            assert error == (404, "NOT_FOUND", f"no such {kind.name.lower()}")


# -- versions, the audit log, others at once -------------------------------------------------------------------------


def test_a_rate_moves_the_version_and_nothing_else_that_is_shown(owner: Member, kind: Kind) -> None:
    # Given an entity and its tag
    entity = kind.new(owner)
    first = kind.read(owner, entity["id"])
    tag = {"If-Match": first.headers["ETag"]}
    # When a rate is set
    assert kind.set(owner, entity["id"], "2026-01-01", _eur(2650), headers=tag).status == 200
    # Then its version is another, so that the tag serves no further write
    second = kind.read(owner, entity["id"])
    assert second.data == {**first.data, "version": 2, "updatedAt": second.data["updatedAt"]}
    for refused in (
        kind.set(owner, entity["id"], "2026-02-01", _eur(2650), headers=tag),
        kind.delete(owner, entity["id"], "2026-01-01", headers=tag),
    ):
        assert (refused.status, refused.code) == (412, "PRECONDITION_FAILED")
    tag = {"If-Match": second.headers["ETag"]}
    assert kind.delete(owner, entity["id"], "2026-01-01", headers=tag).status == 200


def test_the_audit_log_tells_of_the_date_concerned(owner: Member, kind: Kind) -> None:
    # Given a rate of one day, and three changes of another's
    entity = kind.new(owner)["id"]
    kind.set(owner, entity, "2026-01-01", _eur(2600))
    kind.set(owner, entity, "2026-03-01", _eur(2650))
    kind.set(owner, entity, "2026-03-01", _eur(2700))
    kind.delete(owner, entity, "2026-03-01")
    # When the log is read
    query = {"entityType": kind.name.lower(), "entityId": entity, "limit": 3}
    entries = owner.call("getAuditLog", query=query).data["items"]
    # Then each of those names its day alone
    event = kind.name.upper()
    assert [(entry["action"], entry["changes"]) for entry in entries] == [
        (f"{event}_RATE_DELETED", {"rates.2026-03-01": {"before": _eur(2700), "after": None}}),
        (f"{event}_RATE_SET", {"rates.2026-03-01": {"before": _eur(2650), "after": _eur(2700)}}),
        (f"{event}_RATE_SET", {"rates.2026-03-01": {"before": None, "after": _eur(2650)}}),
    ]


def test_rates_set_at_once_both_survive(owner: Member, kind: Kind) -> None:
    entity = kind.new(owner)["id"]
    with overtaken(lambda: kind.set(owner, entity, "2026-01-01", _eur(2600))) as overtaking:
        late = kind.set(owner, entity, "2026-02-01", _eur(2700))
    assert (overtaking[0].status, late.status) == (200, 200)
    assert kind.amounts(owner, entity) == {"2026-01-01": 2600, "2026-02-01": 2700}


def test_a_rate_deleted_meanwhile_is_gone(owner: Member, kind: Kind) -> None:
    entity = kind.new(owner)["id"]
    kind.set(owner, entity, "2026-01-01", _eur(2600))
    with overtaken(lambda: kind.delete(owner, entity, "2026-01-01")) as overtaking:
        late = kind.delete(owner, entity, "2026-01-01")
    assert (overtaking[0].status, late.status) == (200, 404)


def test_the_most_holds_for_rates_set_at_once(owner: Member, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MAX_RATES", 1)
    entity = kind.new(owner)["id"]
    with overtaken(lambda: kind.set(owner, entity, "2026-01-01", _eur(2600))) as overtaking:
        late = kind.set(owner, entity, "2026-02-01", _eur(2700))
    assert (overtaking[0].status, late.status) == (200, 400)
    assert kind.amounts(owner, entity) == {"2026-01-01": 2600}


def test_a_change_of_the_entity_meanwhile_is_kept(owner: Member, kind: Kind) -> None:
    # Given a change of the entity between a rate's read and its commit
    entity = kind.new(owner)["id"]
    change = {"Position": {"headcount": 9}, "Worker": {"firstName": "Renamed"}}[kind.name]
    with overtaken(lambda: owner.call(f"update{kind.name}", path={"id": entity}, body=change)) as overtaking:
        late = kind.set(owner, entity, "2026-01-01", _eur(2600))
    # Then both hold
    assert (overtaking[0].status, late.status) == (200, 200)
    read = kind.read(owner, entity).data
    assert {name: read[name] for name in change} == change
    assert read["version"] == 3
