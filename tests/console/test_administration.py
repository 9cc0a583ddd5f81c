"""Users, settings and the audit log in the console."""

from __future__ import annotations

import pytest

from infra.local import demo
from tests.support.browser import ADMIN, NEEDS_BROWSER, OWNER, Console

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER


def test_somebody_is_invited_changed_and_taken_back(console: Console) -> None:
    with console.tab(ADMIN) as tab:
        tab.go("/users")
        tab.press("Invite somebody")
        assert "Owner" not in tab.page.locator("dialog [name=role] option").all_inner_texts()
        tab.fill(email=OWNER, firstName="Tim", lastName="Arndt")
        tab.press("Invite")
        tab.page.locator("dialog .field-error").wait_for()
        assert tab.problems.pop().startswith("refused: 409 POST")
        tab.fill(email="tim.arndt@demo.example")
        tab.press("Invite")
        tab.toast("The invitation to tim.arndt@demo.example is on its way")
        tab.menu("Tim Arndt", "Change the role")
        tab.page.locator("dialog [name=role]").select_option("VIEWER")
        tab.press("Save")
        tab.toast("Tim Arndt is viewer now")
        tab.menu("Tim Arndt", "Withdraw the invitation")
        tab.press("Withdraw")
        tab.toast("The invitation is withdrawn")
        tab.page.get_by_role("button", name="Actions for Ottilie Brandt").click()
        assert tab.page.get_by_role("menuitem").all_inner_texts() == ["Change the name", "Rates"]


def test_a_deactivated_user_is_let_back_in_and_deleted(console: Console) -> None:
    with console.tab(OWNER) as tab:
        tab.go("/users?isActive=false")
        tab.menu("Dieter Wolf", "Let back in")
        tab.toast("Dieter Wolf is back")
        tab.go("/users?search=wolf")
        tab.menu("Dieter Wolf", "Change the name")
        tab.fill(lastName="Wolff")
        tab.press("Save")
        tab.toast("Dieter Wolff is saved")
        tab.menu("Dieter Wolff", "Deactivate")
        tab.press("Deactivate")
        tab.toast("Dieter Wolff is deactivated")
        sync_api.expect(tab.page.locator("tbody .badge")).to_have_text("Deactivated")
        tab.menu("Dieter Wolff", "Delete")
        tab.press("Delete")
        tab.toast("Dieter Wolff is deleted")


def test_settings_have_their_errors_at_the_fields(console: Console) -> None:
    with console.tab(OWNER) as tab:
        tab.go("/settings")
        tab.fill(region="XX")
        tab.press("Save")
        tab.page.locator("[name=region][aria-invalid=true]").wait_for()
        assert tab.problems.pop().startswith("refused: 400 PATCH")
        for name in ("Demo Staffing AG", demo.ORGANIZATION):
            tab.fill(name=name, region="DE")
            tab.press("Save")
            tab.page.locator(".top-organization", has_text=name).wait_for()
            tab.settle()


def test_the_audit_log_says_what_was_before_and_after(console: Console) -> None:
    owner = console.serving.api(console.token(OWNER))
    client = owner.post("/clients", name="Werft Kranz", phone="040 5550010")
    owner.patch(f"/clients/{client['id']}", phone="040 5550011")
    with console.tab(OWNER) as tab:
        tab.go("/audit-log?entityType=client")
        tab.page.get_by_role("button", name="Werft Kranz").first.click()
        tab.settle()
        sync_api.expect(tab.page.locator(".table-box > table > tbody > tr")).to_have_count(2)
        tab.page.locator("summary").first.click()
        row = tab.page.locator(".changes").first.get_by_role("row", name="Phone")
        sync_api.expect(row).to_have_text("Phone040 5550010040 5550011")
        assert tab.findings() == []
        tab.page.get_by_role("button", name="Client updated").click()
        tab.settle()
        sync_api.expect(tab.page.locator(".table-box > table > tbody > tr")).to_have_count(1)
