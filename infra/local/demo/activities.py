"""The activities that the demo organization recorded itself, in addition to those of its audited actions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from infra.local.demo.api import Api


def _activities(organization: str) -> tuple[dict[str, Any], ...]:
    last_month = datetime.now(UTC).replace(day=1) - timedelta(days=1)
    return (
        {
            "title": f"Lohnabrechnung {last_month:%m/%Y} übergeben",
            "description": "An das Steuerbüro, 18 Abrechnungen",
            "type": "INTEGRATION_EVENT",
            "entityType": "payrollRun",
            "entityId": f"{last_month:%Y-%m}",
            "action": "PAYROLL_EXPORTED",
            "severity": "SUCCESS",
            "metadata": {"payslips": 18},
        },
        {
            "title": "Zwei Stundenzettel vom Klinikum Taunus fehlen",
            "type": "WORKFLOW_UPDATE",
            "entityType": "invoice",
            "entityId": f"RE-{last_month:%Y-%m}-017",
            "action": "TIMESHEETS_MISSING",
            "severity": "WARNING",
        },
        {
            "title": "Der Betriebsrat hat den Weihnachtsschichten zugestimmt",
            "type": "USER_ACTION",
            "entityType": "organization",
            "entityId": organization,
            "action": "SHIFTS_APPROVED",
        },
    )


def seed_activities(owner: Api) -> None:
    """Create the activities. An existing one is recognized by its entity and its title."""
    for activity in _activities(owner.get("/organization")["id"]):
        of_entity = owner.all(f"/activities/by-entity/{activity['entityType']}/{activity['entityId']}")
        if activity["title"] not in {row["title"] for row in of_entity}:
            owner.post("/activities", **activity)
