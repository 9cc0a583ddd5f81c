"""`python -m benchmarks.dashboard`: how long the demo's dashboard takes to be drawn, in a browser on this machine."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from benchmarks.tables import show
from infra.local.engine import configured_store
from tests.support.browser import FLAGS, OWNER, Console, Tab, executable
from tests.support.serving import Serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_REPEATS = 7
_MIN_WIDGETS = 10
_MAX_LOOKS = 600
# `drawnAt`: milliseconds since the navigation at which all tiles have their content, and charts are drawn.
_LOOK = f"""
window.look = () => {{
  const tiles = [...document.querySelectorAll(".tile")];
  const hasChart = (tile) => !tile.matches(".tile-chart") || tile.querySelector("svg");
  const isDrawn = (tile) => !tile.querySelector(".skeleton") && hasChart(tile);
  if (tiles.length >= {_MIN_WIDGETS} && tiles.every(isDrawn)) window.drawnAt = performance.now();
  else requestAnimationFrame(look);
}};
addEventListener("DOMContentLoaded", window.look);
"""


def main() -> int:
    chromium = executable()
    if chromium is None:
        print("no measurement: there is no Chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        serving = Serving(configured_store(), Path(folder))
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
                visits = [_visits(serving, browser) for _ in range(_REPEATS)]
                browser.close()
            widgets = sum(1 for _ in serving.owner().all("/widgets"))
        finally:
            serving.end()
    names = ("first visit", "reload", "from another page")
    times = zip(names, zip(*visits, strict=True), strict=True)
    rows = [(name, statistics.median(values), max(values)) for name, values in times]
    show(f"The dashboard of the demo, {widgets} widgets, drawn", ("visit", "ms, median", "ms, slowest"), rows)
    return 0


def _visits(serving: Serving, browser: Browser) -> tuple[float, float, float]:
    """Return the milliseconds of a visit without a file in the cache, of a reload, and of a way back."""
    context = browser.new_context(base_url=serving.url)
    context.add_init_script(_LOOK)
    tab = Console(serving, browser).open(context, OWNER)
    first = _drawn_at(tab)
    tab.page.reload()
    again = _drawn_at(tab)
    tab.go("/sessions")
    left = float(tab.page.evaluate("(window.drawnAt = null, performance.now())"))
    tab.page.evaluate("(location.hash = '/', window.look())")
    back = _drawn_at(tab) - left
    context.close()
    return first, again, back


def _drawn_at(tab: Tab) -> float:
    for _ in range(_MAX_LOOKS):
        drawn_at = tab.page.evaluate("window.drawnAt ?? null")
        if drawn_at is not None:
            return float(drawn_at)
        tab.page.wait_for_timeout(50)
    raise AssertionError("the dashboard is not drawn")


if __name__ == "__main__":
    sys.exit(main())
