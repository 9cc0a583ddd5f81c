"""Tracked time, from the timer to an approved week."""

from __future__ import annotations

import pytest

from tests.support.browser import ADMIN, MEMBER, NEEDS_BROWSER, Console

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER


def test_time_is_tracked_submitted_and_approved_by_another_person(console: Console) -> None:
    with console.tab(MEMBER) as tab:
        tab.go("/time")
        tab.press("Start timer")
        dialog = tab.page.get_by_role("dialog")
        tab.fill(description="Stocktaking", tags="Night, Storage")
        dialog.locator("[name=projectId]").fill("recruiting")
        dialog.get_by_role("option", name="Recruiting Winter").click()
        dialog.locator("[name=taskId]").click()
        dialog.get_by_role("option", name="Infotag im Februar").click()
        tab.press("Start")
        tab.press("Pause")
        tab.page.get_by_text("paused").wait_for()
        tab.press("Resume")
        clock = tab.page.locator(".timer-clock")
        before = clock.inner_text()
        sync_api.expect(clock).not_to_have_text(before)
        tab.press("Stop")
        tab.toast("recorded")
        sync_api.expect(tab.page.get_by_role("row", name="Stocktaking")).to_contain_text("Infotag im Februar")
        tab.go("/timesheets")
        tab.press("Week before")
        tab.press("Submit")
        tab.press("Withdraw")
        tab.press("Submit")
        tab.page.get_by_role("button", name="Withdraw").wait_for()
        week = tab.page.evaluate("location.hash.slice(1)")
        with console.tab(ADMIN) as approver:
            approver.go("/timesheets?status=SUBMITTED")
            approver.page.get_by_role("row", name="Mehmet").get_by_role("link").click()
            approver.settle()
            assert approver.page.evaluate("location.hash.slice(1)") == week
            approver.press("Reject")
            approver.fill(reason="Friday is missing.")
            approver.page.get_by_role("dialog").get_by_role("button", name="Reject", exact=True).click()
            approver.toast("Rejected")
            tab.page.reload()
            tab.page.get_by_text("Rejected: Friday is missing.").wait_for()
            tab.press("Submit")
            tab.page.get_by_role("button", name="Withdraw").wait_for()
            approver.page.reload()
            approver.press("Approve")
            approver.toast("Approved")
        monday = week.rpartition("/")[2]
        tab.go(f"/time?from={monday}&to={monday}")
        sync_api.expect(tab.page.locator("tbody tr").first).to_contain_text("approved")
