"""Files of tracked time as other products export them, and imports of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.support.api import Answer
from tests.support.factories import Member

TOGGL_HEADER = (
    "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags,"
    "Amount (EUR)"
)
CLOCKIFY_HEADER = (
    '"Project","Client","Description","Task","User","Group","Email","Tags","Billable","Start Date","Start Time",'
    '"End Date","End Time","Duration (h)","Duration (decimal)","Billable Rate (EUR)","Billable Amount (EUR)"'
)
HARVEST_HEADER = (
    "Date,Client,Project,Project Code,Task,Notes,Hours,Billable?,Invoiced?,Approved?,First Name,Last Name,Roles,"
    "Employee?,Billable Rate,Billable Amount,Cost Rate,Cost Amount,Currency,External Reference URL"
)


def toggl(*rows: str) -> str:
    """Return a file as Toggl exports it, with a byte order mark."""
    return "\ufeff" + "\n".join([TOGGL_HEADER, *rows]) + "\n"


def clockify(*rows: str) -> str:
    return "\r\n".join([CLOCKIFY_HEADER, *rows]) + "\r\n"


def harvest(*rows: str) -> str:
    return "\n".join([HARVEST_HEADER, *rows]) + "\n"


def toggl_file(member: Member) -> str:
    """Return a file with two projects of one client, a task, tags, and two equal rows."""
    who = f"{member.user.full_name},{member.user.email}"
    return toggl(
        f'{who},Hansekontor,Umzug,Abbau,"Regale, Block C",Yes,2026-06-01,08:00:00,2026-06-01,10:30:00,02:30:00,'
        '"Kunde, Halle 3",195.00',
        f"{who},Hansekontor,UMZUG,,Fahrt,No,2026-06-01,10:30:00,2026-06-01,11:00:00,00:30:00,kunde,",
        f"{who},Hansekontor,Portal,,,No,2026-06-01,23:30:00,2026-06-02,00:15:00,00:45:00,,",
        f"{who},,,,Anruf,No,2026-06-02,09:00:00,2026-06-02,09:05:00,00:05:00,,",
        f"{who},,,,Anruf,No,2026-06-02,09:00:00,2026-06-02,09:05:00,00:05:00,,",
    )


def clockify_file(member: Member) -> str:
    who = f'"{member.user.full_name}","","{member.user.email}"'
    return clockify(
        f'"Umzug","Hansekontor","Regale","Abbau",{who},"Kunde, Halle 3","Yes","06/01/2026","08:00:00 AM",'
        '"06/01/2026","12:15:00 PM","04:15:00","4.25","78.00","331.50"',
        f'"Portal","","zwei\nZeilen","",{who},"","No","06/01/2026","01:00 PM","06/01/2026","1:30 pm",'
        '"0:30","0.50","0.00","0.00"',
    )


def harvest_file(member: Member) -> str:
    first, last = member.user.first_name, member.user.last_name
    who = f"No,No,{first},{last},,Yes,78.0,0.0,0.0,0.0,Euro - EUR,"
    return harvest(
        f'2026-06-01,Hansekontor,Umzug,HK-1,Abbau,"Regale, Block C",2.5,Yes,{who}',
        f'2026-06-01,Hansekontor,Umzug,HK-1,Fahrt,,"0,75",No,{who}',
        f"2026-06-02,Hansekontor,Portal,,Entwurf,,8,Yes,{who}",
        f"2026-06-01,Hansekontor,Umzug,HK-1,Abbau,,1.25,Yes,{who}",
    )


def send(member: Member, text: str, format_: str = "TOGGL", key: str | None = None, **query: Any) -> Answer:
    """Import a file."""
    options = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
    return member.call(
        "importTimeSessions",
        key=key,
        headers={"Content-Type": "text/csv"},
        body=text.encode(),
        query={"format": format_, **options},
    )


def results(answer: Answer) -> list[str]:
    """Return the result of each row, once the counts agree with them."""
    assert answer.status == 200, answer.text
    rows = answer.data["rows"]
    assert [row["row"] for row in rows] == [*range(1, len(rows) + 1)]
    counts = Counter(row["result"] for row in rows)
    assert {"created": answer.data["created"], "duplicate": answer.data["duplicates"]} == {
        name: counts[name] for name in ("created", "duplicate")
    }
    assert answer.data["errors"] == counts["error"]
    return [row["result"] for row in rows]


def errors(answer: Answer) -> dict[int, tuple[str, str | None, str]]:
    """Return code, column and message of the rows that are errors."""
    return {
        row["row"]: (row["code"], row.get("field"), row["message"])
        for row in answer.data["rows"]
        if row["result"] == "error"
    }


def sessions_of(member: Member, **query: Any) -> list[dict[str, Any]]:
    """Return all sessions that a member sees, oldest first."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = member.call("listTimeSessions", query={"limit": 100, **query, **cursor}).data
        items += page["items"]
        if page["nextCursor"] is None:
            return sorted(items, key=lambda session: (session["startAt"], session["id"]))
        cursor = {"cursor": page["nextCursor"]}
