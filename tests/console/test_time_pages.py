"""Time sessions in the console: their pauses, many at once, files of them, and locks."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.browser import ADMIN, COORDINATOR, NEEDS_BROWSER, OWNER, Console, Tab

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER

ZONE = ZoneInfo("Europe/Berlin")


def _day(ago: int) -> str:
    return str((datetime.now(ZONE) - timedelta(days=ago)).date())


def _session(console: Console, day: str, start: str, end: str, description: str) -> str:
    local = {
        name: datetime.fromisoformat(f"{day}T{hour}").replace(tzinfo=ZONE).isoformat()
        for name, hour in (("startAt", start), ("endAt", end))
    }
    return str(console.serving.owner().post("/time-sessions", description=description, **local)["id"])


def _more(tab: Tab, menu: str, item: str) -> None:
    tab.page.get_by_role("button", name=menu, exact=True).click()
    tab.page.get_by_role("menuitem", name=item, exact=True).click()


def test_a_running_timer_is_changed(console: Console) -> None:
    admin = console.serving.api(console.token(ADMIN))
    started = admin.post("/timer/start", description="Angebot", tags=["Büro"])["timer"]
    with console.tab(ADMIN) as tab:
        _more(tab, "More about the timer", "Change")
        sync_api.expect(tab.page.locator("[name=tags]")).to_have_value("Büro")
        tab.fill(description="Angebot für die Messe", startAt="2031-01-01T08:00")
        tab.press("Save")
        tab.page.locator(".field-error").wait_for()
        tab.problems.clear()
        earlier = datetime.fromisoformat(started["startAt"]).astimezone(ZONE) - timedelta(minutes=30)
        tab.fill(startAt=f"{earlier:%Y-%m-%dT%H:%M}", tags="Büro, Messe")
        assert tab.findings() == []
        tab.press("Save")
        tab.toast("The timer is changed")
        sync_api.expect(tab.page.locator(".timer-text")).to_contain_text("Angebot für die Messe")
        stored = admin.get("/timer")["timer"]
        assert (stored["tags"], stored["startAt"][:16]) == (
            ["Büro", "Messe"],
            f"{earlier.astimezone(ZoneInfo('UTC')):%Y-%m-%dT%H:%M}",
        )
        # What the input does not show stays: the seconds of the start.
        _more(tab, "More about the timer", "Change")
        tab.fill(description="Messe")
        tab.press("Save")
        sync_api.expect(tab.page.locator(".timer-text")).to_contain_text("Messe")
        tab.settle()
        assert admin.get("/timer")["timer"]["startAt"] == stored["startAt"]
        _more(tab, "More about the timer", "Discard")
        tab.press("Discard")
        tab.page.get_by_role("button", name="Start timer").wait_for()


def test_a_session_has_pauses(console: Console) -> None:
    day = _day(1)
    with console.tab(OWNER) as tab:
        tab.go("/time")
        tab.press("Record time")
        tab.fill(description="Inventur", startAt=f"{day}T08:00", endAt=f"{day}T12:00")
        tab.press("Add a pause")
        tab.page.get_by_label("Pause 1 from").fill(f"{day}T09:00")
        tab.page.get_by_label("Pause 1 to").fill(f"{day}T07:00")
        tab.press("Record")
        tab.page.locator("fieldset .field-error").wait_for()
        tab.problems.clear()
        tab.page.get_by_label("Pause 1 to").fill(f"{day}T09:30")
        assert tab.findings() == []
        tab.picture("time-pauses")
        tab.press("Record")
        tab.toast("3:30 recorded")
        row = tab.page.get_by_role("row", name="Inventur")
        sync_api.expect(row).to_contain_text("3:30")
        row.get_by_role("button", name="Change Inventur").click()
        tab.page.get_by_role("menuitem", name="Edit").click()
        sync_api.expect(tab.page.get_by_label("Pause 1 from")).to_have_value(f"{day}T09:00")
        tab.press("Remove pause 1")
        tab.press("Save")
        tab.toast("4:00 saved")


def test_many_sessions_are_changed_and_deleted_at_once(console: Console) -> None:
    day = _day(2)
    ids = [_session(console, day, f"{hour:02}:00", f"{hour:02}:40", f"Gang {hour}") for hour in (5, 6, 7)]
    with console.tab(OWNER) as tab:
        tab.go(f"/time?from={day}&to={day}")
        assert tab.page.get_by_role("region", name="Chosen time").count() == 0
        for name in ("Gang 5", "Gang 6"):
            tab.page.get_by_role("row", name=name).get_by_role("checkbox").check()
        bar = tab.page.get_by_role("region", name="Chosen time")
        sync_api.expect(bar).to_contain_text("2 sessions chosen")
        bar.get_by_role("button", name="Change").click()
        tab.fill(tags="Rundgang")
        tab.page.locator("dialog [name=billable]").select_option("true")
        assert tab.findings() == []
        tab.page.locator("dialog").get_by_role("button", name="Change").click()
        tab.toast("2 sessions changed")
        rows = [console.serving.owner().get(f"/time-sessions/{session}") for session in ids]
        assert [(row["tags"], row["billable"]) for row in rows] == [(["Rundgang"], True)] * 2 + [([], False)]
        assert [row["description"] for row in rows] == ["Gang 5", "Gang 6", "Gang 7"]
        tab.page.get_by_role("columnheader").get_by_role("checkbox").check()
        # One of them is deleted by another person meanwhile.
        console.serving.owner().post("/time-sessions/delete", ids=ids[:1])
        bar.get_by_role("button", name="Delete").click()
        tab.page.locator("dialog").get_by_role("button", name="Delete").click()
        tab.toast("2 sessions deleted")
        reasons = tab.page.get_by_role("dialog", name="1 session could not be deleted")
        sync_api.expect(reasons.get_by_role("row", name="Gang 5")).to_be_visible()
        tab.press("Close")
        assert tab.page.get_by_role("row", name="Gang").count() == 0


FILES = {
    "TOGGL": (
        "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags",
        "Ottilie,owner@demo.example,,Messebau,,Plan,Yes,{day},08:00:00,{day},09:00:00,01:00:00,Halle",
        "Ottilie,owner@demo.example,,Messebau,,Plan,Yes,{day},19:00:00,{day},99:00:00,01:00:00,Halle",
    ),
    "CLOCKIFY": (
        "Project,Client,Description,Task,User,Email,Tags,Billable,Start Date,Start Time,End Date,End Time",
        '"Hallenbau","","Aufbau","","Ottilie","owner@demo.example","","Yes","{us}","09:00:00 AM","{us}","10:00:00 AM"',
        '"Hallenbau","","Aufbau","","Ottilie","owner@demo.example","","Yes","{us}","soon","{us}","10:00:00 AM"',
    ),
    "HARVEST": (
        "Date,Client,Project,Project Code,Task,Notes,Hours,Billable?,First Name,Last Name",
        "{day},Messe AG,Standbau,,,Teppich,1.5,Yes,Ottilie,Brandt",
        "{day},Messe AG,Standbau,,,Teppich,many,Yes,Ottilie,Brandt",
    ),
    "GENERIC": (
        "date,start,end,description,billable",
        "{day},13:00,14:00,Abbau,false",
        "{day},14:00,13:00,Abbau,perhaps",
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_time_is_imported_after_a_look_at_each_row(console: Console, kind: str) -> None:
    day = _day(40)
    us = datetime.fromisoformat(day).strftime("%m/%d/%Y")
    text = "\r\n".join(FILES[kind]).format(day=day, us=us)
    with console.tab(OWNER) as tab:
        tab.go("/time")
        _more(tab, "More about time", "Import")
        tab.heading("Import time")
        tab.page.locator("[name=format]").select_option(kind)
        tab.page.set_input_files("[type=file]", {"name": "time.csv", "mimeType": "text/csv", "buffer": text.encode()})
        if kind != "GENERIC":
            # The dry run is made again when an option changes.
            sync_api.expect(tab.page.get_by_role("button", name="Import 0 sessions")).to_be_disabled()
            tab.page.locator("[name=createMissing]").check()
        left_out = tab.page.get_by_role("table", name="Rows that are left out").locator("tbody tr")
        sync_api.expect(left_out).to_have_count(1)
        sync_api.expect(left_out).to_contain_text("Error")
        assert tab.findings() == []
        if kind == "TOGGL":
            tab.picture("time-import-rows")
        tab.press("Import 1 session")
        tab.toast("1 session is created, 1 row is left out")
        tab.go("/time/import")
        tab.page.locator("[name=format]").select_option(kind)
        tab.page.locator("[name=createMissing]").check()
        tab.page.set_input_files("[type=file]", {"name": "time.csv", "mimeType": "text/csv", "buffer": text.encode()})
        sync_api.expect(left_out).to_have_count(2)
        sync_api.expect(left_out.first).to_contain_text("It is there already")


def test_a_file_of_another_format_is_refused_in_words(console: Console) -> None:
    with console.tab(COORDINATOR) as tab:
        tab.go("/time/import")
        tab.page.set_input_files("[type=file]", {"name": "x.csv", "mimeType": "text/csv", "buffer": b"a,b\r\n1,2\r\n"})
        tab.page.get_by_role("alert").filter(has_text="This file cannot be read").wait_for()
        assert tab.problems.pop().startswith("refused: 400 POST")


def test_time_is_exported_as_it_is_filtered(console: Console) -> None:
    day = _day(50)
    _session(console, day, "08:00", "09:00", "Ablage")
    with console.tab(OWNER) as tab:
        tab.go(f"/time?from={day}&to={day}")
        with tab.page.expect_download() as download:
            _more(tab, "More about time", "Export CSV")
        header, row = download.value.path().read_text(encoding="utf-8-sig").splitlines()
        assert header.startswith("date,start,end")
        assert "Ablage" in row


def test_past_time_is_locked_and_opened_again(console: Console) -> None:
    day, before = _day(70), _day(60)
    _session(console, day, "08:00", "09:00", "Archiv")
    with console.tab(OWNER) as tab:
        for verb, words in (("lock", "is locked for 1 person"), ("unlock", "is open for 1 person")):
            tab.go("/timesheets")
            tab.press("Lock time")
            tab.page.locator("dialog [name=verb]").select_option(verb)
            tab.fill(before=before if verb == "lock" else day)
            tab.page.locator("dialog [name=userId]").press_sequentially("Ottilie")
            tab.page.get_by_role("option", name="Ottilie Brandt").click()
            assert tab.findings() == []
            tab.press("Save")
            tab.toast(words)
            tab.go(f"/time?from={day}&to={day}")
            row = tab.page.get_by_role("row", name="Archiv")
            sync_api.expect(row.locator(".badge", has_text="locked")).to_have_count(int(verb == "lock"))
            sync_api.expect(row.get_by_role("checkbox")).to_have_count(int(verb == "unlock"))
    with console.tab(COORDINATOR) as tab:
        tab.go("/timesheets")
        assert tab.page.get_by_role("button", name="Lock time").count() == 0
