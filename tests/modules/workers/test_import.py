"""Import of workers: a result per row, independent of the other rows."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.modules.workers import importing
from tests.support.api import Answer
from tests.support.client_hooks import overtaken
from tests.support.factories import Organization

CSV = {"Content-Type": "text/csv"}
HEADER = "firstName,lastName,phone\r\n"
NOBODY: dict[str, Any] = {"workerId": None, "duplicateOfRow": None, "field": None, "message": None}


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "_PART_ROWS", 2)


def _row(number: int, **fields: Any) -> dict[str, Any]:
    return {"firstName": f"Jo {number}", "lastName": "Weber", "phone": f"+49 151 {number:07d}", **fields}


def _import(organization: Organization, rows: list[Any], key: str | None = None, **options: Any) -> Answer:
    return organization.owner.call("importWorkers", key=key, body={"rows": rows, **options})


def _import_csv(organization: Organization, text: str, key: str | None = None, **query: Any) -> Answer:
    return organization.owner.call("importWorkers", key=key, headers=CSV, body=text.encode(), query=query)


def _results(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.text
    rows = answer.data["rows"]
    assert [row["row"] for row in rows] == [*range(1, len(rows) + 1)]
    results = [row["result"] for row in rows]
    result_of = {"created": "created", "duplicates": "duplicate", "errors": "error"}
    assert {name: answer.data[name] for name in result_of} == {
        name: results.count(value) for name, value in result_of.items()
    }
    return results


def _workers(organization: Organization) -> list[dict[str, Any]]:
    data = organization.owner.call("getWorkers", query={"limit": 100}).data
    assert data["nextCursor"] is None
    rows: list[dict[str, Any]] = data["items"]
    return rows


def _entries(organization: Organization) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = organization.owner.call("getAuditLog", query={"limit": 100}).data["items"]
    return entries


# -- rows ------------------------------------------------------------------------------------------------------------


def test_every_row_has_a_result_and_a_bad_one_hinders_no_other(organization: Organization) -> None:
    # Given a worker, and rows that repeat its phone, each other's, or are wrong in different ways
    organization.owner.call("updateOrganization", body={"region": "DE"})
    known = organization.owner.call("createWorker", body=_row(1)).data["id"]
    rows = [
        _row(1, phone="0151 0000001"),
        _row(2),
        _row(3, firstName=" "),
        _row(2, phone="0049 (151) 000-0002"),
        _row(4, phone="call me"),
        "nobody",
        _row(5, hobby="chess"),
        {"phone": "+49 151 0000006"},
        _row(3, phone="+49 151 0000003"),
    ]
    # When they are imported
    answer = _import(organization, rows)
    # Then each has its result, with the reason
    assert answer.data["dryRun"] is False
    assert _results(answer) == [
        "duplicate",
        "created",
        "error",
        "duplicate",
        "error",
        "error",
        "error",
        "error",
        "created",  # the earlier row with its phone is nobody
    ]
    given = answer.data["rows"]
    assert given[0] == {**NOBODY, "row": 1, "result": "duplicate", "workerId": known}
    assert given[3] == {**NOBODY, "row": 4, "result": "duplicate", "duplicateOfRow": 2}
    assert [(row["field"], row["message"]) for row in given if row["result"] == "error"] == [
        ("firstName", "must not be empty"),
        ("phone", "must have 9 to 20 digits, and else only spaces, dashes, parentheses and a leading +"),
        (None, "must be an object"),
        (None, "has a field that no worker has"),
        ("firstName", "is required"),
    ]
    # And the good ones are workers
    listed = {worker["id"]: worker for worker in _workers(organization)}
    assert {*listed} == {known, given[1]["workerId"], given[8]["workerId"]}
    assert {name: listed[given[1]["workerId"]][name] for name in rows[1]} == rows[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("\u3164", "must have a visible character"),
        ("Me\u200bhmet", "must not have invisible characters (U+200B)"),
        (
            "Me\u202ehmet",
            "must not have characters that turn the reading direction (U+202E and its like)",
        ),
    ],
)
def test_a_name_that_deceives_is_an_error_of_its_row(organization: Organization, name: str, message: str) -> None:
    in_json = _import(organization, [_row(1, lastName=name), _row(2)])
    in_csv = _import_csv(organization, f"{HEADER}Jo 3,{name},+49 151 0000003\r\nJo 4,Weber,+49 151 0000004\r\n")
    for answer in (in_json, in_csv):
        assert _results(answer) == ["error", "created"]
        assert (answer.data["rows"][0]["field"], answer.data["rows"][0]["message"]) == ("lastName", message)


def test_a_dry_run_is_asked_for_as_documented_whatever_the_body_is(organization: Organization) -> None:
    in_query = organization.owner.call("importWorkers", body={"rows": [_row(1)]}, query={"dryRun": "true"})
    in_body = _import(organization, [_row(1)], dryRun=True)
    of_csv = _import_csv(organization, f"{HEADER}Jo 1,Weber,+49 151 0000001\r\n", dryRun="true")
    assert in_query.data == in_body.data == of_csv.data
    assert in_query.data["dryRun"] is True
    assert _workers(organization) == []


def test_an_imported_worker_is_as_one_created_alone(organization: Organization) -> None:
    worker = {"id": _import(organization, [_row(1)]).data["rows"][0]["workerId"]}
    taken = organization.owner.call("createWorker", body=_row(1))
    assert (taken.status, taken.code) == (409, "DUPLICATE_ENTRY")
    assert organization.owner.call("updateWorker", path=worker, body={"phone": "+49 151 7777777"}).status == 200
    assert organization.owner.call("deleteWorker", path=worker).status == 200


def test_no_rows_are_nothing_to_do(organization: Organization) -> None:
    assert _import(organization, []).data == {"created": 0, "duplicates": 0, "errors": 0, "dryRun": False, "rows": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "rows"),
        ({"rows": None}, "rows"),
        ({"rows": {"0": {}}}, "rows"),
        ({"rows": [], "dryRun": "true"}, "dryRun"),
        ({"rows": [{}] * 1001}, "rows"),
    ],
)
def test_a_body_that_is_no_import_is_refused(settled: Organization, body: dict[str, Any], field: str) -> None:
    answer = settled.owner.call("importWorkers", body=body)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert [*answer.error["details"]["fieldErrors"]] == [field]


def test_the_results_of_a_thousand_rows_fit_what_is_stored(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given as many rows as there may be, with results as long as there are
    monkeypatch.setattr(importing, "_PART_ROWS", 500)
    rows = [{**_row(1, phone="x"), "é" * 150: 1}] * 1000
    # When they are imported twice with one key
    first, again = _import(organization, rows, "k"), _import(organization, rows, "k")
    # Then the second answer is the stored first
    assert _results(first) == ["error"] * 1000
    assert (again.is_replay, again.text) == (True, first.text)


# -- CSV -------------------------------------------------------------------------------------------------------------


def test_a_file_is_read_as_the_same_rows_in_json_would_be(organization: Organization) -> None:
    # Given a file and the same rows in JSON
    text = "Phone;lastName;FIRSTNAME\n'+49 151 0000001;Weber;Jo 1\n\n0;Weber;Jo\n"
    rehearsed = _import(organization, [_row(1), _row(2, firstName="Jo", phone="0")], dryRun=True)
    # When both are rehearsed
    answer = _import_csv(organization, text, dryRun="true")
    # Then their answers are equal
    assert answer.data == rehearsed.data
    assert _results(_import_csv(organization, text)) == ["created", "error"]
    assert _workers(organization)[0]["phone"] == "+49 151 0000001"


@pytest.mark.parametrize(
    "text",
    [
        "First Name,Last Name,Phone\r\nJo 1,Weber,030/901820\r\nJo 2,Weber,030.901821\r\n",
        "\ufefffirst_name;LAST-NAME;Phone\rJo 1;Weber;030 / 901820\rJo 2;Weber;030.90.18.21\r",
        "phone\tfirstname\tlastname\n030/901820\tJo 1\tWeber\n030/90-18-21\tJo 2\tWeber\n",
    ],
    ids=["commas", "semicolons, a byte order mark and CR", "tabs"],
)
def test_a_file_is_read_as_people_write_it(organization: Organization, text: str) -> None:
    organization.owner.call("updateOrganization", body={"region": "DE"})
    assert _results(_import_csv(organization, text)) == ["created", "created"]
    workers = {worker["firstName"]: worker["phone"] for worker in _workers(organization)}
    assert workers["Jo 1"] == "030 901820"
    # As a form does: one number, however it is written
    taken = organization.owner.call("createWorker", body=_row(3, phone="+49 30 901821"))
    assert taken.code == "DUPLICATE_ENTRY"
    refused = organization.owner.call("createWorker", body=_row(3, phone="030/901822"))
    assert refused.error["details"]["fieldErrors"]["phone"][0].endswith("; did you mean 030 901822?")


def test_two_numbers_in_one_cell_are_an_error_on_their_field(organization: Organization) -> None:
    answer = _import_csv(organization, HEADER + "Jo,Weber,030 901820 / 030 901821\nJo,Weber,4915123456789.0\n")
    assert [(row["row"], row["field"]) for row in answer.data["rows"]] == [(1, "phone"), (2, "phone")]
    assert answer.data["errors"] == 2


def test_a_file_and_the_same_rows_in_json_are_one_request(organization: Organization) -> None:
    first = _import_csv(organization, HEADER + "Jo 1,Weber,+49 151 0000001\r\n", "k")
    again = _import(organization, [_row(1)], "k")
    assert (again.is_replay, again.data) == (True, first.data)


def test_rows_with_too_few_or_too_many_cells_are_errors_of_their_own(organization: Organization) -> None:
    answer = _import_csv(organization, HEADER + "Jo,Weber\nJo 2,Weber,+49 151 0000002\nJo,Weber,+49 151 3,4\n,,\n")
    assert _results(answer) == ["error", "created", "error", "error"]
    assert [row["message"] for row in answer.data["rows"]][0::2] == [
        "has 2 cells where the header has 3",
        "has 4 cells where the header has 3",
    ]


def test_a_file_that_was_mended_is_another_input(organization: Organization) -> None:
    _import_csv(organization, HEADER + "Jo,Weber\n", "k")
    answer = _import_csv(organization, HEADER + "Jo,Weber,\n", "k")
    assert (answer.status, answer.code) == (422, "IDEMPOTENCY_MISMATCH")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "body"),
        ("firstName,lastName\nJo,Weber\n", "phone"),
        (HEADER + "Jo,Weber,1\n" * 1001, "body"),
    ],
)
def test_a_file_that_is_no_import_is_refused(settled: Organization, text: str, field: str) -> None:
    answer = _import_csv(settled, text)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert [*answer.error["details"]["fieldErrors"]] == [field]


# -- dry run ---------------------------------------------------------------------------------------------------------


def test_a_dry_run_answers_the_same_and_does_nothing(organization: Organization) -> None:
    # Given a worker, and rows of each result
    _import(organization, [_row(1)])
    before = _workers(organization), _entries(organization)
    rows = [_row(1), _row(2), _row(2), _row(3, phone="")]
    # When they are rehearsed
    rehearsed = _import(organization, rows, "rehearsal", dryRun=True)
    # Then nothing has changed
    assert (_workers(organization), _entries(organization)) == before
    # And the import has the same results
    done = _import(organization, rows)
    assert rehearsed.data["dryRun"] is True
    assert _results(rehearsed) == _results(done) == ["duplicate", "created", "duplicate", "error"]
    without_ids = [{**row, "workerId": None} for row in done.data["rows"][1:]]
    assert rehearsed.data["rows"] == [done.data["rows"][0], *without_ids]


def test_a_key_of_a_dry_run_is_not_one_for_the_import(organization: Organization) -> None:
    # Given a dry run with a key
    _import(organization, [_row(1)], "k", dryRun=True)
    # When the import is sent with it
    answer = _import(organization, [_row(1)], "k")
    # Then it is refused, and the key is still the dry run's
    assert (answer.status, answer.code) == (422, "IDEMPOTENCY_MISMATCH")
    assert _workers(organization) == []
    assert _import(organization, [_row(1)], "k", dryRun=True).is_replay


# -- audit -----------------------------------------------------------------------------------------------------------


def test_each_worker_has_an_entry_and_the_import_has_one(organization: Organization) -> None:
    # When rows of each result are imported
    answer = _import(organization, [_row(1), _row(3), _row(1), _row(2, phone="x")])
    # Then the import has an entry with the counts
    last, *others = _entries(organization)

    assert (last["action"], last["entityType"], last["entityId"]) == (
        "WORKERS_IMPORTED",
        "organization",
        str(organization.id),
    )
    assert {name: change["after"] for name, change in last["changes"].items()} == {
        "created": 2,
        "duplicates": 1,
        "errors": 1,
    }
    # And each worker that was created has one, of the same request
    made = [(entry["action"], entry["entityType"], entry["entityId"]) for entry in others]
    rows = answer.data["rows"]
    assert made == [("WORKER_CREATED", "worker", rows[at]["workerId"]) for at in (1, 0)]
    assert {entry["requestId"] for entry in (last, *others)} == {answer.headers["X-Request-Id"]}


# -- concurrent writers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["k", None])
def test_a_phone_taken_in_between_is_a_duplicate(organization: Organization, key: str | None) -> None:
    with overtaken(lambda: organization.owner.call("createWorker", body=_row(2))) as overtaking:
        answer = _import(organization, [_row(1), _row(2), _row(3)], key)
    assert _results(answer) == ["created", "duplicate", "created"]
    assert answer.data["rows"][1]["workerId"] == overtaking[0].data["id"]
    assert len(_workers(organization)) == 3


def test_a_repetition_that_overtakes_does_it_all(organization: Organization) -> None:
    rows = [_row(number) for number in range(1, 6)]
    with overtaken(lambda: _import(organization, rows, "k")) as overtaking:
        late = _import(organization, rows, "k")
    assert _results(overtaking[0]) == ["created"] * 5
    assert (late.is_replay, late.text) == (True, overtaking[0].text)
    assert len(_workers(organization)) == 5


def test_another_input_that_overtakes_has_the_key_to_itself(organization: Organization) -> None:
    with overtaken(lambda: _import(organization, [_row(9)], "k")) as overtaking:
        late = _import(organization, [_row(number) for number in range(1, 6)], "k")
    assert _results(overtaking[0]) == ["created"]
    assert (late.status, late.code) == (422, "IDEMPOTENCY_MISMATCH")
    assert len(_workers(organization)) == 1
