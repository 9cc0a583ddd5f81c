"""Every page for every role, without a problem."""

from __future__ import annotations

import pytest

from tests.support.browser import ADMIN, COORDINATOR, MEMBER, NARROW, NEEDS_BROWSER, OWNER, VIEWER, WIDE, Console

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER


def _name(path: str) -> str:
    return path.strip("/").replace("/", "-") or "dashboard"


@pytest.mark.parametrize(
    ("email", "size"),
    [*((email, WIDE) for email in (OWNER, ADMIN, COORDINATOR, MEMBER, VIEWER)), (OWNER, NARROW), (VIEWER, NARROW)],
)
def test_every_page_opens_without_a_problem(console: Console, email: str, size: tuple[int, int]) -> None:
    with console.tab(email, size) as tab:
        pages = [page for page in console.pages(tab) if not page["isPublic"]]
        assert len(pages) >= 3
        for page in pages:
            tab.go(page["path"])
            tab.page.locator("h1").wait_for()
            assert tab.overflow() == 0, page["path"]
            if email == OWNER or (email == VIEWER and size == WIDE):
                assert tab.findings() == [], page["path"]
            if email == OWNER:
                tab.picture(f"{_name(page['path'])}{'-phone' if size == NARROW else ''}", is_whole=size == WIDE)
            assert tab.problems == [], page["path"]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_public_page_opens_without_a_problem(console: Console, size: tuple[int, int]) -> None:
    with console.tab(None, size) as tab:
        for page in console.pages(tab):
            if page["isPublic"]:
                tab.go(page["path"])
                tab.page.locator("h1").wait_for()
                assert tab.overflow() == 0, page["path"]
                assert tab.findings() == [], page["path"]
                tab.picture(f"{_name(page['path'])}{'-phone' if size == NARROW else ''}")


def test_dark_pages_have_enough_contrast(console: Console) -> None:
    with console.tab(OWNER, color_scheme="dark") as tab:
        for path in ("/", "/activities", "/sessions"):
            tab.go(path)
            assert tab.findings() == [], path
            tab.picture(f"{_name(path)}-dark")


def test_an_unknown_page_and_one_that_is_not_allowed_say_so(console: Console) -> None:
    with console.tab(VIEWER) as tab:
        tab.go("/no/such/page")
        tab.page.get_by_text("There is no such page").wait_for()
        tab.go("/activities/new")
        tab.page.get_by_text("This page is not for your role").wait_for()
