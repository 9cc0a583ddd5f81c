"""The keys of loans, and the access patterns they serve: the same in the partitions of lender and borrower.

| query                                           | answered by                                            |
| ----------------------------------------------- | ------------------------------------------------------ |
| a loan by id; all loans, newest first           | `ORG#<org>#LOAN` / `<id>`                              |
| the repayments of a loan                        | `ORG#<org>#REPAYMENT#<loan>` / `<id>`                  |
| the KPIs of a loan                              | `ORG#<org>#KPI#<loan>` / `<id>`                        |
| loans with something to report, in any organization | index `LOANDUE#<shard>` / `<due>#<lender>#<loan>`    |
| the recorded tests of a loan's KPI              | `ORG#<org>#KPITEST#<loan>` / `<kpi>#<test date>`       |
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.dal.keys import Key, partition


class KpiKey(NamedTuple):
    """The parts of a KPI's key."""

    loan: UUID
    id: UUID


def loans(organization: OrganizationId) -> str:
    return partition(organization, "LOAN")


def repayments(organization: OrganizationId, loan: UUID) -> str:
    return f"{partition(organization, 'REPAYMENT')}#{loan}"


def kpis(organization: OrganizationId, loan: UUID) -> str:
    return f"{partition(organization, 'KPI')}#{loan}"


def kpi_of(key: Key) -> KpiKey | None:
    """Return the KPI that is stored at a key; None for other keys."""
    scope, _, rest = key.pk.partition("#KPI#")
    if not rest or "#" in scope.partition("#")[2]:
        return None
    return KpiKey(UUID(rest), UUID(key.sk))


def kpi_tests(organization: OrganizationId, loan: UUID) -> str:
    return f"{partition(organization, 'KPITEST')}#{loan}"
