"""Contracts of analytics of tracked time."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from chalicelib.core.contracts import Contract, Query
from chalicelib.core.days import Day
from chalicelib.core.errors import require_order
from chalicelib.core.field_types import Flag
from chalicelib.core.money import Money
from chalicelib.models.organizations import WeekDay
from chalicelib.models.time.rounding import Rounding, RoundingMode, RoundPer
from chalicelib.models.time.sessions import Tag

MAX_DAYS = 366
_STEPS = (1, 5, 6, 10, 15, 30, 60)
_ROUND = re.compile(rf"(UP|DOWN|NEAREST):({'|'.join(map(str, _STEPS))})")


class Dimension(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    PROJECT = "project"
    CLIENT = "client"
    TASK = "task"
    USER = "user"
    TAG = "tag"
    BILLABLE = "billable"


_NAMES = "|".join(Dimension)


def _dimensions(value: Any) -> tuple[Dimension, ...]:
    names = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
    if not names or len(names) > 2 or len({*names}) < len(names) or any(name not in {*Dimension} for name in names):
        raise PydanticCustomError("dimensions", f"must be one or two different ones of {', '.join(Dimension)}")
    return tuple(Dimension(name) for name in names)


def _rounding(value: Any) -> Rounding:
    match = _ROUND.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError(
            "rounding", f"must be UP, DOWN or NEAREST, a colon and one of {', '.join(map(str, _STEPS))} minutes"
        )
    return Rounding(RoundingMode(match[1]), int(match[2]))


GroupBy = Annotated[
    tuple[Dimension, ...],
    PlainValidator(_dimensions),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^({_NAMES})(,({_NAMES}))?$",
            "maxLength": 20,
            "examples": ["day"],
            "description": "One dimension, or two with a comma.",
        }
    ),
]
RoundingField = Annotated[
    Rounding,
    PlainValidator(_rounding),
    WithJsonSchema({"type": "string", "pattern": f"^{_ROUND.pattern}$", "examples": ["UP:15"]}),
]


class DayRange(Query):
    from_: Annotated[Day, Field(alias="from")]
    to: Annotated[Day, Field(description="Included.", examples=["2026-03-31"])]

    @model_validator(mode="after")
    def _in_order(self) -> DayRange:
        if (self.to - self.from_).days >= MAX_DAYS:
            raise PydanticCustomError("days", f"must be at most {MAX_DAYS} days")
        return self

    def require_order(self) -> None:
        require_order(("from", "to"), self.from_, self.to, inclusive=True)


class GetAnalyticsSummary(DayRange):
    group_by: GroupBy | None = None
    project_id: UUID | None = None
    task_id: UUID | None = None
    client_id: UUID | None = None
    user_id: Annotated[
        UUID | None, Field(description="By default everybody for who may manage others' time, else the caller.")
    ] = None
    tag: Tag | None = None
    billable: Flag | None = None
    round: RoundingField | None = None
    round_per: RoundPer = RoundPer.SESSION


class Totals(Contract):
    seconds: Annotated[int, Field(examples=[28800])]
    billable_seconds: Annotated[int, Field(examples=[25200])]
    amount: Annotated[
        Money | None,
        Field(
            description="Of billable time that has a rate. Shown to those who may read rates.",
            exclude_if=lambda amount: amount is None,
        ),
    ] = None
    unpriced_seconds: Annotated[int, Field(description="Billable seconds without a rate.", examples=[0])]


class SummaryGroup(Totals):
    key: Annotated[str | None, Field(description="Null for time without one.", examples=["2026-03-02"])]
    name: Annotated[str | None, Field(examples=["2026-03-02"])]
    groups: Annotated[
        list[SummaryGroup] | None,
        Field(description="By the second dimension.", exclude_if=lambda groups: groups is None, examples=[None]),
    ] = None


class Change(Contract):
    seconds: Annotated[int, Field(examples=[3600])]
    percent: Annotated[float | None, Field(description="Null if there was none before.", examples=[14.29])]


class Summary(Contract):
    totals: Totals
    previous: Annotated[Totals, Field(description="The totals of as many days just before.")]
    change: Change
    groups: list[SummaryGroup]
    timezone: Annotated[str, Field(examples=["Europe/Berlin"])]
    week_start: WeekDay


class HeatmapCell(Contract):
    iso_weekday: Annotated[int, Field(description="1 is Monday.", examples=[1])]
    hour: Annotated[int, Field(examples=[9])]
    seconds: Annotated[int, Field(examples=[3600])]


class Heatmap(Contract):
    cells: Annotated[list[HeatmapCell], Field(description="Those with time, by weekday and hour.")]
    total_seconds: Annotated[int, Field(examples=[28800])]
    timezone: Annotated[str, Field(examples=["Europe/Berlin"])]
    week_start: WeekDay


class Streak(Contract):
    current: Annotated[int, Field(description="Days in a row up to today, or to yesterday while today has none.")]
    longest: int
    longest_from: Annotated[Day | None, Field(description="The earlier of equal ones.")]
    longest_to: Day | None
    days: Annotated[int, Field(description="All days with time.")]
    today: Day
    timezone: Annotated[str, Field(examples=["Europe/Berlin"])]
    week_start: WeekDay
