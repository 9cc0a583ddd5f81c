"""Staffing in the console: from a client to a worker's assignment, and what goes wrong on the way."""

from __future__ import annotations

import pytest

from tests.support.browser import COORDINATOR, NEEDS_BROWSER, OWNER, VIEWER, Console, Tab

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER


def _choose(tab: Tab, name: str, text: str) -> None:
    """Choose an entity by part of its name."""
    tab.page.locator(f"dialog [name={name}]").press_sequentially(text)
    tab.page.get_by_role("option", name=text).first.click()


def test_a_client_becomes_a_workers_assignment(console: Console) -> None:
    with console.tab(OWNER) as tab:
        tab.go("/clients")
        tab.press("New client")
        tab.press("Create")
        tab.page.locator(".field-error", has_text="Is required").wait_for()
        tab.fill(name="Alster logistik GMBH")
        tab.press("Create")
        tab.page.locator(".field-error", has_text="Another client has this name").wait_for()
        tab.problems.clear()
        tab.fill(name="Zirkus Ravelli")
        tab.press("Create")
        tab.toast("Zirkus Ravelli is created")
        tab.go("/work-locations")
        tab.press("New work location")
        _choose(tab, "clientId", "Zirkus Ravelli")
        tab.fill(name="Festwiese")
        tab.press("Create")
        tab.toast("Festwiese is created")
        tab.go("/positions")
        tab.press("New position")
        _choose(tab, "workLocationId", "Festwiese")
        tab.fill(name="Zeltaufbau")
        tab.press("Create")
        tab.toast("Zeltaufbau is created")
        tab.go("/workers")
        tab.press("New worker")
        tab.fill(firstName="Tilda", lastName="Ravn", phone="0151 55509900")
        tab.press("Create")
        tab.toast("Tilda Ravn is created")
        tab.go("/clients?search=ravelli")
        tab.menu("Zirkus Ravelli", "Delete")
        tab.press("Delete")
        tab.toast("This client still has 1 work location.")
        assert tab.problems.pop().startswith("refused: 409 DELETE")

        tab.go("/assignments")
        for attempt in ("free at that time", "assigned at that time"):
            tab.press("New assignment")
            _choose(tab, "workerId", "Tilda Ravn")
            _choose(tab, "positionId", "Zeltaufbau")
            tab.fill(startAt="2031-03-03T08:00", endAt="2031-03-03T16:30")
            tab.page.locator("dialog .notice", has_text=attempt).wait_for()
            tab.press("Assign")
            tab.toast("Tilda Ravn is assigned")
        warnings = tab.page.get_by_role("dialog", name="Stored, with warnings")
        sync_api.expect(warnings.locator(".notice")).to_have_count(2)
        assert tab.findings() == []
        tab.press("Cancel the assignment")
        tab.toast("The assignment is cancelled")
        tab.go("/assignments/week?week=2031-03-05")
        shift = tab.page.get_by_role("button", name="08:00–16:30")
        sync_api.expect(shift).to_have_count(1)
        shift.click()
        tab.page.get_by_role("dialog", name="Tilda Ravn").get_by_text("Zirkus Ravelli").wait_for()
        tab.page.wait_for_timeout(200)  # the dialog fades in
        assert tab.findings() == []


def test_somebody_elses_change_of_a_worker_is_a_choice(console: Console) -> None:
    with console.tab(COORDINATOR) as tab:
        tab.go("/workers?search=Quentin")
        tab.menu("Quentin Moreau", "Edit")
        tab.fill(phone="+33 6 39 98 55 19")
        owner = console.serving.api(console.token(OWNER))
        (worker,) = owner.get("/workers?search=Quentin")["data"]
        owner.patch(f"/workers/{worker['id']}", phone="+33 6 39 98 55 18")
        tab.press("Save")
        row = tab.page.get_by_role("dialog", name="Somebody else changed this").get_by_role("row", name="Phone")
        sync_api.expect(row).to_contain_text("+33 6 39 98 55 18")
        assert tab.problems.pop().startswith("refused: 412 PATCH")
        tab.press("Take theirs")
        tab.toast("Quentin Moreau is saved")
        sync_api.expect(tab.page.locator("tbody tr")).to_contain_text("+33 6 39 98 55 18")


def test_what_a_role_may_not_do_is_not_offered(console: Console) -> None:
    with console.tab(VIEWER) as tab:
        for path in ("/clients", "/work-locations", "/positions", "/workers", "/assignments", "/assignments/week"):
            tab.go(path)
            assert tab.page.locator(".button-primary, .row-actions [aria-label=Edit]").count() == 0, path
        tab.go("/assignments")
        tab.page.get_by_role("button", name="Actions for").first.click()
        assert tab.page.get_by_role("menuitem").all_inner_texts() == ["Details"]


