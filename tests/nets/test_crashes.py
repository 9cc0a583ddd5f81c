"""After any fault at any call of a write, repeating the request gives one effect and one answer.

The table is restored before each case, so every case is the same request; its effect is compared with that of the
undisturbed request.
"""

from __future__ import annotations

import contextlib

import pytest

from infra.local.engine import Store as Engines
from infra.local.engine import configured_store
from tests.support.api import Answer
from tests.support.arrange import WRITES, Arranged, arrange
from tests.support.audit_entries import entries_of
from tests.support.client_hooks import KINDS, Fault, ProcessDied, broken
from tests.support.factories import Organization
from tests.support.store import Snapshot, Store, anonymous, canonical, tokens_in

pytestmark = pytest.mark.usefixtures("without_pauses")

KEY = "one-and-the-same"
TRIED = WRITES[:: 4 if configured_store() is Engines.MOTO else 1]
"""A sample on moto, where each case is slow; the logic is the same on every engine."""


@pytest.mark.parametrize("action", TRIED)
def test_a_broken_write_can_be_repeated(home: Organization, store: Store, action: str) -> None:
    # Given a request and its undisturbed effect
    arranged = arrange(action, home)
    before = store.items()
    undisturbed = arranged.send(KEY)
    assert undisturbed.status == arranged.action.status, undisturbed.text
    expected = _effect(store, before)
    assert entries_of(arranged.action, store.changes(before))

    for at_call in range(1, undisturbed.round_trips + 1):
        for kind in KINDS:
            case = f"{action}, {kind} at {undisturbed.recording.operations[at_call - 1]}, call {at_call}"
            # When one of its calls fails, and the client repeats it with its key
            store.restore(before)
            first = _send_broken(arranged, Fault(at_call, kind))
            again = arranged.send(KEY)
            # Then there is one effect, with its one audit entry, and one answer
            assert first is None or first.status in {503, arranged.action.status}, f"{case}: {first.text}"
            if first is not None and first.status == 503:
                assert first.headers["Retry-After"], case
            assert _effect(store, before) == expected, f"{case}: {again.text}"
            assert tokens_in(store.changes(before)) == ("token" in again.data) * (1 + again.is_replay), case
            assert again.status == undisturbed.status, f"{case}: {again.text}"
            assert anonymous(str(_data(again))) == anonymous(str(_data(undisturbed))), case
            if first is not None and first.status == again.status == 200:
                assert _data(first) == _data(again), case


def _send_broken(arranged: Arranged, fault: Fault) -> Answer | None:
    """Send the request with a fault; return None if the process died."""
    answer = None
    with broken(fault), contextlib.suppress(ProcessDied):
        answer = arranged.send(KEY)
    return answer


def _effect(store: Store, before: Snapshot) -> list[str]:
    return canonical(store.changes(before), before)


def _data(answer: Answer) -> dict[str, object]:
    return {name: value for name, value in answer.data.items() if name != "token"}
