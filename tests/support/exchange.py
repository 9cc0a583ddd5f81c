"""The exchange between organizations: all that a request may touch outside of its caller's organization.

A write about a loan stores the same in the partitions of the loan's other side. Nothing else leaves a tenant.
"""

from __future__ import annotations

from chalicelib.action.registry import REGISTRY, Action
from tests.support.client_hooks import Call, Recording, keys_of

MIRRORED = {"LOAN", "REPAYMENT", "KPI", "KPITEST"}
"""Kinds of items that both sides have, under the same sort key."""
SIGNED = "AUDIT"
"""Kind of the entries, one a write, that the other side's log gets."""
RUNS_OTHERS = {"executeQuickAction"}
"""Actions that run another one in their place."""
MEETING = {"createLoan", *RUNS_OTHERS}
"""Actions that read another organization's own item, to see whether it borrows; the commit checks it again."""
ORGANIZATION = "ORGANIZATION"


def is_exchange(action: Action) -> bool:
    """Return True for writes of loans and of everything below them."""
    return action.is_write and action.path.startswith("/loans")


def hold_to_exchange(action: str, own: str, recording: Recording) -> None:
    """Assert that a request about a loan touched one other organization at most, and there only the loan's mirror."""
    others = recording.tenants() - {own}
    if not others:
        return
    assert is_exchange(REGISTRY[action]) or action in RUNS_OTHERS, f"{action} of {own} touched {others}"
    assert len(others) == 1, f"{action} of {own} touched {others}"
    for call in recording.calls:
        _hold(action, own, call)


def _hold(action: str, own: str, call: Call) -> None:
    keys = [(pk.removeprefix("ORG#").split("#", 1), sk) for pk, sk in keys_of(call.operation, call.parameters)]
    outside = [(kind, sk) for (tenant, kind), sk in keys if tenant != own]
    inside = {(kind, sk) for (tenant, kind), sk in keys if tenant == own}
    for kind, sk in outside:
        if kind == ORGANIZATION:
            assert action in MEETING, f"{action} touched another organization's settings"
            assert call.operation == "GetItem" or _is_checked(call, sk), f"{action} wrote another organization"
            continue
        assert call.operation == "TransactWriteItems", f"{action} reads {kind} of another organization"
        assert kind == SIGNED or kind.split("#")[0] in MIRRORED, f"{action} wrote {kind} of another organization"
        assert kind == SIGNED or (kind, sk) in inside, f"{action} wrote {kind} for another organization alone"
    assert [kind for kind, _ in outside].count(SIGNED) <= 1, f"{action} wrote several entries of another organization"


def _is_checked(call: Call, sk: str) -> bool:
    """Return True if a transaction only checks a condition of the item."""
    checked = [
        item["ConditionCheck"]["Key"]["sk"]["S"]
        for item in call.parameters["TransactItems"]
        if "ConditionCheck" in item
    ]
    return sk in checked
