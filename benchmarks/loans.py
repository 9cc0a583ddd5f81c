"""The check of loans among 100,000 of 10,000 organizations: its requests follow the loans that are past due."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chalice.local import LambdaContext

from benchmarks.actions import units_of
from benchmarks.seed import Item, put_items
from benchmarks.tables import show
from chalicelib.core import clock, ids
from chalicelib.core.ids import OrganizationId
from chalicelib.jobs import loan_watch
from chalicelib.models.loans.loans import DUE
from infra.local.stack import Stack
from tests.support import streams
from tests.support.api import Api
from tests.support.client_hooks import recorded
from tests.support.frozen_time import standing_still
from tests.support.loan_helpers import Deal, offered, party

_ORGANIZATIONS, _LOANS, _PAST_DUE, _A_BATCH = 10_000, 100_000, 50, 5_000
_MAX_RUNTIME_MS = 300_000
_OFFERED = datetime(2026, 2, 10, 12, tzinfo=UTC)
_CHECKED = datetime(2026, 3, 2, 6, tzinfo=UTC)
"""A day after the first installment of the loans that are past due."""


def run(api: Api, stack: Stack) -> None:
    streams.turn_off(stack)
    _deals(api)
    rows = [("50 past due, of 50 loans", *_check())]
    deal = _deals(api)[0]
    loans = 0
    for items in _others(stack, deal):
        put_items(stack.engine.table_endpoint, stack.table, items)
        loans += len(items) // 2
    rows.append((f"50 past due, of {loans + 2 * _PAST_DUE:,} loans", *_check()))
    rows.append(("none past due", *_check(expected=0)))
    columns = ("", "requests", "RCU", "WCU", "CPU ms", "of which reads")
    show(f"The hourly check of loans, of {_ORGANIZATIONS:,} organizations", columns, rows)


def _deals(api: Api) -> list[Deal]:
    """Return accepted loans of a pair of organizations each."""
    with standing_still(_OFFERED):
        return [
            offered(party(api, "LENDER", name="Nordhafen"), party(api, "BORROWER", name="Berg")).accept()
            for _ in range(_PAST_DUE)
        ]


def _check(expected: int = _PAST_DUE) -> tuple[int, float, float, float, int]:
    with standing_still(_CHECKED), recorded() as recording:
        started = time.process_time()
        assert loan_watch.tick(LambdaContext("watch_loans", 1024, max_runtime_ms=_MAX_RUNTIME_MS)) == expected
        milliseconds = (time.process_time() - started) * 1000
    read, written = units_of(recording.calls)
    reads = sum(count for name, count in Counter(recording.operations).items() if not name.startswith("Transact"))
    return len(recording.calls), read, written, milliseconds, reads


def _others(stack: Stack, deal: Deal) -> Iterator[list[Item]]:
    """Yield both sides' items of further loans: copies of one, past due some day of the next three years."""
    client, chance = stack.engine.client("dynamodb"), random.Random(100_000)
    sides = [
        client.get_item(TableName=stack.table, Key={"pk": {"S": f"ORG#{side.id}#LOAN"}, "sk": {"S": deal.id}})["Item"]
        for side in (deal.lender, deal.borrower)
    ]
    organizations = [OrganizationId(ids.new_id()) for _ in range(_ORGANIZATIONS)]
    for start in range(0, _LOANS, _A_BATCH):
        items = []
        for number in range(start, start + _A_BATCH):
            lender = organizations[number % _ORGANIZATIONS]
            borrower = organizations[(number + 1 + chance.randrange(_ORGANIZATIONS - 1)) % _ORGANIZATIONS]
            due_at = _CHECKED + timedelta(hours=1 + chance.randrange(3 * 365 * 24))
            items += _copy(sides, (lender, borrower), ids.new_id(), due_at)
        yield items


def _copy(
    sides: list[Item], organizations: tuple[OrganizationId, OrganizationId], loan: UUID, due_at: datetime
) -> list[Item]:
    lent, borrowed = sides
    parties: dict[str, Any] = {
        side: {"M": {"organizationId": {"S": str(organization)}, "name": {"S": "Nordhafen"}}}
        for side, organization in zip(("lender", "borrower"), organizations, strict=True)
    }
    data = {"M": {**lent["data"]["M"], **parties, "checkAt": {"S": clock.to_text(due_at)}}}
    row = str(loan)
    partition = DUE.partition_of(organizations[0], row)
    due = {partition.attribute: {"S": partition.pk}, "at": {"S": DUE.place(organizations[0], row, due_at)}}
    keys = [{"pk": {"S": f"ORG#{side}#LOAN"}, "sk": {"S": row}, "data": data} for side in organizations]
    return [{**lent, **keys[0], **due}, {**borrowed, **keys[1]}]
