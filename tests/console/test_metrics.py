"""The editor of metrics."""

from __future__ import annotations

import pytest

from tests.support.browser import NEEDS_BROWSER, OWNER, Console

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER


def test_a_metric_is_made_from_the_catalogue_and_checked_meanwhile(console: Console) -> None:
    with console.tab(OWNER) as tab:
        tab.go("/metrics/new")
        tab.fill(name="Hours completed")
        tab.page.locator("[name=source]").select_option("assignments")
        tab.page.locator("[name=measure]").select_option("sum:hours")
        tab.page.get_by_text("The query is valid; its value is in hours").wait_for()
        preview = tab.page.get_by_role("region", name="Preview")
        sync_api.expect(preview.locator(".metric-value")).not_to_have_text("–")
        tab.page.locator("[name=groupBy]").select_option("clientId")
        preview.get_by_role("table", name="By group").get_by_role("row").first.wait_for()
        tab.page.locator("[name=groupBy]").select_option("")
        tab.page.locator("[name=whereField]").select_option("status")
        tab.page.get_by_text("Complete the condition").wait_for()
        tab.page.locator("[name=whereValue]").select_option("completed")
        tab.page.get_by_text("The query is valid").wait_for()
        tab.picture("metric-editor", is_whole=True)
        value = preview.locator(".metric-value").inner_text()
        assert tab.findings() == []
        tab.press("Create")
        tab.toast(f"Hours completed is {value}")
        tab.page.get_by_role("button", name="Change Hours completed").click()
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
