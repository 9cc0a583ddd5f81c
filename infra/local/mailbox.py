"""The mails that the product sent, newest first: JSON for programs, a page for people."""

from __future__ import annotations

import html
import json
import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from moto.ses.models import ses_backends

from chalicelib.action.security_headers import SECURITY_HEADERS, page_policy
from infra.local.engine import ACCOUNT, REGION
from infra.local.gateway import HttpRequest, HttpResponse

log = logging.getLogger("workledger.local.mailbox")

PATH = "/_local/mail"
_LINK = re.compile(r"https?://[^\s<]+")
_CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}\b")


class _Sent(list[Any]):
    """moto's list of sent mails, with the time of sending and a line in the log."""

    def append(self, message: Any) -> None:
        message.sent_at = datetime.now(UTC)
        super().append(message)
        mail = _mail(message)
        log.info("mail to %s: %s, code %s", mail["recipient"], mail["subject"], mail["code"])


class Mailbox:
    """The mails that arrive in this process's moto from now on."""

    def __init__(self) -> None:
        self._sent = _Sent()
        ses_backends[ACCOUNT][REGION].sent_messages = self._sent

    def mails(self, to: str | None = None) -> list[dict[str, Any]]:
        """Return the mails, newest first; with `to`, only those to that address."""
        mails = (_mail(message) for message in reversed(self._sent))
        return [mail for mail in mails if to is None or mail["recipient"].casefold() == to.casefold()]

    def latest_code(self, to: str) -> str | None:
        return next((mail["code"] for mail in self.mails(to) if mail["code"]), None)

    def page(self, request: HttpRequest) -> HttpResponse:
        to = parse_qs(request.target.partition("?")[2]).get("to", [None])[-1]
        mails = self.mails(to)
        headers = {**SECURITY_HEADERS, "Content-Type": "application/json"}
        if _prefers_html(request.headers.get("accept", [])):
            headers |= {"Content-Type": _HTML, "Content-Security-Policy": page_policy(styles=[_STYLE])}
            return HttpResponse(200, _html(mails).encode(), list(headers.items()))
        body = json.dumps(mails, ensure_ascii=False, indent=2)
        return HttpResponse(200, f"{body}\n".encode(), list(headers.items()))


def _mail(message: Any) -> dict[str, Any]:
    code = _CODE.search(message.body)
    return {
        "recipient": ", ".join(message.destinations["ToAddresses"]),
        "subject": message.subject,
        "body": message.body,
        "code": code[0] if code else None,
        "sentAt": message.sent_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def _prefers_html(accept: Iterable[str]) -> bool:
    kinds = [kind.partition(";")[0].strip() for line in accept for kind in line.split(",")]
    return "text/html" in kinds and "application/json" not in kinds[: kinds.index("text/html")]


_HTML = "text/html; charset=utf-8"
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733 }
article { border: 1px solid #d5dce3; border-radius: .5rem; padding: 1rem; margin: 1rem 0 }
h2 { font-size: 1.1rem; margin: 0 } p { margin: .2rem 0; color: #5b6b7a } pre { white-space: pre-wrap }
code { font-size: 1.2rem; background: #eef3f8; padding: .1rem .4rem }
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Local mailbox</title>
<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">
<style>{style}</style></head>
<body><h1>Local mailbox</h1><p>{count} mails, newest first. Nothing left this machine.</p>
{mails}</body></html>
"""
_ARTICLE = """<article><h2>{subject}</h2><p>to {recipient}, {sentAt}</p>{code}<pre>{body}</pre></article>
"""


def _html(mails: list[dict[str, Any]]) -> str:
    return _PAGE.format(style=_STYLE, count=len(mails), mails="".join(map(_article, mails)))


def _article(mail: dict[str, Any]) -> str:
    safe = {name: html.escape(str(value)) for name, value in mail.items()}
    code = f"<p>code <code>{safe['code']}</code></p>" if mail["code"] else ""
    body = _LINK.sub(lambda link: f'<a href="{link[0]}">{link[0]}</a>', safe["body"])
    return _ARTICLE.format(**safe | {"code": code, "body": body})
