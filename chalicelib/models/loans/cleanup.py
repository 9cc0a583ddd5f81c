"""Erases everything below a loan, or below one of its KPIs, that is deleted: on one side, in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import MAX_WRITES, UnitOfWork, stale
from chalicelib.models.loans import keys, kpis
from chalicelib.models.loans.loans import LOANS

MAX_ITEMS = 1_000
"""Items that one call erases: ten transactions."""


def erase(organization: OrganizationId, loan: UUID, kpi: UUID | None = None) -> bool:
    """Erase up to `MAX_ITEMS` items below a deleted loan, or KPI; return True when none is left.

    Twice, or cut off anywhere, is as good as once: nothing below a loan that is gone can be read, or comes back.
    """
    parent = LOANS.key(organization, loan) if kpi is None else kpis.key(organization, loan, kpi)
    if table.get(parent) is not None:
        return True
    left = _below(organization, loan, kpi)
    for _ in range(MAX_ITEMS // MAX_WRITES):
        unit = UnitOfWork(organization)
        for key in islice(left, MAX_WRITES):
            unit.delete(key, None, stale)
        if unit.is_empty:
            return True
        unit.commit()
    return next(left, None) is None


def _below(organization: OrganizationId, loan: UUID, kpi: UUID | None) -> Iterator[Key]:
    """Yield the keys of the items below a loan or a KPI, page by page as they are consumed."""
    partitions = [keys.kpi_tests(organization, loan)]
    if kpi is None:
        partitions += [keys.kpis(organization, loan), keys.repayments(organization, loan)]
    between = None if kpi is None else (f"{kpi}#", f"{kpi}#~")
    for partition in partitions:
        for row in table.query_all(partition, between=between):
            yield Key(partition, row["sk"]["S"])
