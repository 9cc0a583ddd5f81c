"""Formats of files with tracked time: their columns, and the forms of dates, times and durations in their cells.

Toggl's and Clockify's are the CSV exports of their detailed reports, Harvest's that of its detailed time report.
Columns come and go with the settings of an account, so each role has the names that it is known to have, and only those
are required that no session can do without. Further columns of theirs (amounts, rates, groups) are ignored; those of
GENERIC files, which people write by hand too, are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from chalicelib.core.csv_text import require_columns
from chalicelib.core.days import is_in_bounds
from chalicelib.core.errors import invalid_field
from chalicelib.core.text import letters

_FILE = "body"


class ImportFormat(StrEnum):
    TOGGL = "TOGGL"
    CLOCKIFY = "CLOCKIFY"
    HARVEST = "HARVEST"
    GENERIC = "GENERIC"


class Role(StrEnum):
    """The meaning of a column."""

    BILLABLE = "billable"
    CLIENT = "client"
    DATE = "date"
    DESCRIPTION = "description"
    DURATION = "duration"
    EMAIL = "email"
    END_AT = "end_at"
    """The end as an instant."""
    END_DATE = "end_date"
    END_TIME = "end_time"
    FIRST_NAME = "first_name"
    ID = "id"
    LAST_NAME = "last_name"
    PAUSES = "pauses"
    PROJECT = "project"
    SECONDS = "seconds"
    START_AT = "start_at"
    START_TIME = "start_time"
    TAGS = "tags"
    TASK = "task"
    TYPE = "type"
    USER = "user"


@dataclass(frozen=True)
class Format:
    columns: Mapping[Role, tuple[str, ...]]
    """The names of each column; of several in one file the first counts."""
    required: tuple[tuple[Role, ...], ...]
    """Alternatives; a file has the columns of one of them."""
    date_format: str
    ignored: tuple[str, ...] | None = None
    """Further columns that it may have; None: any."""
    empty: frozenset[str] = frozenset({""})
    """Cells that mean nothing."""

    def roles(self, names: Sequence[str]) -> dict[Role, str]:
        """Return the column of each role, as `names` spell it."""
        spelled = {letters(name): name for name in reversed(names)}
        return {
            role: next(spelled[letters(known)] for known in aliases if letters(known) in spelled)
            for role, aliases in self.columns.items()
            if any(letters(known) in spelled for known in aliases)
        }

    def unknown(self, names: Sequence[str]) -> list[str]:
        """Return the names of columns that it does not have."""
        if self.ignored is None:
            return []
        known = {letters(name) for aliases in (*self.columns.values(), self.ignored) for name in aliases}
        return [name for name in names if letters(name) not in known]

    def names_of(self, header: Sequence[str]) -> list[str]:
        """Return the names of a file's columns as they are spelled. VALIDATION_ERROR where it is another format's."""
        names = [cell.strip() for cell in header]
        if not names:
            raise invalid_field(_FILE, "has no header line")
        known = {letters(name): name for aliases in self.columns.values() for name in aliases}
        require_columns(names, known=known.values(), unknown=self.unknown(names), missing=self.missing(names))
        # Of columns that are ignored one name may come twice.
        return names

    def missing(self, names: Sequence[str]) -> list[str]:
        """Return the columns that a file with `names` lacks, of the alternative that it has most of."""
        roles = self.roles(names)
        lacking = [[role for role in choice if role not in roles] for choice in self.required]
        return [self.columns[role][0] for role in min(lacking, key=len)]


_LOCAL_SPANS = (
    (Role.DATE, Role.START_TIME, Role.END_TIME),
    (Role.DATE, Role.START_TIME, Role.DURATION),
)

FORMATS: Mapping[ImportFormat, Format] = {
    ImportFormat.TOGGL: Format(
        columns={
            Role.USER: ("User", "Member"),
            Role.EMAIL: ("Email",),
            Role.CLIENT: ("Client",),
            Role.PROJECT: ("Project",),
            Role.TASK: ("Task",),
            Role.DESCRIPTION: ("Description",),
            Role.BILLABLE: ("Billable",),
            Role.DATE: ("Start date",),
            Role.START_TIME: ("Start time",),
            Role.END_DATE: ("End date", "Stop date"),
            Role.END_TIME: ("End time", "Stop time"),
            Role.DURATION: ("Duration",),
            Role.TAGS: ("Tags",),
        },
        required=_LOCAL_SPANS,
        date_format="YYYY-MM-DD",
        empty=frozenset({"", "-"}),
    ),
    ImportFormat.CLOCKIFY: Format(
        columns={
            Role.PROJECT: ("Project",),
            Role.CLIENT: ("Client",),
            Role.DESCRIPTION: ("Description",),
            Role.TASK: ("Task", "Activity"),
            Role.USER: ("User",),
            Role.EMAIL: ("Email",),
            Role.TAGS: ("Tags", "Tag"),
            Role.BILLABLE: ("Billable",),
            Role.DATE: ("Start Date",),
            Role.START_TIME: ("Start Time",),
            Role.END_DATE: ("End Date",),
            Role.END_TIME: ("End Time",),
            Role.DURATION: ("Duration (h)", "Duration", "Duration (decimal)"),
            Role.TYPE: ("Type",),
        },
        required=_LOCAL_SPANS,
        date_format="MM/DD/YYYY",
    ),
    ImportFormat.HARVEST: Format(
        columns={
            Role.DATE: ("Date",),
            Role.CLIENT: ("Client",),
            Role.PROJECT: ("Project",),
            Role.TASK: ("Task",),
            Role.DESCRIPTION: ("Notes",),
            Role.DURATION: ("Hours",),
            Role.BILLABLE: ("Billable?", "Billable"),
            Role.FIRST_NAME: ("First Name",),
            Role.LAST_NAME: ("Last Name",),
            Role.EMAIL: ("Email",),
        },
        required=((Role.DATE, Role.DURATION),),
        date_format="YYYY-MM-DD",
    ),
    ImportFormat.GENERIC: Format(
        columns={
            Role.DATE: ("date",),
            Role.START_TIME: ("start",),
            Role.END_TIME: ("end",),
            Role.DURATION: ("hours",),
            Role.SECONDS: ("seconds",),
            Role.USER: ("user",),
            Role.EMAIL: ("email",),
            Role.CLIENT: ("client",),
            Role.PROJECT: ("project",),
            Role.TASK: ("task",),
            Role.DESCRIPTION: ("description",),
            Role.BILLABLE: ("billable",),
            Role.TAGS: ("tags",),
            Role.START_AT: ("startUtc",),
            Role.END_AT: ("endUtc",),
            Role.ID: ("id",),
            Role.PAUSES: ("pauses",),
        },
        required=(
            (Role.DATE, Role.START_TIME, Role.END_TIME),
            (Role.DATE, Role.START_TIME, Role.DURATION),
            (Role.DATE, Role.START_TIME, Role.SECONDS),
            (Role.START_AT, Role.END_AT),
        ),
        date_format="YYYY-MM-DD",
        ignored=("amount", "currency"),
    ),
}


# -- dates, times, durations -----------------------------------------------------------------------------------------

_PARTS = {"YYYY": r"(?P<year>[0-9]{4})", "MM": r"(?P<month>[0-9]{1,2})", "DD": r"(?P<day>[0-9]{1,2})"}
_TIME = re.compile(r"([0-9]{1,2}):([0-9][0-9])(?::([0-9][0-9]))?(?:\s*([AP])\.?M\.?)?", re.IGNORECASE)
_CLOCK_DURATION = re.compile(r"([0-9]{1,4}):([0-5][0-9])(?::([0-5][0-9]))?")
_HOURS = re.compile(r"[0-9]{1,4}(?:[.,][0-9]{1,9})?|[.,][0-9]{1,9}")


class DateFormat(StrEnum):
    YEAR_FIRST = "YYYY-MM-DD"
    YEAR_FIRST_SLASHES = "YYYY/MM/DD"
    YEAR_FIRST_DOTS = "YYYY.MM.DD"
    DAY_FIRST = "DD-MM-YYYY"
    DAY_FIRST_SLASHES = "DD/MM/YYYY"
    DAY_FIRST_DOTS = "DD.MM.YYYY"
    MONTH_FIRST = "MM-DD-YYYY"
    MONTH_FIRST_SLASHES = "MM/DD/YYYY"
    MONTH_FIRST_DOTS = "MM.DD.YYYY"

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub("YYYY|MM|DD", lambda part: _PARTS[part[0]], re.escape(self.value)))


def date_of(text: str, date_format: DateFormat) -> date | None:
    """Return the date; None for a text of another form, and for a day that there is not."""
    match = date_format.pattern.fullmatch(text)
    if match is None:
        return None
    try:
        day = date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return None
    return day if is_in_bounds(day) else None


def time_of(text: str) -> time | None:
    """Return a time of 24 hours, or of 12 with AM or PM, with seconds or without; None for another text."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = (int(part or 0) for part in match.group(1, 2, 3))
    if match[4] is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[4].upper() == "P" else 0)
    try:
        return time(hour, minute, second)
    except ValueError:
        return None


def seconds_of(text: str) -> int | None:
    """Return the seconds of `1:30`, `01:30:00`, or hours such as `1.5` and `1,5`; None for another text."""
    if match := _CLOCK_DURATION.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + seconds
    if _HOURS.fullmatch(text):
        return int((Decimal(text.replace(",", ".")) * 3600).quantize(Decimal(1), ROUND_HALF_UP))
    return None
