"""What the demo organization tells of itself, beside all that its feed tells by itself."""

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


def tell(owner: Api) -> None:
    """Activities are about the organization. One with the title of ours is taken for ours."""
    organization = owner.get("/organization")["id"]
    told = {each["title"] for each in owner.all(f"/activities/by-entity/organization/{organization}")}
    for activity in ACTIVITIES:
        if activity["title"] not in told:
            owner.post("/activities", entityType="organization", entityId=organization, **activity)