def test_the_hours_of_a_client_are_exported(console: Console) -> None:
    with console.tab(COORDINATOR) as tab:
        tab.go("/hours")
        sync_api.expect(tab.page.locator(".totals dt")).to_have_text(["Worked", "Planned"])
        tab.page.get_by_role("combobox", name="All clients").fill("Rheinblick")
        tab.page.get_by_role("option", name="Hotel Rheinblick").click()
        tab.settle()
        notes = tab.page.locator(".cell-note").all_inner_texts()
        assert set(notes) == {"Hotel Rheinblick"}
        with tab.page.expect_download() as download:
            tab.press("Export CSV")
        assert download.value.suggested_filename.startswith("hours_")
        header, *rows = download.value.path().read_text(encoding="utf-8-sig").splitlines()
        assert header.startswith("worker,client,workLocation,hours")
        assert len(rows) >= len(notes)
        tab.go("/hours?startDate=2026-03-02&endDate=2026-03-01")
        tab.page.get_by_role("alert").wait_for()
        assert tab.problems.pop().startswith("refused: 400")
        tab.settle()


def test_workers_are_imported_after_a_look_at_each_row(console: Console) -> None:
    rows = [
        "Zora,Adebayo,0151 55508801",
        "Zora,Adebayo,0151 55508801",
        ",Falk,0151 55508802",
        "Zita,Horn,0151 55508803",
    ]
    text = "\r\n".join(["firstName,lastName,phone", *rows])

    def choose(content: bytes) -> None:
        tab.page.set_input_files("[type=file]", {"name": "workers.csv", "mimeType": "text/csv", "buffer": content})

    with console.tab(COORDINATOR) as tab:
        tab.go("/workers/import")
        choose("firstName,lastName,phone\r\nZoë,Horn,0151 55508804".encode("latin-1"))
        tab.page.get_by_role("alert").filter(has_text="not in UTF-8").wait_for()
        choose(b"name,phone\r\nZita Horn,0151 55508803")
        tab.page.get_by_role("alert").filter(has_text="name is not a column of this file").wait_for()
        assert tab.problems.pop().startswith("refused: 400")
        choose(text.encode())
        left_out = tab.page.get_by_role("table", name="Rows that are left out").locator("tbody tr")
        sync_api.expect(left_out).to_have_count(2)
        sync_api.expect(left_out.nth(0)).to_contain_text("Row 1 has the same phone")
        sync_api.expect(left_out.nth(1)).to_contain_text("First name: must not be empty")
        assert tab.findings() == []
        tab.picture("workers-import-rows")
        tab.press("Import 2 workers")
        tab.toast("2 workers are created, 2 rows are left out")
        tab.go("/workers?search=zora")
        sync_api.expect(tab.page.locator("tbody tr")).to_have_count(1)


def test_somebody_elses_change_names_positions_and_clients(console: Console) -> None:
    owner = console.serving.api(console.token(OWNER))
    theirs, yours, first = owner.get("/positions?pageSize=3&isActive=true")["data"]
    (worker,) = owner.get("/workers?pageSize=1")["data"]
    start = "2033-05-02T08:00:00Z"
    assignment = owner.post("/assignments", workerId=worker["id"], positionId=first["id"], startAt=start)
    with console.tab(COORDINATOR) as tab:
        tab.go(f"/assignments?workerId={worker['id']}&status=scheduled")
        row = tab.page.get_by_role("row", name="2033")
        row.get_by_role("button", name="Actions for").click()
        tab.page.get_by_role("menuitem", name="Edit", exact=True).click()
        position = tab.page.locator("dialog [name=positionId]")
        position.fill("")
        _choose(tab, "positionId", yours["name"])
        owner.patch(f"/assignments/{assignment['id']}", positionId=theirs["id"])
        tab.press("Save")
        cells = tab.page.get_by_role("dialog", name="Somebody else changed this").get_by_role("row", name="Position")
        sync_api.expect(cells.locator("td")).to_have_text([theirs["name"], yours["name"]])
        tab.problems.clear()
        assert tab.findings() == []
        tab.press("Take theirs")
        tab.toast("The assignment is saved")
    owner.post(f"/assignments/{assignment['id']}/cancel")
    project = owner.post("/projects", name="Zeltbau", clientId=owner.get("/clients?pageSize=1")["data"][0]["id"])
    with console.tab(OWNER) as tab:
        tab.go(f"/projects/{project['id']}")
        tab.press("Edit")
        client = tab.page.locator("dialog [name=clientId]")
        client.fill("")
        _choose(tab, "clientId", "Hotel Rheinblick")
        tab.fill(estimatedMinutes="12")
        owner.patch(f"/projects/{project['id']}", estimatedMinutes=90)
        tab.press("Save")
        conflict = tab.page.get_by_role("dialog", name="Somebody else changed this")
        row = conflict.get_by_role("row", name="Client")
        sync_api.expect(row).to_contain_text("Hotel Rheinblick")
        sync_api.expect(conflict.get_by_role("row", name="Estimate").locator("td")).to_have_text(["1:30", "12:00"])
        tab.problems.clear()
        tab.press("Save mine")
        sync_api.expect(tab.page.locator(".figures")).to_contain_text("Hotel Rheinblick")
