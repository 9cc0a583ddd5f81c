"""Clients, work locations, positions and bill rates of the demo organization, created from `COMPANIES`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from infra.local.demo.api import Api
from infra.local.demo.companies import COMPANIES, Job

Ids = dict[tuple[str, ...], str]
"""Path to id. A path is the names of a client, its work location and the position there, as far as needed."""


def seed_positions(owner: Api) -> Ids:
    """Create clients, work locations and positions; return the positions. An existing one is recognized by its path."""
    clients: Ids = {(client["name"],): client["id"] for client in owner.all("/clients")}
    sites: Ids = {location_path(location): location["id"] for location in owner.all("/work-locations")}
    positions: Ids = {(*location_path(row["workLocation"]), row["name"]): row["id"] for row in owner.all("/positions")}
    for company in COMPANIES:
        details = {"name": company.name, "email": company.email, "phone": company.phone, "address": company.address}
        client = clients.get((company.name,)) or owner.post("/clients", **details)["id"]
        for number, site in enumerate(company.sites, 1):
            extension = f"{company.phone}{number}0"
            details = {"clientId": client, "name": site.name, "address": site.address, "phone": extension}
            location = sites.get((company.name, site.name)) or owner.post("/work-locations", **details)["id"]
            for job in site.jobs:
                path = (company.name, site.name, job.name)
                positions[path] = seed_position(owner, job, location, positions.get(path))
    return positions


def location_path(location: dict[str, Any]) -> tuple[str, str]:
    return location["client"]["name"], location["name"]


def seed_position(owner: Api, job: Job, location: str, position: str | None) -> str:
    """Create the position and its missing rates; return its id."""
    # Rates are compared by number and not by date: a run in another month has other dates.
    rates = list(zip(_days(datetime.now(UTC).date()), job.rates, strict=False))
    if position is None:
        details = {"name": job.name, "headcount": job.headcount, "isActive": job.is_active}
        position = owner.post("/positions", workLocationId=location, **details)["id"]
    else:
        rates = rates[len(owner.get(f"/positions/{position}/rates")["rates"]) :]
    for day, amount in rates:
        owner.put(f"/positions/{position}/rates/{day}", amount=amount, currency="EUR")
    return position


def _days(today: date) -> tuple[date, date]:
    """Return the first day of last year and of this month."""
    return date(today.year - 1, 1, 1), today.replace(day=1)
