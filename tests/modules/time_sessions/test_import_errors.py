"""Faults of imported rows: each is the result of its row, on its column, and hinders no other row."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.models.users import Role
from tests.support.factories import Member, Organization
from tests.support.project_helpers import new_project
from tests.support.staffing import new_client
from tests.support.time_helpers import NOON, tracked
from tests.support.time_imports import CLOCKIFY_HEADER, errors, harvest, results, send, sessions_of, toggl

BERLIN = {"timezone": "Europe/Berlin"}


pytestmark = pytest.mark.usefixtures("_noon")


def _toggl_row(**cells: str) -> str:
    """Return a good row, with other cells in some columns."""
    row = {
        "User": "",
        "Email": "",
        "Client": "",
        "Project": "",
        "Task": "",
        "Description": "fine",
        "Billable": "No",
        "Start date": "2026-06-01",
        "Start time": "09:00:00",
        "End date": "2026-06-01",
        "End time": "10:00:00",
        "Duration": "01:00:00",
        "Tags": "",
        "Amount (EUR)": "",
        **{name.replace("_", " "): value for name, value in cells.items()},
    }
    return ",".join('"{}"'.format(cell.replace('"', '""')) for cell in row.values())


# -- thirty-odd faults -------------------------------------------------------------------------------------------------

INVALID, ORDER, ABSENT = "VALIDATION_ERROR", "INVALID_DATE_RANGE", "NOT_FOUND"

FAULTS: list[tuple[str, dict[str, str], str, str]] = [
    ("no date", {"Start date": ""}, INVALID, "Start date"),
    ("a date of another order", {"Start date": "01/06/2026"}, INVALID, "Start date"),
    ("a day that there is not", {"Start date": "2026-02-30"}, INVALID, "Start date"),
    ("a month that there is not", {"Start date": "2026-13-01"}, INVALID, "Start date"),
    ("a date of two digits", {"Start date": "26-06-01"}, INVALID, "Start date"),
    ("a year that nobody means", {"Start date": "0026-06-01"}, INVALID, "Start date"),
    ("no start", {"Start time": ""}, INVALID, "Start time"),
    ("an hour that there is not", {"Start time": "24:00:00"}, INVALID, "Start time"),
    ("a minute that there is not", {"Start time": "09:60"}, INVALID, "Start time"),
    ("thirteen o'clock in the afternoon", {"Start time": "13:00 PM"}, INVALID, "Start time"),
    ("a zero hour before noon", {"Start time": "0:30 AM"}, INVALID, "Start time"),
    ("a time in words", {"Start time": "nine"}, INVALID, "Start time"),
    ("digits of another script", {"Start time": "٠٩:٠٠"}, INVALID, "Start time"),
    ("an end that there is not", {"End time": "25:00"}, INVALID, "End time"),
    ("an end before the start", {"End time": "08:59:59"}, ORDER, "End time"),
    ("an end at the start", {"End time": "09:00:00"}, ORDER, "End time"),
    ("an end on another day, in words", {"End date": "tomorrow"}, INVALID, "End date"),
    ("more than a day", {"End date": "2026-06-02"}, INVALID, "End time"),
    ("no end and no duration", {"End time": "", "Duration": ""}, INVALID, "End time"),
    ("a duration in words", {"Duration": "an hour"}, INVALID, "Duration"),
    ("a negative duration", {"Duration": "-01:00:00"}, INVALID, "Duration"),
    ("a duration of 90 minutes past the hour", {"Duration": "1:90:00"}, INVALID, "Duration"),
    ("no duration, and no end", {"End time": "", "Duration": "00:00:00"}, ORDER, "Duration"),
    ("time that is ahead", {"Start date": "2026-06-17", "End date": "2026-06-17"}, INVALID, "End time"),
    ("billable or not", {"Billable": "perhaps"}, INVALID, "Billable"),
    ("a description that is too long", {"Description": "x" * 2001}, INVALID, "Description"),
    ("a description with a control character", {"Description": "a\x07b"}, INVALID, "Description"),
    ("eleven tags", {"Tags": ",".join(map(str, range(11)))}, INVALID, "Tags"),
    ("a tag that is too long", {"Tags": "x" * 51}, INVALID, "Tags"),
    ("a tag that cannot be seen", {"Tags": "\u200b"}, INVALID, "Tags"),
    ("a tag that nobody has used", {"Tags": "neu"}, ABSENT, "Tags"),
    ("a project that there is not", {"Project": "nobody's"}, ABSENT, "Project"),
    ("an archived project", {"Project": "Archiv"}, ABSENT, "Project"),
    ("a project's name that is too long", {"Project": "x" * 121}, INVALID, "Project"),
    ("a task that there is not", {"Project": "Umzug", "Task": "nobody's"}, ABSENT, "Task"),
    ("a task without a project", {"Task": "Abbau"}, INVALID, "Task"),
    ("a client without a project", {"Client": "Hansekontor"}, INVALID, "Client"),
    ("a client that there is not", {"Project": "Umzug", "Client": "nobody"}, ABSENT, "Client"),
    ("the client of another project", {"Project": "Umzug", "Client": "Speicherstadt"}, INVALID, "Client"),
    ("a user whom nobody knows", {"Email": "nobody@example.com"}, ABSENT, "Email"),
    ("a user who is deactivated", {"Email": "deactivated"}, ABSENT, "Email"),
    ("a name that nobody has", {"User": "Nobody Known"}, ABSENT, "User"),
]


def test_each_fault_is_told_on_its_row_and_column(me: Member, organization: Organization) -> None:
    # Given projects, and a user who is deactivated
    client = new_client(me, name="Hansekontor")["id"]
    new_client(me, name="Speicherstadt")
    new_project(me, name="Umzug", clientId=client)
    new_project(me, name="Archiv", status="ARCHIVED")
    gone = organization.enrol(Role.MEMBER)
    assert me.call("deactivateUser", path={"userId": gone.user.id}).status == 200
    rows: list[str] = []
    for number, (_, cells, _, _) in enumerate(FAULTS):
        known = {name: cell.replace("deactivated", gone.user.email) for name, cell in cells.items()}
        rows += [_toggl_row(**known), _toggl_row(Description=f"fine {number}")]

    answer = send(me, toggl(*rows), **BERLIN)

    # Then every other row is an error, and the rest is imported
    assert results(answer) == ["error", "created"] * len(FAULTS)
    reported = [errors(answer)[number][:2] for number in range(1, 2 * len(FAULTS), 2)]
    assert dict(zip([name for name, *_ in FAULTS], reported, strict=True)) == {
        name: (code, column) for name, _, code, column in FAULTS
    }
    assert len(sessions_of(me)) == len(FAULTS)
    assert not any("startAt" in message or "endAt" in message for _, _, message in errors(answer).values())


def test_rows_that_are_none(me: Member) -> None:
    rows = [1, None, [], {"date": "2026-06-01"}, {"date": "2026-06-01", "start": "9:00", "hours": 1, "x" * 500: 1}]
    good = {"date": "2026-06-01", "start": "9:00", "hours": 1}
    more = [{**good, "email": []}, {**good, "tags": [1]}, {**good, "seconds": "x"}, {**good, "pauses": "noon"}]
    instants = [{"startUtc": "2026-06-01 09:00", "endUtc": "x"}, {"startUtc": "2026-06-01T09:00:00Z", "endUtc": "x"}]
    answer = me.post("importTimeSessions", rows=[*rows, *more, *instants, good])
    assert results(answer) == ["error"] * 11 + ["created"]
    assert [errors(answer)[number][1:] for number in range(1, 12)] == [
        (None, "must be an object"),
        (None, "must be an object"),
        (None, "must be an object"),
        ("start", "is required"),
        (None, "has a column that this format has not"),
        ("email", "must be a text"),
        ("tags", "must be a text"),
        ("seconds", "must be a whole number of seconds"),
        ("pauses", "must be intervals separated by blanks, such as 2026-03-02T12:00:00Z/2026-03-02T12:30:00Z"),
        ("startUtc", "must be an ISO 8601 date-time with an offset"),
        ("endUtc", "must be an ISO 8601 date-time with an offset"),
    ]


@pytest.mark.parametrize(
    ("pauses", "message"),
    [
        ("T09:30:00Z/T09:30:00Z", "must end after they start"),
        ("T08:30:00Z/T09:30:00Z", "must not be before the session's startUtc"),
        ("T09:30:00Z/T10:30:00Z", "must not be after the session's endUtc"),
        ("T09:30:00Z/T09:40:00Z T09:40:00Z/T09:50:00Z", "must be after the pause before it"),
        ("T09:00:00Z/T10:00:00Z", "must leave at least one second"),
        ("T09:30:00Z", "must be intervals separated by blanks, such as 2026-03-02T12:00:00Z/2026-03-02T12:30:00Z"),
    ],
)
def test_pauses_are_checked(me: Member, pauses: str, message: str) -> None:
    row = {"startUtc": "2026-06-01T09:00:00Z", "endUtc": "2026-06-01T10:00:00Z"}
    answer = me.post("importTimeSessions", rows=[{**row, "pauses": pauses.replace("T", "2026-06-01T")}])
    assert errors(answer) == {1: (INVALID, "pauses", message)}


def test_rows_of_centuries_are_refused_at_once(me: Member) -> None:
    """Given rows that last for centuries or lie in none, then nothing is read for them."""
    long = {"startUtc": "1900-01-01T00:00:00Z", "endUtc": "2199-12-31T00:00:00Z"}
    out = {"startUtc": "0001-01-01T00:00:00Z", "endUtc": "0001-01-01T01:00:00Z"}
    answer = me.post("importTimeSessions", rows=[long, out] * 500, createMissing=True)
    assert {(code, field) for code, field, _ in errors(answer).values()} == {(INVALID, "endUtc"), (INVALID, "startUtc")}
    reads = [call for call in answer.recording.calls if call.operation == "BatchGetItem"]
    assert len(reads) <= 1 + 2 * 500 // 20


@pytest.mark.parametrize(
    ("text", "format_", "fields"),
    [
        ("", "TOGGL", {"body": ["has no header line"]}),
        ("Start date\n2026-06-01\n", "TOGGL", {name: ["is a missing column"] for name in ("Start time", "End time")}),
        ("Start date,START TIME,End time,start date\n", "TOGGL", {"Start date": ["is more than one column"]}),
        ("Date,Notes\n", "HARVEST", {"Hours": ["is a missing column"]}),
        ("date,start,end,projct\n", "GENERIC", {"projct": ["is not a column of this file"]}),
        ("date,start,end,\n", "GENERIC", {"body": ["has a column without a name"]}),
        (CLOCKIFY_HEADER + '\r\n"a', "CLOCKIFY", {"body": ["line 2: a quote is opened and never closed"]}),
        ("date,start,end\n" + "2026-06-01,9:00,10:00\n" * 1001, "GENERIC", {"body": ["holds more than 1000 rows"]}),
    ],
)
def test_a_file_of_another_form_is_refused(me: Member, text: str, format_: str, fields: dict[str, Any]) -> None:
    answer = send(me, text, format_)
    assert (answer.status, answer.error["details"]["fieldErrors"]) == (400, fields)


@pytest.mark.parametrize(
    "options", [{"format": "SHEET"}, {"timezone": "Mars/Base"}, {"dateFormat": "YYYY"}, {"createMissing": "1"}]
)
def test_options_are_checked(me: Member, options: dict[str, str]) -> None:
    answer = me.call("importTimeSessions", headers={"Content-Type": "text/csv"}, body=b"date\n", query=options)
    assert (answer.status, [*answer.error["details"]["fieldErrors"]]) == (400, [*options])


def test_a_column_is_named_as_in_the_file(me: Member) -> None:
    answer = send(me, "START DATE; Start Time ;stop time\n2026-06-01;09:00;morning\n", "TOGGL")
    assert errors(answer)[1][1] == "stop time"


# -- dates and times ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date_format", "day"),
    [
        ("YYYY-MM-DD", "2026-06-02"),
        ("DD/MM/YYYY", "02/06/2026"),
        ("DD.MM.YYYY", "2.6.2026"),
        ("MM/DD/YYYY", "6/2/2026"),
        ("MM-DD-YYYY", "06-02-2026"),
    ],
)
def test_dates_have_the_order_that_the_request_names(me: Member, date_format: str, day: str) -> None:
    text = f"date,start,hours\n{day},12:00 AM,0:30\n"
    assert results(send(me, text, "GENERIC", dateFormat=date_format, timezone="UTC")) == ["created"]
    assert [session["startAt"] for session in sessions_of(me)] == ["2026-06-02T00:00:00.000Z"]


def test_a_night_in_which_clocks_are_put_forward(me: Member) -> None:
    """29 March 2026 in Berlin: 02:00 is 03:00."""
    answer = send(
        me,
        toggl(
            _toggl_row(**_night("2026-03-29", "02:30:00", "03:30:00")),
            _toggl_row(**_night("2026-03-29", "01:30:00", "02:15:00")),
            _toggl_row(**_night("2026-03-29", "01:30:00", "03:30:00")),
            _toggl_row(**{**_night("2026-03-29", "01:30:00", ""), "Duration": "02:00:00"}),
        ),
        **BERLIN,
    )
    assert results(answer) == ["error", "error", "created", "created"]
    assert [errors(answer)[number][:2] for number in (1, 2)] == [(INVALID, "Start time"), (INVALID, "End time")]
    assert [session["durationSeconds"] for session in sessions_of(me)] == [3600, 7200]


def test_a_night_in_which_clocks_are_put_back(me: Member) -> None:
    """25 October 2026 in Berlin: 02:00 to 03:00 comes twice."""
    nights = [("02:30:00", "02:45:00"), ("01:30:00", "02:30:00"), ("02:30:00", "03:30:00"), ("02:45:00", "02:15:00")]
    exact = [("01:30:00", "02:30:00", "02:00:00"), ("02:30:00", "03:30:00", "01:00:00")]
    rows = [_toggl_row(**{**_night("2025-10-26", start, end), "Duration": ""}) for start, end in nights]
    rows += [_toggl_row(**{**_night("2025-10-26", start, end), "Duration": lasts}) for start, end, lasts in exact]

    answer = send(me, toggl(*rows), **BERLIN)

    assert results(answer) == ["created"] * 6
    lasting = {session["id"]: session["durationSeconds"] for session in sessions_of(me)}
    warned = [
        [(warning["field"], warning["message"].split()[-3]) for warning in row["warnings"] if "field" in warning]
        for row in answer.data["rows"]
    ]
    assert [lasting[row["sessionId"]] for row in answer.data["rows"]] == [900, 3600, 7200, 1800, 7200, 3600]
    assert warned == [
        [("Start time", "first"), ("End time", "first")],
        [("End time", "first")],
        [("Start time", "first")],
        [("Start time", "first"), ("End time", "second")],
        # The duration says which.
        [("End time", "second")],
        [("Start time", "second")],
    ]


def _night(day: str, start: str, end: str) -> dict[str, str]:
    return {"Start date": day, "Start time": start, "End date": day, "End time": end, "Duration": ""}


def test_hours_that_end_the_next_day(me: Member) -> None:
    answer = send(me, "date,start,end\n2026-06-01,22:00,01:30\n", "GENERIC", timezone="UTC")
    assert results(answer) == ["created"]
    assert sessions_of(me)[0]["durationSeconds"] == 3.5 * 3600


def test_hours_that_are_no_hours(me: Member) -> None:
    tail = ",,,Test,Owner,,,,,,,,"
    answer = send(
        me, harvest(*(f"2026-06-01,,,,,x,{hours},Yes{tail}" for hours in ("0", "", "-1", "25", '"1,5"'))), "HARVEST"
    )
    assert results(answer) == ["error"] * 4 + ["created"]
    assert {column for _, column, _ in errors(answer).values()} == {"Hours"}
    assert sessions_of(me)[0]["startAt"] == "2026-06-01T09:00:00.000Z"


def test_a_break_is_no_time(me: Member) -> None:
    header = "Start Date,Start Time,End Date,End Time,Type\n"
    text = header + "06/01/2026,9:00 AM,06/01/2026,9:30 AM,Break\n06/01/2026,9:30 AM,06/01/2026,10:00 AM,Regular\n"
    answer = send(me, text, "CLOCKIFY")
    assert (results(answer), errors(answer)[1][1]) == (["error", "created"], "Type")


# -- locks -------------------------------------------------------------------------------------------------------------


def test_locked_time_is_an_error_of_its_row(me: Member) -> None:
    """Given a submitted week and a lock before it, then rows in both say who locked them until when."""
    week = {"userId": me.user.id, "weekStart": "2026-06-01"}
    tracked(me, -14 * 24 * 60, -14 * 24 * 60 + 30)
    me.call("updateOrganization", body={"timezone": "Europe/Berlin"})
    assert me.call("submitTimesheet", path=week).status == 200
    assert me.post("lockTimesheet", before="2026-05-04").status == 200
    days = ("2026-05-03", "2026-05-04", "2026-06-01", "2026-06-08")
    rows = [_toggl_row(**{"Start date": day, "End date": day}) for day in days]

    predicted, answer = (send(me, toggl(*rows), dryRun=dry_run) for dry_run in (True, False))

    assert results(predicted) == results(answer) == ["error", "created", "error", "created"]
    assert [
        [row.get(name) for name in ("code", "field", "lockedBy", "lockedUntil")]
        for row in answer.data["rows"]
        if row["result"] == "error"
    ] == [
        [INVALID, "Start date", "LOCK", "2026-05-03T22:00:00.000Z"],
        [INVALID, "Start date", "SUBMITTED", "2026-06-07T22:00:00.000Z"],
    ]


# -- overlaps ----------------------------------------------------------------------------------------------------------


def test_overlaps_are_warnings(me: Member) -> None:
    """Given a session and a running timer, then rows warn about them, and about earlier rows."""
    other = tracked(me, -120, -60)["id"]
    timer = me.post("startTimer", startAt="2026-06-15T11:30:00Z").data["timer"]["id"]
    assert NOON.hour == 12
    lines = ["10:30,10:45", "10:40,11:20", "11:40,11:50", "09:00,10:00", "09:59,11:01"]
    text = "date,start,end\n" + "".join(f"2026-06-15,{line}\n" for line in lines)

    answer = send(me, text, "GENERIC", timezone="UTC")

    assert results(answer) == ["created"] * 5
    assert [
        [(warning["code"], warning.get("sessionIds"), warning.get("rows")) for warning in row["warnings"]]
        for row in answer.data["rows"]
    ] == [
        [("OVERLAP", [other], [5])],
        [("OVERLAP", [other], [1, 5])],
        [("OVERLAP", [timer], None)],
        [],
        [("OVERLAP", [other], [4])],
    ]


# -- limits of a user --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("limit", "value"),
    [("chalicelib.models.time.packed_months.MAX_BYTES", 30), ("chalicelib.models.time.accounts.MAX_TAGS", 3)],
)
def test_rows_beyond_the_limits_of_a_user_are_errors(
    me: Member,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    value: int,
    dry_run: bool,  # noqa: FBT001  drawn, not called
) -> None:
    monkeypatch.setattr(limit, value)
    is_tags = limit.endswith("TAGS")
    rows = [
        {"date": "2026-06-01", "start": f"{hour:02}:00", "hours": 1, "tags": f"tag {hour}" if is_tags else ""}
        for hour in range(4)
    ]
    answer = me.post(
        "importTimeSessions", rows=[*rows, {**rows[0], "date": "2026-05-01"}], createMissing=True, dryRun=dry_run
    )
    assert results(answer) == ["created", "created", "created", "error", "created"]
    assert errors(answer)[4][:2] == (INVALID, None)
