"""The workers of the demo organization, and what they are paid."""

from __future__ import annotations

from typing import NamedTuple

from infra.local.demo.api import Api


class Hand(NamedTuple):
    """A worker. Pay is cents an hour; without it, it is not agreed yet."""

    first_name: str
    last_name: str
    phone: str
    pay: int | None = None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


CREW = (
    Hand("Amira", "Haddad", "0151 55501001", 1690),
    Hand("Bogdan", "Ionescu", "0151 55501002", 1590),
    Hand("Chiara", "Conti", "0151 55501003", 1550),
    Hand("Daniel", "Okafor", "0151 55501004", 1850),
    Hand("Elif", "Şahin", "0151 55501005", 1620),
    Hand("Fatou", "Diallo", "0151 55501006", 2150),
    Hand("Grzegorz", "Wiśniewski", "+48 601 555 107", 1980),
    Hand("Hanna", "Sørensen", "+45 31 55 51 08", 2090),
    Hand("Iker", "Zabala", "0151 55501009", 1490),
    Hand("Jana", "Nováková", "+420 601 555 110", 1590),
    Hand("Kwame", "Mensah", "0151 55501011", 1640),
    Hand("Leyla", "Rahimi", "0151 55501012", 1530),
    Hand("Marek", "Dvořák", "0151 55501013", 2290),
    Hand("Nils", "Petersen", "0151 55501014"),
    Hand("Olena", "Kovalenko", "0151 55501015", 1720),
    Hand("Paulo", "Ferreira", "0151 55501016", 1560),
    Hand("Quentin", "Moreau", "+33 6 39 98 55 17", 1810),
    Hand("Rosa", "Lindqvist", "0151 55501018", 1670),
)


def hire(owner: Api) -> dict[str, str]:
    """Ids by name. Whoever has one of these phone numbers is taken for ours."""
    rows = [{"firstName": each.first_name, "lastName": each.last_name, "phone": each.phone} for each in CREW]
    hired = owner.post("/workers/import", rows=rows)["rows"]
    for hand, row in zip(CREW, hired, strict=True):
        if row["result"] == "created" and hand.pay is not None:
            owner.put(f"/workers/{row['workerId']}/rates/2026-01-01", amount=hand.pay, currency="EUR")
    return {hand.name: row["workerId"] for hand, row in zip(CREW, hired, strict=True)}
