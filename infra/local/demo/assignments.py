"""The assignments of the demo organization: shifts of every week, with overlaps and gaps as in real plans."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from infra.local.demo.api import Api

PositionPath = tuple[str, ...]
"""Names of client, work location and position."""


class Rota(NamedTuple):
    """The same shift on some days of the weeks `since` one, to the next; 0 is this week."""

    worker: str
    position: PositionPath
    weekdays: str
    begins: time
    hours: float
    since: int = -52


_PICKING = ("Alster Logistik GmbH", "Lager Sandtorkai", "Kommissionierung Frühschicht")
_FORKLIFT = ("Alster Logistik GmbH", "Lager Sandtorkai", "Staplerfahrer")
_NIGHT = ("Lagerhaus Weser", "Halle 1", "Kommissionierung Nachtschicht")
_CARE = ("Klinikum Taunus", "Klinik Bad Homburg", "Pflegehilfe")
_ROOMS = ("Hotel Rheinblick", "Hotel am Ufer", "Zimmerreinigung")
_PORTER = ("Hotel Rheinblick", "Hotel am Ufer", "Nachtportier")
_BANQUET = ("Hotel Rheinblick", "Hotel am Ufer", "Bankettservice")
_STAGE = ("Nordwind Events", "Stadthafen", "Bühnenaufbau")
_CAFE = ("Café Morgenrot", "Café Kastanienallee", "Servicekraft Wochenende")
_MACHINE = ("Isar Präzision GmbH", "Werk Dingolfing", "CNC-Maschinenbedienung")

_QUALITY = ("Isar Präzision GmbH", "Werk Dingolfing", "Qualitätsprüfung")

_EARLY, _DAY, _LATE, _NIGHTLY = time(6), time(8), time(14), time(22)
_WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")

ROTAS = (
    Rota("Amira Haddad", _PICKING, "Mo Tu We Th Fr", _EARLY, 8),
    Rota("Bogdan Ionescu", _PICKING, "Mo Tu We Th", _EARLY, 8.5),
    Rota("Chiara Conti", _ROOMS, "Tu We Th Fr Sa", _DAY, 7),
    Rota("Daniel Okafor", _FORKLIFT, "Mo Tu We Th Fr", _EARLY, 8),
    Rota("Elif Şahin", _PORTER, "Th Fr Sa Su", _NIGHTLY, 8),
    # Two workers at a position for one: the plan has a warning.
    Rota("Iker Zabala", _PORTER, "Mo Tu We Th", _NIGHTLY, 8, since=-2),
    Rota("Fatou Diallo", _CARE, "Mo Tu Th Fr Su", _EARLY, 7.5),
    Rota("Grzegorz Wiśniewski", _FORKLIFT, "Mo Tu We Th Fr", _LATE, 8),
    Rota("Hanna Sørensen", _CARE, "Mo Tu We Fr Sa", _LATE, 7.5),
    Rota("Jana Nováková", _CAFE, "Sa Su", _LATE, 6),
    Rota("Kwame Mensah", _NIGHT, "Mo Tu We Th Fr", _NIGHTLY, 8),
    # Too little rest between night shift and stage: a warning.
    Rota("Kwame Mensah", _STAGE, "Sa", _LATE, 6, since=1),
    Rota("Leyla Rahimi", _BANQUET, "Fr Sa", _LATE, 8, since=-3),
    Rota("Marek Dvořák", _MACHINE, "Mo Tu We Th Fr", _EARLY, 8),
    Rota("Olena Kovalenko", _CARE, "We Th Fr Sa Su", _DAY, 7, since=1),
    Rota("Paulo Ferreira", _STAGE, "Fr Sa", _DAY, 10),
    Rota("Quentin Moreau", _QUALITY, "Mo Tu We Th Fr", _LATE, 8, since=-3),
    Rota("Rosa Lindqvist", _STAGE, "Fr Sa Su", _DAY, 9),
)
_ABSENT = (("Amira Haddad", 9), ("Marek Dvořák", 4), ("Marek Dvořák", 5), ("Chiara Conti", 16), ("Daniel Okafor", 2))
"""Workers, and how many days ago they were ill."""

_CANCELLED = "Leyla Rahimi"
"""The worker whose last planned shift is cancelled in advance."""


def seed_assignments(owner: Api, workers: dict[str, str], positions: dict[PositionPath, str], past_weeks: int) -> None:
    """Create the shifts unless some are scheduled: a run in another week creates those that are missing."""
    if owner.get("/assignments?status=scheduled&limit=1")["items"]:
        return
    zone = ZoneInfo(owner.get("/organization")["timezone"])
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    shifts = [*planned_shifts(today, past_weeks)]
    first = min(shift.start for shift in shifts)
    existing = {
        (row["workerId"], datetime.fromisoformat(row["startAt"]))
        for row in owner.all(f"/assignments?from={quote(first.isoformat())}")
    }
    last = {shift.worker: shift for shift in shifts}
    for shift in shifts:
        if (workers[shift.worker], shift.start) in existing:
            continue
        assigned = owner.post(
            "/assignments",
            workerId=workers[shift.worker],
            positionId=positions[shift.position],
            startAt=shift.start.isoformat(),
            endAt=shift.end.isoformat(),
        )
        if shift == last[_CANCELLED]:
            owner.post(f"/assignments/{assigned['id']}/cancel")


class Shift(NamedTuple):
    worker: str
    position: PositionPath
    start: datetime
    end: datetime


def planned_shifts(today: datetime, past_weeks: int) -> Iterator[Shift]:
    """Yield the shifts of past weeks, this and the next one, those of a worker in order."""
    ill = {(worker, (today - timedelta(days=days)).date()) for worker, days in _ABSENT}
    for rota in ROTAS:
        for week in range(max(rota.since, -past_weeks), 2):
            monday = today + timedelta(weeks=week, days=-today.weekday())
            for number, weekday in enumerate(_WEEKDAYS):
                day = monday + timedelta(days=number)
                if weekday in rota.weekdays.split() and (rota.worker, day.date()) not in ill:
                    start = day.replace(hour=rota.begins.hour)
                    # Local time: a night in which the clocks change is an hour longer or shorter.
                    yield Shift(rota.worker, rota.position, start, start + timedelta(hours=rota.hours))
