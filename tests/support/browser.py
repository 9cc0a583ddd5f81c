"""A browser on the console of a run of the product: signed-in pages, and everything that goes wrong in them."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.local import demo
from tests.support.serving import ROOT, Serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Response

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, NARROW = (1440, 900), (360, 740)
OWNER, ADMIN, COORDINATOR, MEMBER, VIEWER = (
    person.email for person in (demo.OWNER, *demo.TEAM) if person.status == "ACTIVE"
)
AXE = ROOT / "tests" / "console" / "vendor" / "axe.js"
SCREENSHOTS = os.environ.get("WORKLEDGER_SCREENSHOTS")
"""Folder for pictures of the pages; none are taken without it."""
TIMEOUT_MILLISECONDS = 60_000
_LOOK_MILLISECONDS = 60
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
"""The browser and system by which sessions are listed."""
# Violations of the policy are reported to the page alone.
_REPORT = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


def executable() -> str | None:
    """Return the path of a Chromium, if there is one."""
    return os.environ.get("WORKLEDGER_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


NEEDS_BROWSER = [
    pytest.mark.storeless,
    pytest.mark.skipif(executable() is None, reason="there is no Chromium: apt-get install chromium"),
]
"""Marks of tests in a browser, which have a run of the product of their own."""


@dataclass
class Tab:
    """A page of the console, with the problems that it had."""

    page: Page
    url: str
    problems: list[str] = field(default_factory=list)
    _pending: int = 0

    def watch(self) -> None:
        self.page.on("console", lambda message: self._note("console", message.text, is_one=message.type == "error"))
        self.page.on("pageerror", lambda error: self._note("error", str(error)))
        self.page.on("request", lambda _: self._count(1))
        self.page.on("requestfinished", lambda _: self._count(-1))
        self.page.on("requestfailed", self._note_failure)
        self.page.on("response", self._note_response)

    def _note(self, kind: str, text: str, *, is_one: bool = True) -> None:
        # Refused requests are noted with their status; the browser's own line says no more.
        if is_one and not text.startswith("Failed to load resource"):
            self.problems.append(f"{kind}: {text}")

    def _count(self, by: int) -> None:
        self._pending += by

    def _note_failure(self, request: Any) -> None:
        self._count(-1)
        # A page that is left ends its requests.
        if request.failure != "net::ERR_ABORTED":
            self._note("failed", f"{request.url} {request.failure}")

    def _note_response(self, response: Response) -> None:
        if response.status >= 400:
            self._note("refused", f"{response.status} {response.request.method} {response.url}")

    def go(self, path: str) -> None:
        """Open a page by its path and wait until it has everything."""
        self.page.evaluate("path => { location.hash = path }", path)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing loads, twice in a row: a page that arrived may ask for its data only then."""
        deadline = time.monotonic() + TIMEOUT_MILLISECONDS / 1000
        quiet = 0
        while quiet < 2:
            assert time.monotonic() < deadline, f"{self._pending} requests are not answered"
            self.page.wait_for_timeout(_LOOK_MILLISECONDS)
            is_loading = self._pending > 0 or self.page.locator(".skeleton").count() > 0
            quiet = 0 if is_loading else quiet + 1

    def fill(self, **values: str) -> None:
        """Fill inputs by name."""
        for name, value in values.items():
            self.page.locator(f"[name={name}]").fill(value)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def menu(self, of: str, item: str) -> None:
        """Choose from the menu of a row: `of` is the name of its entity."""
        self.page.get_by_role("button", name=f"Actions for {of}", exact=True).first.click()
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def heading(self, text: str) -> None:
        """Wait for the page with this heading."""
        self.page.get_by_role("heading", name=text, level=1, exact=True).wait_for()

    def toast(self, text: str) -> None:
        self.page.locator(".toast", has_text=text).wait_for()

    def resize(self, size: tuple[int, int]) -> None:
        """Give the window another size, in which the page is laid out at once."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        # Charts follow their boxes in the next frame.
        self.page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")

    def findings(self, *rules: str) -> list[str]:
        """Return axe's findings of serious and critical impact, by these rules or by all."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
        result = self.page.evaluate("options => axe.run(document, options)", options)
        return [
            f"{finding['id']}: {node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}"
            for finding in result["violations"]
            if finding["impact"] in {"serious", "critical"}
            for node in finding["nodes"]
        ]

    def overflow(self) -> int:
        """Return the pixels by which the page is wider than the window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return max(0, width)

    def picture(self, name: str, *, is_whole: bool = False) -> None:
        """Take a picture, if pictures are asked for."""
        if SCREENSHOTS:
            self.page.wait_for_timeout(400)
            self.page.mouse.move(0, 0)
            self.page.evaluate("scrollTo(0, 0)")
            size = self.page.viewport_size
            assert size is not None
            # The sidebar is as long as the window.
            height = self.page.evaluate("document.documentElement.scrollHeight") if is_whole else size["height"]
            self.page.set_viewport_size({"width": size["width"], "height": height})
            self.page.screenshot(path=Path(SCREENSHOTS, f"console-{name}.png"), animations="disabled")
            self.page.set_viewport_size(size)


class Console:
    """The console of a run, in one browser."""

    def __init__(self, serving: Serving, browser: Browser) -> None:
        self.serving = serving
        self._browser = browser
        self._tokens: dict[str, str] = {}
        self._contexts: dict[tuple[Any, ...], BrowserContext] = {}

    @contextmanager
    def tab(
        self, email: str | None = None, size: tuple[int, int] = WIDE, *, token: str | None = None, **options: Any
    ) -> Iterator[Tab]:
        """Open the console in the browser profile of a person, signed in as `email`; ends with a check for problems.

        `token`: of somebody who is not of the demo.
        """
        if email is not None and token is not None:
            self._tokens[email] = token
        context = self._context(email, **options)
        try:
            tab = self.open(context, email, size)
            yield tab
            assert tab.problems == []
        finally:
            # Storage of the session goes with its pages; the files that are cached stay for the next tab.
            for page in context.pages:
                page.close()

    def _context(self, email: str | None, **options: Any) -> BrowserContext:
        """Return the browser profile of a person, whose files are cached after its first tab."""
        key = (email, *sorted(options.items()))
        if key not in self._contexts:
            context = self._browser.new_context(
                locale="en-GB", timezone_id="America/New_York", base_url=self.serving.url, **options
            )
            context.set_default_timeout(TIMEOUT_MILLISECONDS)
            context.add_init_script(_REPORT)
            self._contexts[key] = context
        return self._contexts[key]

    def open(self, context: BrowserContext, email: str | None = None, size: tuple[int, int] = WIDE) -> Tab:
        page = context.new_page()
        page.set_viewport_size({"width": size[0], "height": size[1]})
        tab = Tab(page, f"{self.serving.url}/console")
        tab.watch()
        if email is not None:
            token = json.dumps(self.token(email))
            once = "if (!sessionStorage.getItem('seen')) { sessionStorage.setItem('seen', 'yes');"
            page.add_init_script(f"{once} sessionStorage.setItem('workledger.token', {token}); }}")
        page.goto(tab.url)
        tab.settle()
        return tab

    def token(self, email: str) -> str:
        if email not in self._tokens:
            url = f"{self.serving.url}/api/v1/auth/sign-in"
            body = {"email": email, "password": demo.PASSWORD}
            answer = self.serving.http.request("POST", url, json=body, headers={"User-Agent": _AGENT})
            self._tokens[email] = answer.json()["data"]["token"]
        return self._tokens[email]

    def forget(self, email: str) -> None:
        """Sign in anew at the next tab: the token was given back."""
        self._tokens.pop(email, None)

    def pages(self, tab: Tab) -> list[dict[str, Any]]:
        """Return the pages that the caller may open, those with parameters among them."""
        release = re.search(r"/console/([0-9a-f]+)/", tab.page.content())
        assert release is not None
        listed: list[dict[str, Any]] = tab.page.evaluate(
            """async (folder) => {
              const { PAGES } = await import(`${folder}/lib/pages.js`);
              const { may } = await import(`${folder}/lib/session.js`);
              return PAGES.filter(({ permission }) => !permission || may(permission))
                .map(({ path, title, isPublic = false }) => ({ path, title, isPublic }));
            }""",
            f"/console/{release[1]}",
        )
        return listed
