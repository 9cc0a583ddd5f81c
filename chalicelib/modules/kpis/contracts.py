"""Contracts of KPIs and their tests."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.core.contracts import Body, Contract, Patch
from chalicelib.core.days import Day
from chalicelib.core.field_types import Instant
from chalicelib.models.loans.covenants import KpiDirection, KpiFrequency, KpiState
from chalicelib.models.loans.fields import Reason
from chalicelib.models.loans.kpi_tests import Evidence, TestValue, Value, Waiver
from chalicelib.models.loans.kpis import CureDays, KpiName, KpiUnit, ReportingDays, Target

FirstTestDate = Annotated[Day, Field(description="From startDate to maturityDate.", examples=["2026-06-30"])]


class CreateKpi(Body):
    name: KpiName
    unit: KpiUnit | None = None
    target: Target
    direction: Annotated[
        KpiDirection, Field(strict=False, description="UP: at least the target is good. DOWN: at most.")
    ]
    frequency: Annotated[KpiFrequency, Field(strict=False, examples=["QUARTERLY"])]
    first_test_date: FirstTestDate
    reporting_days: ReportingDays = 30
    cure_days: CureDays = 0


class UpdateKpi(Patch, of=CreateKpi, without={"frequency", "first_test_date"}):
    """The fields to change. Test dates never change: delete the KPI and define another one."""


class RecordKpiValue(Body):
    test_date: Annotated[Day, Field(examples=["2026-06-30"])]
    value: Value
    evidence: Evidence | None = None


class WaiveKpiBreach(Body):
    reason: Annotated[Reason, Field(examples=["Einmaliger Effekt aus dem Umzug."])]


class KpiTestDetails(Contract):
    """One test of a KPI, as it is now."""

    test_date: Annotated[Day, Field(examples=["2026-06-30"])]
    state: KpiState
    value: Annotated[Value | None, Field(description="The latest one.", examples=[1.31])]
    target: Annotated[Target, Field(description="The one that judges it.")]
    direction: KpiDirection
    report_until: Annotated[Day, Field(description="The last day on which a first value is in time.")]
    cure_until: Annotated[
        Day | None, Field(description="The last day on which a better value cures a breach.", examples=[None])
    ]
    values: list[TestValue]
    waiver: Waiver | None
    state_since: Annotated[Instant | None, Field(description="Null while it is PENDING.")]
