"""Cells of one row of an import, by the role of their column; a cell that cannot be read is an error on its column."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from pydantic import TypeAdapter, ValidationError

from chalicelib.action.row_import import BrokenRow
from chalicelib.core import text
from chalicelib.core.days import is_in_bounds
from chalicelib.core.errors import ActionError, invalid_field, invalid_state
from chalicelib.core.field_types import Instant
from chalicelib.models.time.spans import Pause, whole_seconds
from chalicelib.modules.time_sessions.importing.formats import DateFormat, Format, Role, date_of, seconds_of, time_of

_YES_OR_NO = {"yes": True, "true": True, "no": False, "false": False}
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_MAX_SECONDS_DIGITS = 7


class Cells:
    """Texts and other values of a row. VALIDATION_ERROR on the column, as the row names it."""

    def __init__(self, format_: Format, row: Any) -> None:
        """Refuse a row that has not the columns which the format requires, or, of GENERIC, has others."""
        if isinstance(row, BrokenRow):
            raise invalid_state(row.fault)
        if not isinstance(row, Mapping):
            raise invalid_state("must be an object")
        names = [str(name) for name in row]
        if format_.unknown(names):
            # Its name may be of any length, and the results of all rows are stored.
            raise invalid_state("has a column that this format has not")
        for name in format_.missing(names):
            raise invalid_field(name, "is required")
        self.columns = format_.roles(names)
        self._format = format_
        self._row = row

    def column(self, *roles: Role) -> str:
        """Return the column of the first role that the row has, else the format's name for it."""
        present = [self.columns[role] for role in roles if role in self.columns]
        return (present or [self._format.columns[role][0] for role in roles if role in self._format.columns])[0]

    def error(self, role: Role, message: str) -> ActionError:
        return invalid_field(self.column(role), message)

    def text(self, role: Role) -> str | None:
        """Return the text of a cell, trimmed; None for one that is empty."""
        value = self._row.get(self.columns[role]) if role in self.columns else None
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, int | float):
            value = str(value)
        elif value is not None and not isinstance(value, str):
            raise self.error(role, "must be a text")
        stripped = (value or "").strip()
        return None if stripped in self._format.empty else stripped

    def required(self, role: Role) -> str:
        value = self.text(role)
        if value is None:
            raise self.error(role, "is required")
        return value

    def date(self, role: Role, date_format: DateFormat) -> date:
        day = date_of(self.required(role), date_format)
        if day is None:
            raise self.error(role, f"must be a date, {date_format}")
        return day

    def time(self, role: Role) -> time:
        clock = time_of(self.required(role))
        if clock is None:
            raise self.error(role, "must be a time, such as 09:30, 09:30:00 or 9:30 AM")
        return clock

    def instant(self, role: Role) -> datetime:
        try:
            instant = whole_seconds(_INSTANT.validate_python(self.required(role)))
        except ValidationError:
            raise self.error(role, "must be an ISO 8601 date-time with an offset") from None
        if not is_in_bounds(instant.date()):
            raise self.error(role, "is out of range")
        return instant

    def duration(self) -> tuple[int, Role] | None:
        """Return the seconds of the row with their column, as seconds or as a duration; None where it has none."""
        value = self.text(Role.DURATION)
        hours = None if value is None else seconds_of(value)
        if value is not None and hours is None:
            raise self.error(Role.DURATION, "must be a duration, such as 1:30, 01:30:00 or 1.5")
        exact = self.text(Role.SECONDS)
        if exact is None:
            return None if hours is None else (hours, Role.DURATION)
        if not (exact.isascii() and exact.isdigit() and len(exact) <= _MAX_SECONDS_DIGITS):
            raise self.error(Role.SECONDS, "must be a whole number of seconds")
        return int(exact), Role.SECONDS

    def flag(self, role: Role) -> bool | None:
        value = self.text(role)
        if value is not None and value.casefold() not in _YES_OR_NO:
            raise self.error(role, "must be yes or no")
        return None if value is None else _YES_OR_NO[value.casefold()]

    def tags(self, *, quoted: bool) -> tuple[str, ...]:
        """Return the tags, each once whatever its case. `quoted`: one with a comma is in quotes, as the export has it.

        Rows in JSON may have a list.
        """
        value = self._row.get(self.columns[Role.TAGS]) if Role.TAGS in self.columns else None
        if isinstance(value, list) and all(isinstance(tag, str) for tag in value):
            tags = value
        else:
            cell = self.text(Role.TAGS) or ""
            try:
                tags = next(csv.reader([cell], skipinitialspace=True), []) if quoted else cell.split(",")
            except csv.Error:
                raise self.error(Role.TAGS, "must be tags separated by commas") from None
        by_form = {text.fold(tag.strip()): tag.strip() for tag in reversed(tags) if tag.strip()}
        return tuple(reversed(by_form.values()))

    def pauses(self) -> tuple[Pause, ...]:
        pauses = []
        for interval in (self.text(Role.PAUSES) or "").split():
            try:
                start, end = (whole_seconds(_INSTANT.validate_python(part)) for part in interval.split("/"))
            except ValueError:  # pydantic's error is one, too
                example = "2026-03-02T12:00:00Z/2026-03-02T12:30:00Z"
                raise self.error(Role.PAUSES, f"must be intervals separated by blanks, such as {example}") from None
            if start >= end:
                raise self.error(Role.PAUSES, "must end after they start")
            pauses.append(Pause(start_at=start, end_at=end))
        return tuple(pauses)
