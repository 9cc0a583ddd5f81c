"""The dashboard: what it draws for whom, and its edit mode."""

from __future__ import annotations

import pytest

from tests.support.browser import ADMIN, MEMBER, NEEDS_BROWSER, OWNER, VIEWER, Console

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS_BROWSER


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
        tab.fill(title="Fill rate by day")
        tab.picture("dashboard-add")
        tab.press("Add")
        tile = tab.page.locator(".is-movable", has_text="Fill rate by day")
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
        stored = next(row for row in console.serving.owner().all("/widgets") if row["title"] == "Fill rate by day")
        assert (stored["position"]["x"], stored["position"]["w"]) == (1, 5)
        tab.press("Edit")
        # Somebody else changes it while its form is open.
        tile.get_by_role("button", name="Change Fill rate by day").click()
        tab.page.get_by_role("menuitem", name="Set up").click()
        tab.settle()
        console.serving.owner().patch(f"/widgets/{stored['id']}", title="Filled positions")
        tab.fill(title="Fill rate of all sites")
        tab.press("Save")
        dialog = tab.page.get_by_role("dialog", name="Somebody else changed this")
        sync_api.expect(dialog.get_by_role("row", name="Title")).to_contain_text("Filled positions")
        tab.picture("conflict")
        tab.press("Keep editing")
        assert tab.page.locator("[name=title]").input_value() == "Fill rate of all sites"
        tab.press("Save")
        tab.press("Save mine")
        ours = tab.page.locator(".is-movable", has_text="Fill rate of all sites")
        ours.wait_for()
        assert set(tab.problems) == {f"refused: 412 PATCH {console.serving.url}/api/v1/widgets/{stored['id']}"}
        tab.problems.clear()
        ours.get_by_role("button", name="Change Fill rate of all sites").click()
        tab.page.get_by_role("menuitem", name="Remove").click()
        tab.press("Remove")
        tab.toast("Fill rate of all sites is removed")
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


def test_a_period_is_for_all_charts_and_tables_and_stays_in_the_address(console: Console) -> None:
    with console.tab(OWNER) as tab:
        figures = tab.page.locator(".metric-value").all_inner_texts()
        choice = tab.page.get_by_label("Period of charts and tables")
        choice.select_option("last_90_days")
        tab.settle()
        sync_api.expect(tab.page.locator(".tile-chart .badge", has_text="Last 90 days").first).to_be_visible()
        assert tab.page.locator(".tile-metric .badge", has_text="Last 90 days").count() == 0
        assert tab.page.locator(".metric-value").all_inner_texts() == figures
        assert tab.findings() == []
        tab.page.reload()
        tab.settle()
        sync_api.expect(choice).to_have_value("last_90_days")
        with tab.page.expect_response("**/widgets/*/data?period=last_90_days"):
            tab.press("Refresh")
        choice.select_option("")
        tab.settle()
        assert tab.page.locator(".badge", has_text="Last 90 days").count() == 0
