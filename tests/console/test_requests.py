"""The console's client of the API: lost answers, waits, and instants of another zone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.support.browser import NEEDS_BROWSER, OWNER, Console

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER


def test_a_lost_answer_is_asked_for_again_with_the_same_key(console: Console) -> None:
    with console.tab(OWNER) as tab:
        keys: list[str] = []

        def lose_the_first(route: sync_api.Route) -> None:
            keys.append(route.request.headers["idempotency-key"])
            if len(keys) == 1:
                route.fetch()
                route.abort("connectionreset")
            else:
                route.continue_()

        tab.go("/activities/new")
        tab.page.route("**/api/v1/activities", lose_the_first)
        tab.fill(title="Payroll of November exported")
        tab.press("Record")
        tab.heading("Activities")
        tab.page.unroute("**/api/v1/activities")
        assert len(keys) == 2
        assert keys[0] == keys[1]
        tab.page.reload()
        tab.settle()
        assert tab.page.get_by_text("Payroll of November exported").count() == 1
        tab.problems.clear()


def test_a_short_wait_that_is_asked_for_is_kept(console: Console) -> None:
    with console.tab(OWNER) as tab:
        requests: list[str] = []

        def refuse_the_first(route: sync_api.Route) -> None:
            requests.append(route.request.url)
            if len(requests) == 1:
                error = {"code": "RATE_LIMITED", "message": "too many requests", "requestId": "r"}
                route.fulfill(status=429, headers={"Retry-After": "1"}, json={"success": False, "error": error})
            else:
                route.continue_()

        tab.page.route("**/api/v1/auth/sessions?*", refuse_the_first)
        tab.go("/sessions")
        tab.page.get_by_text("this one").wait_for()
        assert len(requests) == 2
        assert tab.problems == [f"refused: 429 GET {requests[0]}"]
        tab.problems.clear()


def test_instants_are_in_the_organizations_zone_whatever_the_browsers(console: Console) -> None:
    with console.tab(OWNER) as tab:
        tab.go("/sessions")
        sessions = console.serving.api(console.token(OWNER)).get("/auth/sessions")["items"]
        (current,) = (session for session in sessions if session["current"])
        created = datetime.fromisoformat(current["createdAt"]).astimezone(ZoneInfo("Europe/Berlin"))
        row = tab.page.locator("tr", has_text="this one")
        sync_api.expect(row).to_contain_text(f"{created:%-d %b %Y, %H:%M}".replace("Sep ", "Sept "))
