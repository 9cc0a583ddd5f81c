"""The workers of the demo organization, with their pay rates."""

from __future__ import annotations

from typing import NamedTuple

from infra.local.demo.api import Api


class Worker(NamedTuple):
    """A worker. Pay is in cents per hour, None if it is not agreed yet."""

    first_name: str
    last_name: str
    phone: str
    pay: int | None = None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


WORKERS = (
    Worker("Amira", "Haddad", "0151 55501001", 1690),
    Worker("Bogdan", "Ionescu", "0151 55501002", 1590),
    Worker("Chiara", "Conti", "0151 55501003", 1550),
    Worker("Daniel", "Okafor", "0151 55501004", 1850),
    Worker("Elif", "Şahin", "0151 55501005", 1620),
    Worker("Fatou", "Diallo", "0151 55501006", 2150),
    Worker("Grzegorz", "Wiśniewski", "+48 601 555 107", 1980),
    Worker("Hanna", "Sørensen", "+45 31 55 51 08", 2090),
    Worker("Iker", "Zabala", "0151 55501009", 1490),
    Worker("Jana", "Nováková", "+420 601 555 110", 1590),
    Worker("Kwame", "Mensah", "0151 55501011", 1640),
    Worker("Leyla", "Rahimi", "0151 55501012", 1530),
    Worker("Marek", "Dvořák", "0151 55501013", 2290),
    Worker("Nils", "Petersen", "0151 55501014"),
    Worker("Olena", "Kovalenko", "0151 55501015", 1720),
    Worker("Paulo", "Ferreira", "0151 55501016", 1560),
    Worker("Quentin", "Moreau", "+33 6 39 98 55 17", 1810),
    Worker("Rosa", "Lindqvist", "0151 55501018", 1670),
)


def seed_workers(owner: Api) -> dict[str, str]:
    """Create the workers; return name to id. An existing one is recognized by the phone number."""
    rows = [{"firstName": worker.first_name, "lastName": worker.last_name, "phone": worker.phone} for worker in WORKERS]
    imported = owner.post("/workers/import", rows=rows)["rows"]
    for worker, row in zip(WORKERS, imported, strict=True):
        if row["result"] == "created" and worker.pay is not None:
            owner.put(f"/workers/{row['workerId']}/rates/2026-01-01", amount=worker.pay, currency="EUR")
    return {worker.name: row["workerId"] for worker, row in zip(WORKERS, imported, strict=True)}
