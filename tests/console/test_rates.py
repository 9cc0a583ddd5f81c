"""Members of projects, rates, one's own name and password, and covenants that are changed."""

from __future__ import annotations

import pytest

from infra.local import demo
from infra.local.demo.loans import LENDER
from tests.support.browser import ADMIN, COORDINATOR, MEMBER, NEEDS_BROWSER, OWNER, VIEWER, Console, Tab

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER


def _set_and_delete(tab: Tab) -> None:
    """Set two rates in an open list of them, correct one of them, and delete the other."""
    rows = tab.page.get_by_role("table", name="Rates").locator("tbody tr")
    before = rows.count()
    for day, amount in (("2031-01-01", "41.50"), ("2032-01-01", "44"), ("2031-01-01", "42.50")):
        tab.fill(effectiveFrom=day, rate=amount)
        tab.press("Set the rate")
        sync_api.expect(tab.page.locator("[name=rate]")).to_have_value("")
        tab.toast(f"€{float(amount):.2f} an hour from 1 Jan {day[:4]} on")
    sync_api.expect(rows).to_have_count(before + 2)
    sync_api.expect(rows.nth(0)).to_contain_text("€44.00")
    sync_api.expect(rows.nth(1)).to_contain_text("€42.50")
    tab.fill(rate="a lot")
    tab.press("Set the rate")
    tab.page.locator(".field-error", has_text="Must be an amount").wait_for()
    assert tab.findings() == []
    for year in (2032, 2031):
        tab.press(f"Delete the rate from 1 Jan {year}")
        tab.press("Delete")
    sync_api.expect(rows).to_have_count(before)


@pytest.mark.parametrize("path", ["/positions", "/workers", "/users"])
def test_rates_hold_from_a_day_on(console: Console, path: str) -> None:
    with console.tab(ADMIN) as tab:
        tab.go(path)
        # With rates of its own, where there are some.
        name = "Containerentladung" if path == "/positions" else ""
        tab.page.get_by_role("button", name=f"Actions for {name}").first.click()
        tab.page.get_by_role("menuitem", name="Rates").click()
        tab.settle()
        if path == "/positions":
            tab.picture("rates")
        _set_and_delete(tab)
    with console.tab(COORDINATOR) as tab:
        if path != "/users":
            tab.go(path)
            tab.page.get_by_role("button", name="Actions for").first.click()
            assert tab.page.get_by_role("menuitem", name="Edit").count() == 1
            assert tab.page.get_by_role("menuitem", name="Rates").count() == 0


def test_tracked_time_has_a_rate_of_the_organization(console: Console) -> None:
    with console.tab(OWNER) as tab:
        tab.go("/settings")
        _set_and_delete(tab)


def test_a_project_has_members_with_rates(console: Console) -> None:
    project = console.serving.owner().post("/projects", name="Weihnachtsmarkt")
    with console.tab(ADMIN) as tab:
        tab.go(f"/projects/{project['id']}")
        tab.press("Add a member")
        tab.page.locator("dialog [name=userId]").press_sequentially("Mehmet")
        tab.page.get_by_role("option", name="Mehmet").click()
        tab.press("Add")
        tab.toast("Mehmet Yıldız is a member now")
        tab.menu("Mehmet Yıldız", "Rates")
        tab.page.get_by_role("dialog", name="Rates of Mehmet Yıldız in Weihnachtsmarkt").wait_for()
        tab.settle()
        _set_and_delete(tab)
        tab.press("Close")
        tab.page.get_by_role("button", name="More about the project").click()
        tab.page.get_by_role("menuitem", name="Rates").click()
        tab.settle()
        _set_and_delete(tab)
        tab.press("Close")
        tab.menu("Mehmet Yıldız", "Remove")
        tab.press("Remove")
        tab.toast("Mehmet Yıldız is no member any more")
        tab.page.get_by_text("No members yet").wait_for()
    with console.tab(MEMBER) as tab:
        tab.go(f"/projects/{project['id']}")
        tab.press("Join")
        tab.toast("Mehmet Yıldız is a member now")
        sync_api.expect(tab.page.get_by_role("button", name="Join")).to_have_count(0)
        tab.page.get_by_role("button", name="Actions for Mehmet Yıldız").click()
        assert tab.page.get_by_role("menuitem").all_inner_texts() == ["Remove"]
    with console.tab(VIEWER) as tab:
        tab.go(f"/projects/{project['id']}")
        assert tab.page.get_by_role("heading", name="Members").count() == 0


