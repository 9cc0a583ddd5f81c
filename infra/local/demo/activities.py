"""The activities that the demo organization recorded itself, in addition to those of its audited actions."""

from __future__ import annotations

from typing import Any

from infra.local.demo.api import Api

ACTIVITIES: tuple[dict[str, Any], ...] = (
    {
        "title": "Lohnabrechnung Oktober übergeben",
        "description": "An das Steuerbüro, 18 Abrechnungen",
        "type": "INTEGRATION_EVENT",
        "action": "PAYROLL_EXPORTED",
        "severity": "SUCCESS",
        "metadata": {"month": "10", "payslips": 18},
    },
    {
        "title": "Zwei Stundenzettel vom Klinikum Taunus fehlen",
        "type": "WORKFLOW_UPDATE",
        "action": "TIMESHEETS_MISSING",
        "severity": "WARNING",
    },
    {
        "title": "Der Betriebsrat hat den Weihnachtsschichten zugestimmt",
        "type": "USER_ACTION",
        "action": "SHIFTS_APPROVED",
    },
)


def seed_activities(owner: Api) -> None:
    """Create the activities, about the organization itself. An existing one is recognized by its title."""
    organization = owner.get("/organization")["id"]
    existing = {row["title"] for row in owner.all(f"/activities/by-entity/organization/{organization}")}
    for activity in ACTIVITIES:
        if activity["title"] not in existing:
            owner.post("/activities", entityType="organization", entityId=organization, **activity)
