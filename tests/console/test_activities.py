"""Activities are read and archived, sessions are ended."""

from __future__ import annotations

import pytest

from infra.local import demo
from tests.support.browser import ADMIN, COORDINATOR, NEEDS_BROWSER, Console

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER


def test_activities_are_read_archived_and_taken_back(console: Console) -> None:
    with console.tab(COORDINATOR) as tab:
        tab.go("/activities")
        count = tab.page.get_by_role("link", name="unread")
        before = count.inner_text()
        first = tab.page.locator(".feed-item").first
        title = first.locator(".feed-line").inner_text()
        first.get_by_role("button", name="Mark as read").click()
        sync_api.expect(count).not_to_have_text(before)
        first.get_by_role("button", name="Archive").click()
        tab.page.locator(".toast-action").click()
        tab.settle()
        sync_api.expect(tab.page.locator(".feed-line", has_text=title).first).to_be_visible()
        tab.press("Mark all read")
        tab.page.get_by_role("link", name="Activities, no unread").wait_for()
        assert tab.page.locator(".is-unread").count() == 0


def test_another_session_is_ended(console: Console) -> None:
    signed_in = console.serving.api().post("/auth/sign-in", email=ADMIN, password=demo.PASSWORD)
    with console.tab(ADMIN) as tab:
        tab.go("/sessions")
        tab.press("End all others")
        tab.page.get_by_role("dialog", name="End all other sessions?").wait_for()
        tab.press("End them")
        tab.toast("All other sessions have ended")
        sync_api.expect(tab.page.locator("tbody tr")).to_have_count(1)
    with pytest.raises(demo.Refused, match="SESSION_EXPIRED"):
        console.serving.api(signed_in["token"]).get("/auth/me")
