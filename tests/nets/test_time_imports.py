"""An import of time is a chunked write, too: killed anywhere, its repetition completes it once; it has a price."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from chalicelib.action.registry import REGISTRY
from chalicelib.models.users import Role
from chalicelib.modules.time_sessions.importing import run
from tests.support.api import Answer
from tests.support.audit_entries import entries_of
from tests.support.client_hooks import KINDS, Fault, ProcessDied, broken, without_waiting
from tests.support.factories import Member, Organization
from tests.support.store import Snapshot, Store, canonical

KEY = "a key"


def _file(theirs: str) -> list[dict[str, str]]:
    """Return rows of two users that need a client, projects, a task and tags; two of them are equal."""
    first = {"date": "2026-06-01", "start": "09:00", "hours": "1", "client": "Hansekontor", "project": "Umzug"}
    return [
        {**first, "task": "Abbau", "tags": "Kunde, Halle"},
        {**first, "task": "Abbau", "tags": "Kunde, Halle"},
        {"date": "2026-07-01", "start": "09:00", "hours": "1", "project": "Portal", "tags": "kunde"},
        {**first, "email": theirs},
        {"date": "2026-06-01", "start": "noon", "hours": "1"},
    ]


def _import(member: Member, rows: list[dict[str, str]], key: str | None = KEY) -> Answer:
    return member.call("importTimeSessions", key=key, body={"rows": rows, "createMissing": True})


def _sessions(snapshot: Snapshot) -> set[str]:
    return {sk for pk, sk in snapshot if pk.endswith("#TIMESESSION")}


@pytest.fixture
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MAX_WRITES", 15)


@pytest.mark.usefixtures("_small_chunks", "without_pauses")
def test_an_interrupted_import_is_completed_by_its_repetition(home: Organization, store: Store) -> None:
    declared, rows = REGISTRY["importTimeSessions"], _file(home.member(Role.VIEWER).user.email)
    before = store.items()
    # Given an import with a chunk each of clients, projects, tasks, and four of sessions, and its undisturbed effect
    undisturbed = _import(home.owner, rows)
    assert [row["result"] for row in undisturbed.data["rows"]] == ["created"] * 4 + ["error"]
    assert undisturbed.recording.operations.count("TransactWriteItems") == 3 + 4 + 1
    expected = canonical(store.changes(before), before)
    for at_call in range(1, undisturbed.round_trips + 1):
        kind = KINDS[at_call % len(KINDS)]
        case = f"{kind} at call {at_call}"
        # When it is interrupted and repeated
        store.restore(before)
        with broken(Fault(at_call, kind)), contextlib.suppress(ProcessDied):
            _import(home.owner, rows)
        after_first = store.items()
        again = _import(home.owner, rows)
        # Then there is one effect, that of the first attempt included
        assert canonical(store.changes(before), before) == expected, case
        assert len(entries_of(declared, store.changes(before)).others) == 4 + 2 + 1 + 1, case
        ids = {row["sessionId"] for row in again.data["rows"] if row["result"] == "created"}
        assert _sessions(after_first) <= ids == _sessions(store.items()), case
        assert (again.data["newClients"], again.data["newProjects"], again.data["newTasks"]) == (1, 2, 1), case


@pytest.mark.usefixtures("_small_chunks", "without_pauses")
def test_an_import_that_dies_twice_is_completed(home: Organization, store: Store) -> None:
    rows, before = _file(home.member(Role.VIEWER).user.email), store.items()
    _import(home.owner, rows)
    expected = canonical(store.changes(before), before)
    store.restore(before)
    for at_call in (9, 14):
        with broken(Fault(at_call, "process dies before")), contextlib.suppress(ProcessDied):
            _import(home.owner, rows)
    assert _import(home.owner, rows).status == 200
    assert canonical(store.changes(before), before) == expected


def test_the_key_of_an_interrupted_import_is_for_that_file_alone(home: Organization) -> None:
    rows = _file(home.member(Role.VIEWER).user.email)
    with without_waiting(), broken(Fault(12, "process dies before")), contextlib.suppress(ProcessDied):
        _import(home.owner, rows)
    other = _import(home.owner, rows[:1])
    assert (other.status, other.code) == (422, "IDEMPOTENCY_MISMATCH")


# -- a thousand rows ---------------------------------------------------------------------------------------------------


def _thousand(**more: str) -> list[dict[str, Any]]:
    return [
        {
            "date": f"2026-{1 + number // 250:02}-{1 + number % 250 // 10:02}",
            "start": f"{8 + number % 10:02}:00",
            "hours": "0.75",
            "description": f"Abbau {number}",
            **more,
        }
        for number in range(1000)
    ]


@pytest.mark.usefixtures("on_a_safe_engine")
def test_the_price_of_a_thousand_rows(home: Organization, store: Store) -> None:
    rows = _thousand(project="Umzug", tags="Kunde")
    first, again = _import(home.owner, rows, "first"), _import(home.owner, rows, "again")

    assert (first.data["created"], again.data["duplicates"]) == (1000, 1000)
    operations = first.recording.operations
    # 23 rows of four writes with a month, a project and a tag; then the chunk of projects, and the import's own
    assert operations.count("TransactWriteItems") == 44 + 1 + 1
    assert len(operations) <= 130
    written = sum(call.capacity for call in first.recording.calls if call.operation == "TransactWriteItems")
    assert written / 1000 <= 30
    assert len(_sessions(store.items())) == 1000
    assert len(again.recording.operations) <= 130


@pytest.mark.usefixtures("on_a_safe_engine")
def test_the_answer_to_a_thousand_overlapping_rows_is_stored(home: Organization, store: Store) -> None:
    """Given rows that all overlap each other and older sessions, and come twice that night, then the answer fits."""
    night = {"date": "2025-10-26", "start": "02:15", "end": "02:45"}
    for _ in range(2):
        others = [{**night, "description": "other"}] * 10
        body = {"rows": others, "timezone": "Europe/Berlin"}
        assert home.owner.call("importTimeSessions", body=body).status == 200
    body = {"rows": [night] * 1000, "timezone": "Europe/Berlin"}
    answers = [home.owner.call("importTimeSessions", key="k", body=body) for _ in range(2)]
    assert [answer.data["created"] for answer in answers] == [1000, 1000]
    assert answers[1].is_replay
    row, last = answers[0].data["rows"][0], answers[0].data["rows"][-1]
    assert sum(len(row["warnings"]) for row in answers[0].data["rows"]) == 500
    assert (answers[0].data["omittedWarnings"], last["warnings"]) == (2500, [])
    assert [warning["code"] for warning in row["warnings"]] == ["AMBIGUOUS_TIME", "AMBIGUOUS_TIME", "OVERLAP"]
    assert len(row["warnings"][-1]["sessionIds"]) == 3
    assert len(answers[0].data["rows"][100]["warnings"][-1]["rows"]) == 3
    assert max(len(str(item)) for item in store.items().values()) < 390_000


@pytest.mark.usefixtures("on_a_safe_engine")
def test_the_answer_to_a_thousand_faults_is_stored(home: Organization, store: Store) -> None:
    long = {"date": "2026-06-01", "start": "09:00", "hours": "1", "tags": "a\u202eb", "x" * 500: ""}
    broken_rows = [{**long, "pauses": "x"}, {name: cell for name, cell in long.items() if len(name) < 10}]
    answer = home.owner.call("importTimeSessions", key="k", body={"rows": broken_rows * 500})
    assert answer.data["errors"] == 1000
    assert max(len(str(item)) for item in store.items().values()) < 390_000
