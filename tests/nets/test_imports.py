"""An import is a chunked write: after any fault between chunks, repeating the request completes it once."""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.action.registry import REGISTRY
from chalicelib.core import clock
from chalicelib.dal.idempotency import KEPT_SECONDS
from chalicelib.modules.workers import importing
from tests.support.api import Answer
from tests.support.audit_entries import entries_of
from tests.support.client_hooks import KINDS, Fault, ProcessDied, broken, overtaken, without_waiting
from tests.support.factories import Member, Organization
from tests.support.store import Snapshot, Store, canonical
from tests.support.threads import at_once

KEY = "a key"


def _rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"firstName": "Jo", "lastName": "Weber", "phone": f"+49 151 {number:07d}"} for number in numbers]


FIVE = _rows(1, 2, 3, 4, 5)


def _import(member: Member, rows: list[dict[str, Any]], key: str | None = KEY) -> Answer:
    return member.call("importWorkers", key=key, body={"rows": rows})


def _workers(snapshot: Snapshot) -> set[str]:
    return {sk for pk, sk in snapshot if pk.endswith("#WORKER")}


@pytest.fixture
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "_PART_ROWS", 2)


@pytest.mark.usefixtures("_small_chunks")
def test_an_interrupted_import_is_completed_by_its_repetition(home: Organization, store: Store) -> None:
    declared, before = REGISTRY["importWorkers"], store.items()
    # Given an import of three chunks and its undisturbed effect
    undisturbed = _import(home.owner, FIVE)
    assert undisturbed.recording.operations.count("TransactWriteItems") == 3 + 1
    expected = canonical(store.changes(before), before)
    for at_call in range(1, undisturbed.round_trips + 1):
        for kind in KINDS:
            case = f"{kind} at call {at_call}"
            # When it is interrupted, the key is used with another input, and the import is repeated
            store.restore(before)
            with without_waiting():
                with broken(Fault(at_call, kind)), contextlib.suppress(ProcessDied):
                    _import(home.owner, FIVE)
                after_first = store.items()
                other = _import(home.owner, _rows(6)) if _has_chunks(after_first) else None
                again = _import(home.owner, FIVE)
            # Then each worker is created once, those of the first attempt included, and the other input is refused
            assert canonical(store.changes(before), before) == expected, case
            assert other is None or (other.status, other.code) == (422, "IDEMPOTENCY_MISMATCH"), case
            entries = entries_of(declared, store.changes(before))
            assert len(entries.others) == 5, case
            ids = {row["workerId"] for row in again.data["rows"] if row["result"] == "created"}
            assert len(ids) == 5, case
            assert _workers(after_first) <= ids == _workers(store.items()), case


def _has_chunks(snapshot: Snapshot) -> bool:
    return any("#PART#" in pk for pk, _ in snapshot)


@pytest.mark.usefixtures("_small_chunks")
def test_chunks_belong_to_one_caller(home: Organization, abroad: Organization) -> None:
    """Chunks of an interrupted import do not affect other callers."""
    _import_that_dies(home)
    for member in (home.enrol(home.owner.user.role), abroad.owner):
        answer = _import(member, _rows(6))
        assert (answer.status, answer.data["created"]) == (200, 1)


@pytest.mark.usefixtures("_small_chunks")
def test_a_dry_run_cannot_use_the_key_of_an_interrupted_import(home: Organization) -> None:
    _import_that_dies(home)
    dry_run = home.owner.call("importWorkers", key=KEY, body={"rows": FIVE, "dryRun": True})
    assert (dry_run.status, dry_run.code) == (422, "IDEMPOTENCY_MISMATCH")
    assert _import(home.owner, FIVE).data["created"] == 5


@pytest.mark.usefixtures("_small_chunks")
def test_an_import_completes_one_that_overtook_it_and_died(home: Organization, store: Store) -> None:
    with overtaken(lambda: _import_that_dies(home)):
        answer = _import(home.owner, FIVE)
    assert [row["result"] for row in answer.data["rows"]] == ["created"] * 5
    assert {row["workerId"] for row in answer.data["rows"]} == _workers(store.items())


