"""Every page for every role, without a problem: also those of one entity, wide and on a phone, light and dark."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from infra.local.demo.loans import LENDER, ZONE
from tests.support.browser import ADMIN, COORDINATOR, MEMBER, NARROW, NEEDS_BROWSER, OWNER, VIEWER, WIDE, Console, Tab

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER

OF_LAYOUT = ("aria-hidden-focus", "scrollable-region-focusable")
"""Rules of axe whose findings depend on the width; the others are tried once a page."""
DARK = ("/", "/activities", "/assignments/week", "/analytics", "/time", "/metrics/new", "/profile")


def _name(path: str) -> str:
    return re.sub(r"(/\{\w+\})+", "/one", path).strip("/").replace("/", "-") or "dashboard"


@pytest.fixture(scope="module")
def offer(console: Console) -> str:
    """A loan that is offered, whose terms its lender may still change."""
    year = datetime.now(ZoneInfo(ZONE)).year + 1
    dates = {"startDate": f"{year}-01-01", "maturityDate": f"{year + 1}-01-01"}
    terms = {"principal": 1_000_000, "interestRateBps": 500, "installments": 12, "amortization": "ANNUITY"}
    borrower = console.serving.owner().get("/organization")["id"]
    lender = console.serving.api(console.token(LENDER.email))
    return str(lender.post("/loans", borrowerOrganizationId=borrower, dayCount="ACT_365F", **terms, **dates)["id"])


def _entities(console: Console, email: str, offer: str) -> Mapping[str, str]:
    """Return an address for each page of one entity, as this person may open it."""
    api = console.serving.api(console.token(email))
    # With something to see in each.
    metric = next(metric for metric in api.get("/metrics?pageSize=100")["data"] if metric["name"] == "Hours by client")
    project = next(project for project in api.all("/projects") if project["name"] == "Lagerumzug Sandtorkai")
    today = datetime.now(ZoneInfo(ZONE)).date()
    week = today - timedelta(days=today.weekday() + 7)
    return {
        "/metrics/{id}": f"/metrics/{metric['id']}",
        "/projects/{id}": f"/projects/{project['id']}",
        "/loans/{id}": f"/loans/{_running(console)}",
        "/loans/{id}/offer": f"/loans/{offer}/offer",
        "/timesheets/{userId}/{weekStart}": f"/timesheets/{api.get('/auth/me')['user']['id']}/{week}",
    }


def _running(console: Console) -> str:
    """Return the largest loan that is being repaid."""
    active = [loan for loan in console.serving.owner().all("/loans") if loan["status"] == "ACTIVE"]
    return str(max(active, key=lambda loan: loan["principal"])["id"])


def _look(tab: Tab, page: Mapping[str, Any], address: str, *, is_audited: bool) -> None:
    """Open a page wide, then make it narrow. `is_audited`: with all rules of axe, and pictures."""
    tab.go(address)
    tab.page.locator("h1").wait_for()
    assert tab.page.locator(".content > .empty, .page > [role=alert]").count() == 0, address
    assert tab.overflow() == 0, address
    if is_audited:
        assert tab.findings() == [], address
        tab.picture(_name(page["path"]), is_whole=True)
    tab.resize(NARROW)
    assert tab.overflow() == 0, f"{address} on a phone"
    if is_audited:
        assert tab.findings(*OF_LAYOUT) == [], f"{address} on a phone"
        tab.picture(f"{_name(page['path'])}-phone")
    tab.resize(WIDE)
    assert tab.problems == [], address


@pytest.mark.parametrize("email", [OWNER, ADMIN, COORDINATOR, MEMBER, VIEWER])
def test_every_page_opens_without_a_problem(console: Console, email: str, offer: str) -> None:
    addresses = _entities(console, email, offer)
    with console.tab(email) as tab:
        pages = [page for page in console.pages(tab) if not page["isPublic"]]
        # Its lender alone changes an offer.
        opened = [page for page in pages if page["path"] != "/loans/{id}/offer"]
        assert len(opened) >= 10
        for page in opened:
            _look(tab, page, addresses.get(page["path"], page["path"]), is_audited=email == OWNER)


def test_every_page_of_a_lender_opens_without_a_problem(console: Console, offer: str) -> None:
    with console.tab(LENDER.email) as tab:
        pages = [page for page in console.pages(tab) if page["path"].startswith("/loans")]
        assert len(pages) == 4
        for page in pages:
            loan = offer if page["path"].endswith("/offer") else _running(console)
            _look(tab, page, page["path"].replace("{id}", loan), is_audited=True)


def test_every_public_page_opens_without_a_problem(console: Console) -> None:
    with console.tab() as tab:
        for page in (page for page in console.pages(tab) if page["isPublic"]):
            _look(tab, page, page["path"], is_audited=True)


def test_dark_pages_have_enough_contrast(console: Console) -> None:
    with console.tab(OWNER, color_scheme="dark") as tab:
        for path in DARK:
            tab.go(path)
            assert tab.findings() == [], path
            tab.picture(f"{_name(path)}-dark")


def test_an_unknown_page_and_one_that_is_not_allowed_say_so(console: Console) -> None:
    with console.tab(VIEWER) as tab:
        tab.go("/no/such/page")
        tab.page.get_by_text("There is no such page").wait_for()
        tab.go("/activities/new")
        tab.page.get_by_text("This page is not for your role").wait_for()


def test_only_its_lender_is_offered_to_change_an_offer(console: Console, offer: str) -> None:
    with console.tab(OWNER) as tab:
        tab.go(f"/loans/{offer}/offer")
        tab.page.get_by_text("Only its lender can change an offer").wait_for()
        assert tab.page.locator("form").count() == 0
