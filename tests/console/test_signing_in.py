"""Signing in, up and out, by password, invitation and mail."""

from __future__ import annotations

import pytest

from infra.local import demo
from tests.support.browser import MEMBER, NEEDS_BROWSER, OWNER, VIEWER, Console, Tab

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER


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
        token = console.serving.api().post("/auth/sign-in", email="ida.falk@demo.example", password=PASSWORD)["token"]
        assert console.serving.api(token).get("/organization")["timezone"] == "America/New_York"
        tab.page.goto(_mailed_link(console, "ida.falk@demo.example", "confirm-email"))
        tab.heading("Confirm your address")
        tab.press("Confirm")
        tab.toast("Your address is confirmed")
        tab.heading("Dashboard")
        assert tab.page.locator(".banner").count() == 0
