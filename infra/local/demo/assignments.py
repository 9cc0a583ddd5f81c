"""The assignments of the demo organization: some weeks around today, with overlaps and gaps as in real plans."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infra.local.demo.api import Api

PositionPath = tuple[str, ...]
"""Names of client, work location and position."""


class Rota(NamedTuple):
    """The same shift on several days, counted from today."""

    worker: str
    position: PositionPath
    days: tuple[int, ...]
    begins: time
    hours: float


class Posting(NamedTuple):
    """An assignment of weeks or months, or without an end."""

    worker: str
    position: PositionPath
    starts_in_days: int
    lasts_days: int | None = None


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

_EARLY, _DAY, _LATE, _NIGHTLY = time(6), time(8), time(14), time(22)

ROTAS = (
    Rota("Amira Haddad", _PICKING, (-8, -7, -6, -1, 0, 1), _EARLY, 8.5),
    Rota("Bogdan Ionescu", _PICKING, (-8, -7, -1, 0, 1), _EARLY, 8.5),
    Rota("Chiara Conti", _ROOMS, (-9, -8, -2, -1, 0), _DAY, 7),
    # Two workers at a position for one: the plan has a warning.
    Rota("Elif Şahin", _PORTER, (-3, -2, 0, 1), _NIGHTLY, 8),
    Rota("Iker Zabala", _PORTER, (1,), _NIGHTLY, 8),
    Rota("Jana Nováková", _CAFE, (-7, -6, 0), _LATE, 6),
    Rota("Kwame Mensah", _NIGHT, (-4, -3, -2, -1, 0, 1), _NIGHTLY, 8),
    # Too little rest between night shift and stage: a warning.
    Rota("Kwame Mensah", _STAGE, (2,), _LATE, 6),
    Rota("Leyla Rahimi", _BANQUET, (-5, 2), _LATE, 8),
    Rota("Paulo Ferreira", _STAGE, (-12, -11, 2, 3), _DAY, 10),
    Rota("Rosa Lindqvist", _STAGE, (-12, 2, 3), _DAY, 10),
)

POSTINGS = (
    Posting("Daniel Okafor", _FORKLIFT, -40),
    Posting("Fatou Diallo", _CARE, -200),
    Posting("Grzegorz Wiśniewski", _FORKLIFT, -30, 60),
    Posting("Hanna Sørensen", _CARE, -20, 90),
    Posting("Marek Dvořák", _MACHINE, -75),
    Posting("Olena Kovalenko", _CARE, 5, 30),
)

_CANCELLED = ("Leyla Rahimi", 2)
"""Worker and day of the shift that is cancelled in advance."""


def seed_assignments(owner: Api, workers: dict[str, str], positions: dict[PositionPath, str]) -> None:
    """Create the assignments unless some are scheduled: a run in another week creates the next ones."""
    if owner.get("/assignments?status=scheduled&limit=1")["items"]:
        return
    zone = ZoneInfo(owner.get("/organization")["timezone"])
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for worker, position, start, end in (*planned_shifts(today), *planned_postings(today)):
        assigned = owner.post(
            "/assignments",
            workerId=workers[worker],
            positionId=positions[position],
            startAt=start.isoformat(),
            endAt=end and end.isoformat(),
        )
        if (worker, (start.date() - today.date()).days) == _CANCELLED:
            owner.post(f"/assignments/{assigned['id']}/cancel")


Assigned = tuple[str, PositionPath, datetime, datetime | None]


def planned_shifts(today: datetime) -> Iterator[Assigned]:
    for rota in ROTAS:
        for day in rota.days:
            start = _at(today, day, rota.begins)
            # Local time: a night in which the clocks change is an hour longer or shorter.
            yield rota.worker, rota.position, start, start + timedelta(hours=rota.hours)


def planned_postings(today: datetime) -> Iterator[Assigned]:
    for posting in POSTINGS:
        last = None if posting.lasts_days is None else posting.starts_in_days + posting.lasts_days
        end = None if last is None else _at(today, last, _LATE)
        yield posting.worker, posting.position, _at(today, posting.starts_in_days, _DAY), end


def _at(today: datetime, day: int, clock: time) -> datetime:
    return (today + timedelta(days=day)).replace(hour=clock.hour)
