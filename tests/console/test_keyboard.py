"""The console by keyboard, and the theme that stays."""

from __future__ import annotations

import pytest

from infra.local import demo
from tests.support.browser import ADMIN, COORDINATOR, NEEDS_BROWSER, OWNER, Console

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER


def test_the_keyboard_reaches_everything(console: Console) -> None:
    with console.tab(OWNER) as tab:
        tab.go("/sessions")
        focused = "document.activeElement.textContent.trim() || document.activeElement.getAttribute('aria-label')"
        tab.page.evaluate("document.querySelector('a, button, input').focus()")
        assert tab.page.evaluate(focused) == "Skip to the content"
        tab.page.keyboard.press("Enter")
        assert tab.page.evaluate("document.activeElement.id") == "content"
        account = tab.page.get_by_role("button", name="Account of Ottilie Brandt")
        account.focus()
        tab.page.keyboard.press("Enter")
        tab.page.get_by_role("menuitem", name="Sessions").wait_for()
        tab.page.keyboard.press("ArrowDown")
        tab.page.keyboard.press("Escape")
        assert tab.page.get_by_role("menu").count() == 0
        assert "Account of Ottilie Brandt" in tab.page.evaluate(focused)


def test_a_dialog_keeps_the_focus_and_gives_it_back(console: Console) -> None:
    console.serving.api().post("/auth/sign-in", email=ADMIN, password=demo.PASSWORD)
    with console.tab(ADMIN) as tab:
        tab.go("/sessions")
        tab.press("End all others")
        dialog = tab.page.get_by_role("dialog")
        dialog.wait_for()
        for _ in range(6):
            tab.page.keyboard.press("Tab")
            is_inside = "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
            assert tab.page.evaluate(is_inside)
        tab.page.keyboard.press("Escape")
        assert dialog.count() == 0
        assert tab.page.evaluate("document.activeElement.textContent.trim()") == "End all others"
        # It is of its page: a way back closes it, and nothing is ended.
        tab.press("End all others")
        dialog.wait_for()
        tab.page.go_back()
        tab.heading("Dashboard")
        assert dialog.count() == 0
        tab.page.go_forward()
        tab.heading("Sessions")
        tab.page.get_by_role("button", name="End all others").wait_for()


def test_a_theme_is_kept(console: Console) -> None:
    with console.tab(COORDINATOR) as tab:
        tab.page.get_by_role("button", name="Account of Clara Vogel").click()
        tab.page.get_by_role("menuitem", name="Dark").click()
        tab.page.locator("html[data-theme=dark]").wait_for()
        tab.settle()
        tab.page.reload()
        tab.page.locator("html[data-theme=dark]").wait_for()
        tab.page.get_by_role("button", name="Account of Clara Vogel").click()
        tab.page.get_by_role("menuitem", name="As the device").click()
        tab.page.locator("html[data-theme=system]").wait_for()
        tab.settle()
