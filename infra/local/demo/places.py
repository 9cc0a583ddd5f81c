"""Puts the companies into the demo organization: clients, their work locations, positions and bill rates."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from infra.local.demo.api import Api
from infra.local.demo.companies import COMPANIES, Job

Ids = dict[tuple[str, ...], str]
"""By the names of a client, of its work location, of the position there: as many as it takes."""


def furnish(owner: Api) -> Ids:
    """The positions. What has the name of one of ours is taken for ours."""
    clients: Ids = {(client["name"],): client["id"] for client in owner.all("/clients")}
    sites: Ids = {_path(location): location["id"] for location in owner.all("/work-locations")}
    positions: Ids = {(*_path(each["workLocation"]), each["name"]): each["id"] for each in owner.all("/positions")}
    for company in COMPANIES:
        details = {"name": company.name, "email": company.email, "phone": company.phone, "address": company.address}
        client = clients.get((company.name,)) or owner.post("/clients", **details)["id"]
        for site in company.sites:
            details = {"clientId": client, "name": site.name, "address": site.address}
            location = sites.get((company.name, site.name)) or owner.post("/work-locations", **details)["id"]
            for job in site.jobs:
                path = (company.name, site.name, job.name)
                positions[path] = _offer(owner, job, location, positions.get(path))
    return positions


def _path(location: dict[str, Any]) -> tuple[str, str]:
    return location["client"]["name"], location["name"]


def _offer(owner: Api, job: Job, location: str, position: str | None) -> str:
    """With its rates, by number and not by date: a run in another month finds those of an earlier one."""
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
    """The beginnings of last year and of this month."""
    return date(today.year - 1, 1, 1), today.replace(day=1)
