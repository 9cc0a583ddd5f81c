"""`python -m benchmarks.dashboard`: how long the demo's dashboard takes to be drawn, in a browser on this machine."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.tables import show
from infra.local.engine import configured_store
from tests.support.browser import FLAGS, OWNER, Console, executable
from tests.support.serving import Serving

_REPEATS = 7
_MIN_WIDGETS = 10
# Milliseconds since the navigation at which all tiles have their content, and charts are drawn.
_LOOK = f"""
function look() {{
  const tiles = [...document.querySelectorAll(".tile")];
  const hasChart = (tile) => !tile.matches(".tile-chart") || tile.querySelector("svg");
  const isDrawn = (tile) => !tile.querySelector(".skeleton") && hasChart(tile);
  if (tiles.length >= {_MIN_WIDGETS} && tiles.every(isDrawn)) window.drawnAt = performance.now();
  else requestAnimationFrame(look);
}}
"""
_DRAWN = "() => window.drawnAt"


def main() -> int:
    chromium = executable()
    if chromium is None:
        print("no measurement: there is no Chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        serving = Serving(configured_store(), Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        console = Console(serving, browser)
        first, again, refreshed = [], [], []
        for _ in range(_REPEATS):
            # A profile of its own has no file in its cache.
            context = browser.new_context(base_url=serving.url)
            context.add_init_script(f"{_LOOK} addEventListener('DOMContentLoaded', look)")
            tab = console.open(context, OWNER)
            first.append(tab.page.wait_for_function(_DRAWN).json_value())
            tab.page.reload()
            again.append(tab.page.wait_for_function(_DRAWN).json_value())
            tab.settle()
            tab.go("/sessions")
            started = tab.page.evaluate("(window.drawnAt = undefined, performance.now())")
            tab.page.evaluate("(location.hash = '/', look())")
            refreshed.append(tab.page.wait_for_function(_DRAWN).json_value() - started)
            context.close()
        widgets = sum(1 for _ in serving.owner().all("/widgets"))
        browser.close()
        serving.end()
    rows = [
        (name, statistics.median(times), max(times))
        for name, times in (("first visit", first), ("reload", again), ("from another page", refreshed))
    ]
    show(f"The dashboard of the demo, {widgets} widgets, drawn", ("visit", "ms, median", "ms, slowest"), rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
