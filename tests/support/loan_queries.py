"""Metric queries over loans that buckets suffice for, apart from their period."""

from __future__ import annotations

from typing import Any

from chalicelib.models.loans.arrears import Bucket
from chalicelib.models.loans.loans import LoanStatus
from tests.support.rollup_machine import with_conditions

KINDS = ("simple", "snapshot")


def queries_of_loans() -> list[dict[str, Any]]:
    lent, borrowed = (("side", "eq", side) for side in ("lender", "borrower"))
    counts = [
        *({"field": instant} for instant in ("createdAt", "acceptedAt", "closedAt")),
        *({"type": kind, "where": [("status", "eq", status)]} for kind in KINDS for status in LoanStatus),
        *({"type": kind, "where": [("bucket", "eq", bucket), lent]} for kind in KINDS for bucket in Bucket),
        *({"type": kind, "where": [("status", "in", ["OFFERED", "REPAID"]), borrowed]} for kind in KINDS),
        *({"type": kind, "where": [("bucket", "ne", "CURRENT")]} for kind in KINDS),
        *({"type": kind} for kind in KINDS),
    ]
    sums = [
        *({"field": measure, "type": kind} for kind in KINDS for measure in ("principal", "outstanding")),
        {"field": "outstanding", "type": "snapshot", "where": [lent]},
        {"field": "interestPaid", "type": "simple"},
        {"field": "interestPaid", "type": "simple", "where": [borrowed]},
        {"field": "principal", "type": "simple", "aggregate": "avg"},
    ]
    return with_conditions(
        [
            *({"source": "loans", **count} for count in counts),
            *({"source": "loans", "aggregate": "sum", **amount} for amount in sums),
        ]
    )


QUERIES = queries_of_loans()
