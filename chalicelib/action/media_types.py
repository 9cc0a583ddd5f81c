"""Media types (RFC 9110): the type of a body, and whether an answer is preferred as CSV."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

JSON = "application/json"
CSV = "text/csv"

# Possessive throughout: a header that does not match fails in one pass.
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_PARAMETER = rf'[ \t]*+;[ \t]*+(?:({_WORD})=({_WORD}|"(?:[^"\\]|\\.)*+"))?+'
_PARAMETERS = re.compile(_PARAMETER)
_ELEMENT = re.compile(rf"[ \t]*+(?:({_WORD})/({_WORD})((?:{_PARAMETER})*+))?+[ \t]*+(?:,|\Z)")
_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
_ESCAPED = re.compile(r"\\(.)")


class MediaRange(NamedTuple):
    """A media type or, in an Accept header, several: `text/*`. All in lower case."""

    type: str
    subtype: str
    parameters: Mapping[str, str]
    """Without the weight."""
    weight: float

    @property
    def name(self) -> str:
        return f"{self.type}/{self.subtype}"

    def covers(self, media_type: str) -> bool:
        type_, _, subtype = media_type.partition("/")
        # Texts of ours are in UTF-8; nothing else is said of them by a parameter.
        is_ours = all(parameter == ("charset", "utf-8") for parameter in self.parameters.items())
        return is_ours and self.type in {"*", type_} and self.subtype in {"*", subtype}

    @property
    def precision(self) -> tuple[bool, bool, int]:
        """The precision of a range: the most precise one that covers a media type decides."""
        return self.type != "*", self.subtype != "*", len(self.parameters)


def parse(header: str) -> list[MediaRange] | None:
    """Parse a list of media ranges; None if it is malformed."""
    ranges: list[MediaRange] = []
    position = 0
    while position < len(header):
        element = _ELEMENT.match(header, position)
        if element is None:
            return None
        position = element.end()
        if element[1] is None:  # RFC 9110 lets a list have empty elements
            continue
        parsed = _range(element[1].lower(), element[2].lower(), element[3])
        if parsed is None:
            return None
        ranges.append(parsed)
    return ranges


def prefers_csv(accept: str | None) -> bool:
    """Return True if an Accept header weighs CSV more than JSON; of equals, or when it says nothing, JSON is meant."""
    ranges = parse(accept or "") or []

    def weight(media_type: str) -> float:
        covering = [media_range for media_range in ranges if media_range.covers(media_type)]
        return max(covering, key=lambda media_range: media_range.precision).weight if covering else 0.0

    return weight(CSV) > weight(JSON)


def _range(type_: str, subtype: str, described: str) -> MediaRange | None:
    parameters = {
        match[1].lower(): _unquoted(match[2]).lower() for match in _PARAMETERS.finditer(described) if match[1]
    }
    weight = parameters.pop("q", "1")
    if not _WEIGHT.fullmatch(weight) or (type_ == "*" and subtype != "*"):
        return None
    return MediaRange(type_, subtype, parameters, float(weight))


def _unquoted(value: str) -> str:
    return _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