def test_ones_own_name_and_password_are_changed(console: Console) -> None:
    email, password = "ada.lind@demo.example", "harbour-candle-58"
    names = {"firstName": "Ada", "lastName": "Lind", "organizationName": "Lind GmbH"}
    token = console.serving.api().post("/auth/sign-up", email=email, password=password, **names)["token"]
    with console.tab(email, token=token) as tab:
        tab.go("/profile")
        name, word = (tab.page.get_by_role("region", name=label) for label in ("Name", "Password"))
        tab.fill(lastName="")
        name.get_by_role("button", name="Save").click()
        name.locator(".field-error", has_text="Is required").wait_for()
        tab.fill(lastName="Lindström")
        name.get_by_role("button", name="Save").click()
        tab.page.get_by_role("button", name="Account of Ada Lindström").wait_for()
        tab.fill(currentPassword="not-this-one-1", newPassword="meadow-lantern-77")
        word.get_by_role("button").click()
        word.locator(".field-error", has_text="Is not your password").wait_for()
        assert tab.problems.pop().startswith("refused: 401 POST")
        tab.fill(currentPassword=password)
        word.get_by_role("button").click()
        tab.toast("Your password is changed")
        sync_api.expect(word.locator("[name=newPassword]")).to_have_value("")
        assert tab.findings() == []
    assert console.serving.api().post("/auth/sign-in", email=email, password="meadow-lantern-77")["token"]
    with pytest.raises(demo.Refused, match="INVALID_CREDENTIALS"):
        console.serving.api().post("/auth/sign-in", email=email, password=password)


def test_a_covenant_of_an_offer_is_changed(console: Console) -> None:
    lender = console.serving.api(console.token(LENDER.email))
    terms = {"principal": 1_000_000, "interestRateBps": 500, "startDate": "2031-01-01", "maturityDate": "2032-01-01"}
    borrower = console.serving.owner().get("/organization")["id"]
    more = {"installments": 12, "amortization": "EQUAL_PRINCIPAL", "dayCount": "ACT_365F", "graceInstallments": 0}
    loan = lender.post("/loans", borrowerOrganizationId=borrower, **terms, **more)
    figure = {"name": "Equity ratio", "target": 25, "direction": "UP", "frequency": "QUARTERLY"}
    kpi = lender.post(f"/loans/{loan['id']}/kpis", **figure, firstTestDate="2031-03-31")
    with console.tab(LENDER.email) as tab:
        tab.go(f"/loans/{loan['id']}")
        tab.press("Covenants")
        for attempt in ("Keep editing", "Save mine"):
            if attempt == "Keep editing":
                tab.page.get_by_role("button", name="Change Equity ratio").click()
                tab.page.get_by_role("menuitem", name="Edit").click()
                assert tab.page.locator("dialog [name=firstTestDate]").count() == 0
                lender.patch(f"/loans/{loan['id']}/kpis/{kpi['id']}", target=26)
                tab.fill(target="30", unit="%")
            tab.press("Save")
            conflict = tab.page.get_by_role("dialog", name="Somebody else changed this")
            sync_api.expect(conflict.get_by_role("row", name="Target").locator("td")).to_have_text(["26", "30"])
            assert tab.problems.pop().startswith("refused: 412 PATCH")
            tab.press(attempt)
        tab.toast("Changed; the borrower sees it, too")
        tab.page.get_by_text("at least 30 %").wait_for()
        tab.settle()
        assert tab.findings() == []
