"""`python -m benchmarks.dashboard`: how long the demo's dashboard takes to be drawn, in a browser on this machine.

Most of a first run is the demo being filled, minutes on a busy machine. `--data FOLDER` keeps it for the next run.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from benchmarks.tables import show
from infra.local.engine import Store, configured_store
from tests.support.browser import FLAGS, OWNER, Console, Tab, executable
from tests.support.serving import Serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_REPEATS = 7
_ROW_NAMES = ("first visit", "reload", "from another page")
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
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard", description=__doc__)
    parser.add_argument("--data", type=Path, help="directory in which the demo is kept")
    options = parser.parse_args()
    chromium = executable()
    if chromium is None:
        print("no measurement: there is no Chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        print("The demo is being filled …", file=sys.stderr)
        serving = Serving(configured_store(default=Store.DYNOXIDE), options.data or Path(folder)).complete()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
                console = Console(serving, browser)
                visits = [_visits(console, browser, number) for number in range(1, _REPEATS + 1)]
                browser.close()
            widgets = sum(1 for _ in serving.owner().all("/widgets"))
        finally:
            serving.end()
    times = zip(_ROW_NAMES, zip(*visits, strict=True), strict=True)
    rows = [(name, statistics.median(values), max(values)) for name, values in times]
    show(f"The dashboard of the demo, {widgets} widgets, drawn", ("visit", "ms, median", "ms, slowest"), rows)
    return 0


def _visits(console: Console, browser: Browser, number: int) -> tuple[float, float, float]:
    """Return the milliseconds of a visit without a file in the cache, of a reload, and of a way back."""
    context = browser.new_context(base_url=console.serving.url)
    context.add_init_script(_LOOK)
    tab = console.open(context, OWNER)
    first = _drawn_at(tab)
    tab.page.reload()
    again = _drawn_at(tab)
    tab.go("/sessions")
    left = float(tab.page.evaluate("(window.drawnAt = null, performance.now())"))
    tab.page.evaluate("(location.hash = '/', window.look())")
    back = _drawn_at(tab) - left
    context.close()
    print(f"{number} of {_REPEATS}: {first:,.0f}, {again:,.0f}, {back:,.0f} ms", file=sys.stderr)
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
