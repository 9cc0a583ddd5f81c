"""Names as a mail may show them: they come from strangers."""

from __future__ import annotations

import re

from chalicelib.core import visible_text

MAX_NAME_CHARACTERS = 60

_UNSEEN = re.compile(rf"[\s\x00-\x1f\x7f-\x9f{visible_text.REFUSED}]+")
LINKING = re.compile(r"(?<=[.:/\\@\u3002\uff0e\uff61])(?=\S)")
"""Inserted between a character that links are made of and the next one. Browsers take U+3002 and its like for dots."""


def safe_name(text: str) -> str:
    """Return a name as a mail may show it: on one line, without hidden characters, cut, and never made a link of.

    A space behind each dot, slash, colon and @: `example.com` becomes `example. com`, which no mail program links.
    """
    line = LINKING.sub(" ", _UNSEEN.sub(" ", text).strip())
    return line if len(line) <= MAX_NAME_CHARACTERS else f"{line[: MAX_NAME_CHARACTERS - 1].rstrip()}…"
