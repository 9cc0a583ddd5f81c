"""Comparison of texts: folded for search and sorting, normalized for uniqueness, by letters for names of the code."""

from __future__ import annotations

import re
import unicodedata

_SPECIAL = {
    **dict.fromkeys(map(ord, "‘’‛′ʹʻʼ´"), "'"),
    **dict.fromkeys(map(ord, "“”„‟″«»"), '"'),
    ord("ð"): "d",
    ord("þ"): "th",
    ord("ı"): "i",
    ord("ĸ"): "q",
    ord("ŋ"): "n",
    ord("ə"): "e",
    ord("ɛ"): "e",
}
_NO_LETTER = re.compile(r"[\W_]")
_VARIANT = re.compile("LATIN SMALL (?:LETTER|LIGATURE) ([A-Z]{1,2})(?: WITH .*| DIGRAPH)?")


class _Letters(dict[int, str]):
    """Base letters by code point, for `str.translate`: ł is l, ø is o, æ is ae.

    Unicode decomposes é, but not these. PostgreSQL's `unaccent` replaces them, too, here by their Unicode names.
    """

    def __missing__(self, code_point: int) -> str:
        letter = chr(code_point)
        variant = _VARIANT.fullmatch(unicodedata.name(letter, ""))
        if variant is not None:
            letter = variant[1].lower()
        elif unicodedata.category(letter) == "Pd":
            letter = "-"
        self[code_point] = letter
        return letter


_LETTERS = _Letters(_SPECIAL)


def fold(text: str) -> str:
    """Case- and accent-insensitive form with single blanks, for substring search and for sorting."""
    if text.isascii():  # has no accents: an eighth of the time, ten times a write
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    if not letters.isascii():
        letters = letters.translate(_LETTERS).casefold()
    return " ".join(letters.split())


def letters(name: str) -> str:
    """Return the letters and digits of a name of the code: `First Name`, `FIRST-NAME` and `firstName` have the same."""
    return _NO_LETTER.sub("", name).casefold()


def shortened(text: str, maximum: int) -> str:
    """Return a text of at most so many characters, with an ellipsis where it is cut.

    The cut is between characters as people see them: accents, joined emoji and flags stay whole, or go.
    """
    if len(text) <= maximum:
        return text
    end = maximum - 1
    while end > maximum - _LONGEST_CHARACTER and _continues(text, end):
        end -= 1
    return f"{text[:end].rstrip()}…"


_LONGEST_CHARACTER = 64
"""Bound of the search: a text may be nothing but accents."""
_JOINER = "\u200d"
_ATTACHED = re.compile("[\u200c\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]+$")


def _continues(text: str, at: int) -> bool:
    """Return True if the character at a place belongs to the one before it."""
    if unicodedata.category(text[at]) in {"Mn", "Mc", "Me"} or _ATTACHED.match(text[at]) or text[at - 1] == _JOINER:
        return True
    letters = _FLAG_LETTERS.search(text[:at])
    return letters is not None and len(letters[0]) % 2 == 1 and _FLAG_LETTERS.match(text[at]) is not None


def unique_form(text: str) -> str:
    """Case-insensitive form under which two names are the same; accents still distinguish."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