@pytest.mark.usefixtures("_small_chunks")
def test_an_import_is_refused_if_another_took_its_key_and_died(home: Organization, store: Store) -> None:
    with overtaken(lambda: _import_that_dies(home)):
        answer = _import(home.owner, _rows(6, 7, 8))
    assert (answer.status, answer.code) == (422, "IDEMPOTENCY_MISMATCH")
    assert len(_workers(store.items())) == 2


def _import_that_dies(home: Organization) -> None:
    """Send an import whose process dies after the first chunk."""
    with without_waiting(), broken(Fault(6, "process dies before")), contextlib.suppress(ProcessDied):
        _import(home.owner, FIVE)


@pytest.mark.usefixtures("_small_chunks")
def test_chunks_expire_after_a_day(home: Organization, store: Store) -> None:
    # Given an import that ended after its first chunk
    _import_that_dies(home)
    first = _workers(store.items())
    assert len(first) == 2
    with clock.shifted(timedelta(seconds=KEPT_SECONDS - 30)):
        assert _import(home.owner, _rows(6)).status == 422
    # When a day has passed
    with clock.shifted(timedelta(seconds=KEPT_SECONDS + 30)):
        answer = _import(home.owner, FIVE)
    # Then it is a new import, to which the existing workers are duplicates
    assert [row["result"] for row in answer.data["rows"]] == ["duplicate"] * 2 + ["created"] * 3


# -- concurrent and large imports ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("on_a_safe_engine", "_small_chunks")
def test_concurrent_imports_with_one_key_have_one_effect(home: Organization, store: Store) -> None:
    before = store.items()
    answers = at_once([lambda: _import(home.owner, FIVE)] * 4)
    assert {answer.status for answer in answers} == {200}, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].data["created"] == 5
    assert len(_workers(store.items()) - _workers(before)) == 5


@pytest.mark.usefixtures("on_a_safe_engine", "_small_chunks")
def test_concurrent_imports_of_one_file_create_each_worker_once(home: Organization, store: Store) -> None:
    answers = at_once([lambda n=n: _import(home.owner, FIVE, f"key {n}") for n in range(4)])
    assert {answer.status for answer in answers} == {200}, [answer.text for answer in answers]
    rows = [row for answer in answers for row in answer.data["rows"]]
    assert Counter(row["result"] for row in rows) == {"created": 5, "duplicate": 15}
    assert {row["workerId"] for row in rows} == _workers(store.items())


@pytest.mark.usefixtures("on_a_safe_engine", "_small_chunks")
def test_concurrent_inputs_with_one_key_are_not_mixed(home: Organization, store: Store) -> None:
    files = [_rows(*range(10 * n, 10 * n + 5)) for n in range(1, 5)]
    answers = at_once([lambda rows=rows: _import(home.owner, rows) for rows in files])
    assert sorted(answer.status for answer in answers) == [200, 422, 422, 422], [answer.text for answer in answers]
    assert len(_workers(store.items())) == 5


@pytest.mark.usefixtures("on_a_safe_engine")
def test_a_thousand_rows(home: Organization, store: Store) -> None:
    rows = _rows(*range(1000))

    answer, again = _import(home.owner, rows), _import(home.owner, rows)
    anew = _import(home.owner, rows, "another key")

    assert answer.data["created"] == 1000
    assert answer.recording.operations.count("TransactWriteItems") == 34 + 1
    assert (again.is_replay, again.text) == (True, answer.text)
    assert anew.data["duplicates"] == 1000
    ids = [row["workerId"] for row in answer.data["rows"]]
    assert [row["workerId"] for row in anew.data["rows"]] == ids
    assert {*ids} == _workers(store.items())
    assert home.owner.call("getWorkers").data["pagination"]["totalItems"] == 1000
