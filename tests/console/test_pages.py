"""The console in a browser: every page for every role without a problem, and what people do in it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from chalicelib.core.days import months_after
from infra.local import demo
from infra.local.demo.loans import LENDER, ZONE
from tests.support.browser import NARROW, WIDE, Console, Tab, executable

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.storeless,
    pytest.mark.skipif(executable() is None, reason="there is no Chromium: apt-get install chromium"),
]

OWNER, ADMIN, COORDINATOR, MEMBER, VIEWER = (
    person.email for person in (demo.OWNER, *demo.TEAM) if person.status == "ACTIVE"
)
PASSWORD = "harbour-candle-58"


def _mailed_link(console: Console, address: str, page: str) -> str:
    """Return the link to a page in the mails to an address, as the local mailbox shows them."""
    for _ in range(400):
        mails = console.serving.get(f"/_local/mail?to={address}").json()
        for line in (line for mail in mails for line in mail["body"].splitlines()):
            if line.startswith(f"{console.serving.url}/console#/{page}?"):
                return str(line)
        console.serving.get("/console")
    raise AssertionError(f"no mail to {address}")


def _name(path: str) -> str:
    return path.strip("/").replace("/", "-") or "dashboard"


# -- all pages -------------------------------------------------------------------------------------------------


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


# -- signing in ----------------------------------------------------------------------------------------------------


def _sign_in(tab: Tab, email: str, password: str) -> None:
    tab.heading("Sign in")
    tab.fill(email=email, password=password)
    tab.press("Sign in")


def test_signing_in_leads_to_the_page_that_was_asked_for(console: Console) -> None:
    with console.tab() as tab:
        tab.go("/sessions")
        _sign_in(tab, OWNER, "wrong-password-1")
        tab.page.get_by_role("alert").wait_for()
        assert [problem for problem in tab.problems if not problem.startswith("refused: 401")] == []
        tab.problems.clear()
        _sign_in(tab, OWNER, demo.PASSWORD)
        tab.heading("Sessions")
        tab.page.get_by_text("this one").wait_for()
        tab.page.reload()
        tab.heading("Sessions")


def test_a_new_tab_is_signed_in_and_signing_out_ends_both(console: Console) -> None:
    with console.tab(MEMBER) as tab:
        other = console.open(tab.page.context)
        other.heading("Dashboard")
        other.page.get_by_role("button", name="Account of Mehmet Yıldız").click()
        other.page.get_by_role("menuitem", name="Sign out").click()
        other.heading("Sign in")
        tab.heading("Sign in")
        assert other.problems == []
        # The demo's member signs in anew in later tests.
        console.forget(MEMBER)


def test_an_ended_session_leads_to_the_sign_in_page_and_back(console: Console) -> None:
    email = VIEWER
    with console.tab(email) as tab:
        console.serving.api(console.token(email)).post("/auth/sign-out")
        console.forget(email)
        tab.go("/sessions")
        tab.page.get_by_text("Your session has ended").wait_for()
        tab.problems.clear()
        _sign_in(tab, email, demo.PASSWORD)
        tab.heading("Sessions")


def test_an_invitation_leads_from_the_mailbox_to_the_dashboard(console: Console) -> None:
    email = "jonas.weber@demo.example"
    console.serving.owner().post("/users", email=email, firstName="Jonas", lastName="Weber", role="MEMBER")
    with console.tab() as tab:
        tab.page.goto(_mailed_link(console, email, "accept-invitation"))
        tab.heading("Welcome")
        assert tab.page.locator("[name=email]").input_value() == email
        tab.fill(password="short")
        tab.press("Join")
        tab.page.locator(".field-error").wait_for()
        tab.problems.clear()
        tab.fill(password=PASSWORD)
        tab.press("Join")
        tab.heading("Dashboard")
        tab.page.get_by_text("Hello Jonas").wait_for()
        tab.settle()


def test_a_password_is_reset_by_the_mail(console: Console) -> None:
    email = "rita.sommer@demo.example"
    names = {"firstName": "Rita", "lastName": "Sommer", "organizationName": "Sommer GmbH"}
    console.serving.api().post("/auth/sign-up", email=email, password="first-password-1", **names)
    with console.tab() as tab:
        tab.page.get_by_role("link", name="Forgot your password?").click()
        tab.heading("Reset your password")
        tab.fill(email=email)
        tab.press("Send the mail")
        tab.page.get_by_text("a mail with a code is on its way").wait_for()
        tab.page.goto(_mailed_link(console, email, "reset-password"))
        tab.page.locator("[name=newPassword]").fill(PASSWORD)
        tab.press("Change the password")
        tab.toast("Your password is changed")
        _sign_in(tab, email, PASSWORD)
        tab.heading("Dashboard")
        tab.page.get_by_text("Nothing on this dashboard yet").wait_for()


def test_signing_up_shows_errors_at_their_fields(console: Console) -> None:
    with console.tab() as tab:
        tab.go("/sign-up")
        tab.press("Sign up")
        assert tab.page.locator(".field-error").count() == 5
        tab.fill(
            organizationName="Falk & Söhne", firstName="Ida", lastName="Falk", email="ida@demo", password="12345678"
        )
        tab.press("Sign up")
        tab.page.locator("[name=email][aria-invalid=true]").wait_for()
        tab.problems.clear()
        tab.fill(email="ida.falk@demo.example", password=PASSWORD)
        tab.press("Sign up")
        tab.heading("Dashboard")
        tab.page.get_by_text("Falk & Söhne").wait_for()
        tab.page.get_by_role("link", name="confirm your address").wait_for()
        tab.page.goto(_mailed_link(console, "ida.falk@demo.example", "confirm-email"))
        tab.heading("Confirm your address")
        tab.press("Confirm")
        tab.toast("Your address is confirmed")
        tab.heading("Dashboard")
        assert tab.page.locator(".banner").count() == 0


# -- the API client ------------------------------------------------------------------------------------------------


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


# -- activities and sessions ---------------------------------------------------------------------------------------


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


# -- by keyboard, and the look -------------------------------------------------------------------------------------


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


def test_a_theme_is_kept(console: Console) -> None:
    with console.tab(COORDINATOR) as tab:
        tab.page.get_by_role("button", name="Account of Clara Vogel").click()
        tab.page.get_by_role("menuitem", name="Dark").click()
        tab.page.locator("html[data-theme=dark]").wait_for()
        tab.settle()
        tab.page.reload()
        tab.page.locator("html[data-theme=dark]").wait_for()


# -- the dashboard -------------------------------------------------------------------------------------------------


def test_the_dashboard_draws_every_type_and_hides_what_is_not_for_the_caller(console: Console) -> None:
    with console.tab(OWNER) as tab:
        tab.page.locator(".tile-chart svg").first.wait_for()
        kinds = ("metric", "chart", "table", "activity_feed", "quick_actions", "calendar")
        assert all(tab.page.locator(f".tile-{kind}").count() for kind in kinds)
        assert tab.page.locator(".tile-chart svg").count() == tab.page.locator(".tile-chart").count()
        of_owner = tab.page.locator(".tile").count()
    with console.tab(VIEWER) as tab:
        tab.page.locator(".tile").first.wait_for()
        assert tab.page.locator(".tile [role=alert]").count() == 0
        assert 0 < tab.page.locator(".tile").count() < of_owner
        tab.problems.clear()


def test_a_widget_is_added_moved_set_up_and_removed(console: Console) -> None:
    with console.tab(ADMIN) as tab:
        tab.press("Edit")
        tab.press("Add a widget")
        tab.settle()
        tab.page.locator("[name=type]").select_option("CHART")
        tab.press("Add")
        tab.page.locator(".field-error").wait_for()
        tab.page.locator("[name='config.metricId']").select_option(label="Fill rate")
        tab.fill(title="Fill rate, again")
        tab.picture("dashboard-add")
        tab.press("Add")
        tile = tab.page.locator(".is-movable", has_text="Fill rate, again")
        tile.focus()
        tab.page.keyboard.press("ArrowRight")
        tab.page.keyboard.press("Shift+ArrowLeft")
        assert "column 2" in (tile.get_attribute("aria-label") or "")
        assert tab.findings() == []
        tab.picture("dashboard-edit")
        tab.press("Done")
        tab.settle()
        tab.page.reload()
        tab.settle()
        stored = next(row for row in console.serving.owner().all("/widgets") if row["title"] == "Fill rate, again")
        assert (stored["position"]["x"], stored["position"]["w"]) == (1, 5)
        tab.press("Edit")
        # Somebody else changes it while its form is open.
        tile.get_by_role("button", name="Change Fill rate, again").click()
        tab.page.get_by_role("menuitem", name="Set up").click()
        tab.settle()
        console.serving.owner().patch(f"/widgets/{stored['id']}", title="Theirs")
        tab.fill(title="Kept name")
        tab.press("Save")
        dialog = tab.page.get_by_role("dialog", name="Somebody else changed this")
        sync_api.expect(dialog.get_by_role("row", name="Title")).to_contain_text("Theirs")
        tab.picture("conflict")
        tab.press("Keep editing")
        assert tab.page.locator("[name=title]").input_value() == "Kept name"
        tab.press("Save")
        tab.press("Save mine")
        ours = tab.page.locator(".is-movable", has_text="Kept name")
        ours.wait_for()
        assert set(tab.problems) == {f"refused: 412 PATCH {console.serving.url}/api/v1/widgets/{stored['id']}"}
        tab.problems.clear()
        ours.get_by_role("button", name="Change Kept name").click()
        tab.page.get_by_role("menuitem", name="Remove").click()
        tab.press("Remove")
        tab.toast("Kept name is removed")
        assert ours.count() == 0


def test_a_tile_is_dragged_and_sized_by_its_corner(console: Console) -> None:
    widget = {"type": "ACTIVITY_FEED", "scope": "PERSONAL", "title": "Mine", "config": {}}
    owner = console.serving.api(console.token(MEMBER))
    mine = owner.post("/widgets", **widget, position={"x": 0, "y": 0, "w": 3, "h": 2})
    with console.tab(MEMBER) as tab:
        tab.press("Edit")
        tile = tab.page.locator(".is-movable", has_text="Mine")
        start = tile.bounding_box()
        assert start is not None
        column = (start["width"] + 16) / 3
        tab.page.mouse.move(start["x"] + 40, start["y"] + 80)
        tab.page.mouse.down()
        tab.page.mouse.move(start["x"] + 40 + 2 * column, start["y"] + 80, steps=4)
        tab.page.mouse.up()
        moved = tile.bounding_box()
        assert moved is not None
        tab.page.mouse.move(moved["x"] + moved["width"] - 8, moved["y"] + moved["height"] - 8)
        tab.page.mouse.down()
        tab.page.mouse.move(moved["x"] + moved["width"] - 8 + column, moved["y"] + moved["height"] - 8, steps=4)
        tab.page.mouse.up()
        tab.press("Done")
        tab.settle()
        position = owner.get(f"/widgets/{mine['id']}")["position"]
        assert (position["x"], position["w"], position["h"]) == (2, 4, 2)


# -- metrics ----------------------------------------------------------------------------------------------------------


def test_a_metric_is_made_from_the_catalogue_and_checked_meanwhile(console: Console) -> None:
    with console.tab(OWNER) as tab:
        tab.go("/metrics/new")
        tab.fill(name="Hours that are planned")
        tab.page.locator("[name=source]").select_option("assignments")
        tab.page.locator("[name=measure]").select_option("sum:hours")
        tab.page.get_by_text("The query is valid; its values are hours").wait_for()
        tab.page.locator("[name=whereField]").select_option("status")
        tab.page.get_by_text("Complete the condition").wait_for()
        tab.page.locator("[name=whereValue]").select_option("completed")
        tab.page.get_by_text("The query is valid").wait_for()
        tab.picture("metric-editor", is_whole=True)
        tab.press("Create")
        tab.toast("Hours that are planned is")
        tab.page.get_by_role("button", name="Change Hours that are planned").click()
        tab.page.get_by_role("menuitem", name="Edit").click()
        tab.settle()
        query = '{"type": "simple", "source": "assignments", "aggregate": "sum", "field": "hours", "period": "never"}'
        tab.fill(json=query)
        tab.page.locator("code", has_text="/period").wait_for()
        tab.press("Save")
        tab.page.get_by_role("alert").first.wait_for()
        tab.problems.clear()
        tab.fill(json=query.replace("never", "today"))
        tab.page.get_by_text("The query is valid").wait_for()
        tab.press("Save")
        tab.heading("Metrics")


# -- time --------------------------------------------------------------------------------------------------------------


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


# -- loans -------------------------------------------------------------------------------------------------------------


def test_a_loan_is_offered_accepted_and_repaid_by_two_organizations(console: Console) -> None:
    borrower = console.serving.owner().get("/organization")["id"]
    today = datetime.now(ZoneInfo(ZONE)).date()
    with console.tab(LENDER.email) as tab:
        tab.go("/loans/new")
        tab.fill(borrowerOrganizationId=borrower, principal="50,000", interestRateBps="6.125", installments="12")
        tab.fill(startDate=str(months_after(today, -1)), maturityDate=str(months_after(today, 11)))
        preview = tab.page.get_by_role("table", name="Schedule")
        sync_api.expect(preview.get_by_role("row", name="Total")).to_contain_text("€50,000.00")
        tab.press("Offer")
        tab.toast("Offered to Demo Staffing GmbH")
        tab.heading("Loan to Demo Staffing GmbH")
        loan = tab.page.evaluate("location.hash.slice(1)")
        with console.tab(OWNER) as other:
            other.go(loan)
            other.press("Accept")
            other.press("Accept it")
            other.toast("Accepted")
            assert other.page.get_by_role("button", name="Record a repayment").count() == 0
            assert other.findings() == []
        tab.page.reload()
        tab.press("Record a repayment")
        tab.fill(amount="90,000")
        tab.press("Record")
        sync_api.expect(tab.page.locator(".field-error")).to_contain_text("Must be at most €5")
        tab.problems.clear()
        tab.fill(amount="1,000.50")
        tab.press("Record")
        tab.toast("€1,000.50 recorded")
        tab.press("Repayments")
        tab.page.get_by_role("row", name="€1,000.50").wait_for()
        tab.settle()
        assert tab.findings() == []
