"""Visibility rules of single-line texts: no invisible name, no hidden character, no turned reading direction.

The ranges are Unicode's `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt, 16.0), which the standard library
lacks, sorted by their treatment. Unicode keeps its unassigned members ignorable, so the list does not age.
"""

from __future__ import annotations

import re
import unicodedata

import idna.core
from pydantic_core import PydanticCustomError

# The insides of character classes. Escaped where every dialect of regular expressions knows the escape: they are
# published in the API's schemas too.
_BREAKS = r"\u2028\u2029"
_TURNING = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_JOINERS = r"\u200c\u200d"
_SELECTORS = r"\u180b-\u180d\u180f\ufe00-\ufe0f" + "\U000e0100-\U000e01ef"
"""Variation selectors, which Japanese and Mongolian names and emoji need behind a character."""
_TAGS = "\U000e0020-\U000e007f"
"""Letters within the flags of England, Scotland and others; anywhere else they hide a text."""
_HIDDEN = (
    r"\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"
)
"""Invisible characters, with the anchors of interlinear annotations, U+FFF9 to U+FFFB, which are just as invisible."""
_NO_CHARACTERS = r"\ufdd0-\ufdef\ufffe\uffff"
_MORE_NO_CHARACTERS = "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000)
)
"""Noncharacters, which no text has. The two of each further plane would double the published schemas."""
_BLANK = r"\u2800\ufffc" + "\U0001d159"
"""Symbols that are drawn as nothing."""

REFUSED = _BREAKS + _TURNING + _HIDDEN + _NO_CHARACTERS
"""Refused anywhere in a text."""
UNSEEN = _JOINERS + _SELECTORS + _TAGS + _BLANK
"""A text of these and the refused alone looks like nothing."""

_SEEN = re.compile(f"[^\\s{REFUSED}{UNSEEN}]")
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")
_BREAK = re.compile(f"[{_BREAKS}]")
_TURNS = re.compile(f"[{_TURNING}]")
_SUSPECT = re.compile(f"[{_HIDDEN}{_NO_CHARACTERS}{_MORE_NO_CHARACTERS}{_JOINERS}{_SELECTORS}{_TAGS}]")
_SELECTOR = re.compile(f"[{_SELECTORS}]")
_AROUND_A_JOINER = 16
_VIRAMA = 9
"""The combining class of the signs that join consonants in the scripts of India."""


def require_visible(text: str) -> str:
    """Return the text; raise where it has no visible character, or a refused one."""
    if not _SEEN.search(text):
        raise PydanticCustomError("invisible_text", "must have a visible character")
    if _BREAK.search(text):
        raise PydanticCustomError("line_break", "must not have line breaks (U+2028 or U+2029)")
    if _TURNS.search(text):
        raise PydanticCustomError(
            "reading_direction", "must not have characters that turn the reading direction (U+202E and its like)"
        )
    without_flags = _FLAG.sub("\U0001f3f4", text)
    for match in _SUSPECT.finditer(without_flags):
        if not _has_a_use(without_flags, match.start()):
            code = f"U+{ord(match[0]):04X}"
            raise PydanticCustomError(
                "invisible_character", "must not have invisible characters ({code})", {"code": code}
            )
    return text


def _has_a_use(text: str, position: int) -> bool:
    char, before = text[position], text[position - 1 : position]
    if char in "\u200c\u200d":
        return _joins_letters(text, position) or (char == "\u200d" and _joins_emoji(text, position))
    return _SELECTOR.match(char) is not None and _SEEN.match(before) is not None


def _joins_letters(text: str, position: int) -> bool:
    """True where a script needs the joiner: by the rules for domain names (RFC 5892, A.1 and A.2).

    They leave out a joiner before a virama, which Bengali writes.
    """
    after = text[position + 1 : position + 2]
    if text[position] == "\u200d" and position and after and unicodedata.combining(after) == _VIRAMA:
        return True
    start = max(0, position - _AROUND_A_JOINER)
    try:
        return idna.core.valid_contextj(text[start : position + _AROUND_A_JOINER], position - start)
    except ValueError:  # a character without a name
        return False


def _joins_emoji(text: str, position: int) -> bool:
    before = text[max(0, position - 2) : position].removesuffix("\ufe0f")[-1:]
    return _is_symbol(before) and _is_symbol(text[position + 1 : position + 2])


def _is_symbol(char: str) -> bool:
    """Symbols, and the block of pictographs with those that this Python's Unicode does not know yet."""
    return char != "" and (unicodedata.category(char)[0] == "S" or "\U0001f000" <= char <= "\U0001faff")
