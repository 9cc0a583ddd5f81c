"""Staffing in the console: from a client to a worker's assignment, and what goes wrong on the way."""

from __future__ import annotations

import pytest

from infra.local import demo
from tests.support.browser import Console, Tab, executable

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.storeless,
    pytest.mark.skipif(executable() is None, reason="there is no Chromium: apt-get install chromium"),
]

OWNER = demo.OWNER.email
COORDINATOR, VIEWER = (
    next(person.email for person in demo.TEAM if person.role == role) for role in ("COORDINATOR", "VIEWER")
)


def _choose(tab: Tab, name: str, text: str) -> None:
    """Choose an entity by part of its name."""
    tab.page.locator(f"dialog [name={name}]").press_sequentially(text)
    tab.page.get_by_role("option", name=text).first.click()


def _menu(tab: Tab, of: str, item: str) -> None:
    tab.page.get_by_role("button", name=f"Actions for {of}").first.click()
    tab.page.get_by_role("menuitem", name=item, exact=True).click()


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
        _menu(tab, "Zirkus Ravelli", "Delete")
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
        _menu(tab, "Quentin Moreau", "Edit")
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
