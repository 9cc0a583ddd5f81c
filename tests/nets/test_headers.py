"""Security and cache headers of all answers, and `HEAD`, for every action."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from chalicelib.action.registry import PREFIX, REGISTRY
from chalicelib.action.security_headers import ANYBODYS, REVALIDATED, SECURITY_HEADERS
from tests.support.api import Answer, Api
from tests.support.arrange import Arranged, arrange, names
from tests.support.factories import Organization

GETS = names(lambda action: action.method == "GET")
_SECRETS = re.compile(r'"(token|code|password\w*|cursorSecret)": "')
_VARYING = {"X-Request-Id", "Content-Length", "ETag", "Date"}


def _assert_headers(answer: Answer) -> None:
    for name in SECURITY_HEADERS.keys() - {"Cache-Control"}:
        assert answer.headers[name] == SECURITY_HEADERS[name]
    cache_control = answer.headers["Cache-Control"]
    assert cache_control == (REVALIDATED if "ETag" in answer.headers else "no-store"), answer.headers
    assert not _SECRETS.search(answer.text) or cache_control == "no-store"


@pytest.mark.parametrize("action", [*REGISTRY])
def test_every_answer_has_cache_and_security_headers(home: Organization, action: str) -> None:
    arranged = arrange(action, home)
    answer = arranged.send()
    assert answer.status == arranged.action.status, answer.text
    if arranged.action.is_public and arranged.action.raw_media_type is not None:
        assert answer.headers["Cache-Control"] == ANYBODYS
    else:
        _assert_headers(answer)
    _assert_headers(home.api.send(replace(arranged.call, query={"surplus": "1"}, body=b"[]"), token="nobody's"))


@pytest.mark.parametrize("action", GETS)
def test_head_is_get_without_the_body(home: Organization, action: str) -> None:
    arranged = arrange(action, home)
    by_get, by_head = (_raw(arranged, method) for method in ("GET", "HEAD"))
    assert (by_head.status, by_head.text) == (by_get.status, "")
    assert by_head.status == arranged.action.status
    for name in {*by_get.headers, *by_head.headers} - _VARYING:
        assert by_head.headers[name] == by_get.headers[name], name
    assert ("ETag" in by_head.headers) == ("ETag" in by_get.headers)
    # The instant of the answer may be written longer or shorter.
    assert abs(int(by_head.headers["Content-Length"]) - len(by_get.text.encode())) < 10


def test_head_requires_the_same_permissions(api: Api) -> None:
    answer = api.raw("HEAD", f"{PREFIX}/clients", {})
    assert (answer.status, answer.text) == (401, "")


def test_pages_run_only_their_own_scripts_and_cannot_be_framed(api: Api) -> None:
    for path in ("/docs", f"{PREFIX}/docs"):
        answer = api.raw("GET", path, {})
        policy = dict(part.partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        for directive, tag in (("script-src", "script"), ("style-src", "style")):
            inline = re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
            assert inline
            assert policy[directive].split() == [_hash(text) for text in inline]
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        head = api.raw("HEAD", path, {})
        assert (head.status, head.text, head.headers["Content-Length"]) == (200, "", str(len(answer.text.encode())))


def _hash(text: str) -> str:
    import base64
    import hashlib

    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _raw(arranged: Arranged, method: str) -> Answer:
    call = arranged.call
    target = (PREFIX + arranged.action.path).format(**call.path)
    target += f"?{urlencode(call.query, doseq=True)}" if call.query else ""
    token = {"Authorization": f"Bearer {arranged.sender.token}"} if arranged.sender else {}
    return arranged.api.raw(method, target, {**call.headers, **token})
