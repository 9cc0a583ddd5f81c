"""One run of the product, and one browser, for all tests of the console."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.browser import FLAGS, Console, executable
from tests.support.serving import Serving, runnable_store


@pytest.fixture(scope="package")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    serving = Serving(runnable_store(), tmp_path_factory.mktemp("data")).complete()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        yield Console(serving, browser)
        browser.close()
    log = serving.end()
    assert "Traceback" not in log
