"""Serving the console: its page, its files by release, and the redirect from the root."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib.action import console
from chalicelib.action.console import FILES, PAGE, UNCHANGING
from chalicelib.action.security_headers import REVALIDATED, SECURITY_HEADERS
from tests.support.api import Answer, Api

NAMES = sorted(path.relative_to(FILES).as_posix() for path in FILES.rglob("*") if path.is_file())


def _get(api: Api, path: str, **headers: str) -> Answer:
    return api.raw("GET", path, headers)


def test_the_root_leads_to_the_console(api: Api) -> None:
    answer = _get(api, "/")
    assert (answer.status, answer.headers["Location"]) == (302, "/console")


@pytest.mark.parametrize("base", ["", "/dev", "/shop/v2"])
def test_a_page_behind_a_stage_names_its_files_below_it(base: str) -> None:
    addresses = re.findall(r'(?:href|src)="([^"]*)"', console.page(base, None, "id").body)
    assert addresses
    assert all(address.startswith(f"{base}/console/{console.release()}/") for address in addresses)


def test_the_page_is_validated_before_each_use(api: Api) -> None:
    page = _get(api, "/console")
    assert (page.status, page.headers["Cache-Control"]) == (200, REVALIDATED)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    again = _get(api, "/console", **{"If-None-Match": f'"other", W/{page.headers["ETag"]}'})
    assert (again.status, again.text, again.headers["ETag"]) == (304, "", page.headers["ETag"])
    assert _get(api, "/console", **{"If-None-Match": '"other"'}).status == 200


def test_every_file_of_the_page_is_served(api: Api) -> None:
    addresses = re.findall(r'(?:href|src)="([^"]*)"', _get(api, "/console").text)
    assert {_get(api, address).status for address in addresses} == {200}


def test_the_page_runs_nothing_inline_and_nothing_from_other_hosts(api: Api) -> None:
    page = _get(api, "/console")
    policy = dict(part.partition(" ")[::2] for part in page.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?:", page.text)


@pytest.mark.parametrize("name", [name for name in NAMES if name != PAGE])
def test_a_file_is_kept_for_ever(api: Api, name: str) -> None:
    answer = _get(api, f"/console/{console.release()}/{name}")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, UNCHANGING)
    assert answer.text == (FILES / name).read_text()
    for header in SECURITY_HEADERS.keys() - {"Cache-Control"}:
        assert answer.headers[header] == SECURITY_HEADERS[header]
    # The gateway ends at 6 MB.
    assert len(answer.text.encode()) < 3_000_000
    head = api.raw("HEAD", f"/console/{console.release()}/{name}", {})
    assert (head.status, head.text) == (200, "")
    assert head.headers["Content-Length"] == str(len(answer.text.encode()))


@pytest.mark.parametrize(
    "path",
    [
        "..%2faction%2fconsole.py",
        "..%2f..%2fapp.py",
        "%2e%2e/http.py",
        "lib/..%2f..%2faction%2fhttp.py",
        "%2fetc%2fpasswd",
        "lib/%00app.js",
        "lib/nothing.js",
        "index.html",
        "lib",
    ],
)
def test_no_other_file_is_served(api: Api, path: str) -> None:
    answer = _get(api, f"/console/{console.release()}/{path}")
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


def test_a_file_of_another_release_is_not_found(api: Api) -> None:
    answer = _get(api, "/console/0123456789ab/app.js")
    assert (answer.status, answer.code, answer.headers["Cache-Control"]) == (404, "NOT_FOUND", "no-store")


def test_a_changed_file_makes_a_new_release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(console, "FILES", tmp_path)
    (tmp_path / "app.js").write_text("one")
    first = console.release()
    assert re.fullmatch("[0-9a-f]{12}", first)
    assert console.file(first, "app.js", "id").status == 200
    (tmp_path / "app.js").write_text("three")
    # Seen at the file itself: nobody has asked for the page since.
    assert console.file(first, "app.js", "id").status == 404
    second = console.release()
    assert second != first
    assert console.file(second, "app.js", "id").body == "three"
    (tmp_path / "app.js").unlink()
    assert console.file(second, "app.js", "id").status == 404
    (tmp_path / "app.js").write_text("one")
    assert console.release() == first
