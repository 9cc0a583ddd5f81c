"""Comparison of texts: folded for search and sorting, normalized for uniqueness."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Case- and accent-insensitive form, for substring search and for sorting."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def unique_form(text: str) -> str:
    """Case-insensitive form under which two names are the same; accents still distinguish."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
