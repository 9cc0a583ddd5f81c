"""Projects of the demo organization, with rates, four weeks of time, timesheets, and a running timer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from infra.local.demo.api import Api
from infra.local.demo.team import OWNER, PASSWORD, TEAM, users_by_email

_EUR = "EUR"
_MOVE, _PORTAL, _RECRUITING = "Lagerumzug Sandtorkai", "Bewerberportal", "Recruiting Winter"

PROJECTS: tuple[dict[str, Any], ...] = (
    {
        "name": _MOVE,
        "color": "orange",
        "estimatedMinutes": 9_600,
        "budget": {"amount": 1_200_000, "currency": _EUR},
        "budgetPeriod": "MONTHLY",
    },
    # Four weeks of `BLOCKS` use more than 80 % of this.
    {"name": _PORTAL, "color": "teal", "isBillable": False, "estimatedMinutes": 2_760},
    {"name": _RECRUITING, "color": "purple", "isBillable": False},
    {"name": "Messe Hannover", "color": "gray", "status": "ARCHIVED"},
)

TASKS: dict[str, tuple[tuple[str, str], ...]] = {
    _MOVE: (
        ("Regale in Block C umsetzen", "DONE"),
        ("Schichtplan für die Umzugswoche", "IN_PROGRESS"),
        ("Staplerscheine prüfen", "TODO"),
    ),
    _PORTAL: (("Formular für Rückrufe", "DONE"), ("Texte auf Polnisch", "IN_PROGRESS")),
    _RECRUITING: (("Anzeigen für Pflegekräfte", "IN_PROGRESS"), ("Infotag im Februar", "TODO")),
}

RATES: tuple[tuple[str, int], ...] = (("/organization/rates", 6_500), ("/projects/{project}/rates", 7_800))
"""Paths and cents per hour, from the beginning of last year on."""


class Block(NamedTuple):
    """Time that somebody tracks on some weekdays. 0 is Monday; hours of the next day are above 24."""

    person: str
    weekdays: tuple[int, ...]
    starts: float
    ends: float
    project: str | None
    description: str
    tags: tuple[str, ...] = ()
    pause: tuple[float, float] | None = None


BLOCKS = (
    Block("owner", (0,), 12.5, 13.75, None, "Wochenplanung mit der Disposition", ("Büro",)),
    Block("owner", (1, 3), 14, 17.5, _MOVE, "Abnahme mit Alster Logistik", ("Kunde",), (15.5, 15.75)),
    Block("owner", (2,), 13, 16.25, _RECRUITING, "Vorstellungsgespräche"),
    Block("owner", (4,), 13, 14.5, None, "Rechnungen und Mahnungen", ("Büro",)),
    Block("admin", (0, 1, 2, 3, 4), 8.5, 12.25, _MOVE, "Abstimmung mit dem Kunden", ("Kunde",)),
    Block("admin", (0, 2, 4), 13, 16.75, _PORTAL, "Formular für Rückrufe"),
    Block("admin", (1, 3), 13, 17, None, "Angebote und Verträge", ("Büro",)),
    Block("coordinator", (0, 1, 2, 3, 4), 7.75, 16, _MOVE, "Schichtplan", ("Planung",), (12, 12.75)),
    Block("member", (0, 1, 3), 9, 17.5, _RECRUITING, "Telefoninterviews", ("Telefon",), (12.5, 13.25)),
    Block("member", (4,), 21.5, 26, _MOVE, "Nachtumzug Block C", ("Nacht", "Planung"), (23.75, 24.25)),
)


_EARLIER = (0, 0.25, 0.75, 0, 0.5)
"""Hours by which somebody ends earlier, by turns: no week is like another."""


def seed_tracked_time(owner: Api) -> None:
    """Create projects by name, and the time unless there is some; then one timer that runs."""
    projects = _seed_projects(owner)
    for path, cents in RATES:
        place = path.format(project=projects[_MOVE])
        if not owner.get(place)["rates"]:
            owner.put(f"{place}/{datetime.now(UTC).year - 1}-01-01", amount=cents, currency=_EUR)
    if owner.get("/time-sessions?limit=1")["items"]:
        return
    users = users_by_email(owner)
    people = {person.name: users[person.email]["id"] for person in (OWNER, *TEAM) if person.email in users}
    for name in ("admin", "coordinator", "member"):
        owner.put(f"/projects/{projects[_MOVE]}/members/{people[name]}")
    zone = ZoneInfo(owner.get("/organization")["timezone"])
    for block, start in planned(datetime.now(zone)):
        hours = timedelta(hours=block.ends - block.starts - _EARLIER[start.toordinal() % len(_EARLIER)])
        pauses = []
        if block.pause is not None:
            low, high = (start + timedelta(hours=hour - block.starts) for hour in block.pause)
            pauses = [{"startAt": low.isoformat(), "endAt": high.isoformat()}]
        owner.post(
            "/time-sessions",
            userId=people[block.person],
            projectId=None if block.project is None else projects[block.project],
            description=block.description,
            tags=list(block.tags),
            startAt=start.isoformat(),
            endAt=(start + hours).isoformat(),
            pauses=pauses,
        )
    now = datetime.now(zone)
    monday = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
    _submit(owner, "admin", people["admin"], str(monday.date() - timedelta(days=14)))
    owner.post(f"/timesheets/{people['admin']}/{monday.date() - timedelta(days=14)}/approve")
    _submit(owner, "coordinator", people["coordinator"], str(monday.date() - timedelta(days=7)))
    # Not in the week before, which is submitted.
    _start_timer(owner, projects[_MOVE], max(monday, now - timedelta(minutes=80)))


def _submit(owner: Api, name: str, user: str, week: str) -> None:
    _signed_in(owner, name).post(f"/timesheets/{user}/{week}/submit")


def planned(now: datetime) -> Iterator[tuple[Block, datetime]]:
    """Yield the blocks of the last four weeks that are over, with their local starts."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for days in range(27, -1, -1):
        day = midnight - timedelta(days=days)
        for block in BLOCKS:
            start = (day + timedelta(hours=block.starts)).replace(tzinfo=now.tzinfo)
            if day.weekday() in block.weekdays and start + timedelta(hours=block.ends - block.starts) <= now:
                yield block, start


def _seed_projects(owner: Api) -> dict[str, str]:
    projects = {row["name"]: row["id"] for row in owner.all("/projects")}
    client = owner.get("/clients?pageSize=1")["data"][0]["id"]
    for project in PROJECTS:
        name = project["name"]
        if name not in projects:
            client_id = client if name == _MOVE else None
            projects[name] = owner.post("/projects", clientId=client_id, **project)["id"]
            for order, (title, status) in enumerate(TASKS.get(name, ())):
                owner.post(f"/projects/{projects[name]}/tasks", title=title, status=status, sortOrder=order)
    return projects


def _start_timer(owner: Api, project: str, start: datetime) -> None:
    """Start the timer of the coordinator."""
    _signed_in(owner, "coordinator").post(
        "/timer/start", projectId=project, description="Schichtplan", tags=["Planung"], startAt=start.isoformat()
    )


def _signed_in(api: Api, name: str) -> Api:
    person = next(person for person in TEAM if person.name == name)
    return api.with_token(api.post("/auth/sign-in", email=person.email, password=PASSWORD)["token"])
