"""Messages of validation errors: fragments in plain English that go on after the field's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from chalicelib.core.text import letters

Context = Mapping[str, Any]

MISSING = "is required"
UNKNOWN_FIELD = "is not a field of this action"

_TEXTS: Mapping[str, str] = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "date_from_datetime_inexact": "must be a date, YYYY-MM-DD",
    "date_from_datetime_parsing": "must be a date, YYYY-MM-DD",
    "date_parsing": "must be a date, YYYY-MM-DD",
    "date_type": "must be a date, YYYY-MM-DD",
    "datetime_from_date_parsing": "must be an ISO 8601 date-time with an offset",
    "datetime_object_invalid": "must be an ISO 8601 date-time with an offset",
    "datetime_parsing": "must be an ISO 8601 date-time with an offset",
    "datetime_type": "must be an ISO 8601 date-time with an offset",
    "decimal_max_digits": "must have at most {max_digits} digits",
    "decimal_max_places": "must have at most {decimal_places} decimal places",
    "decimal_parsing": "must be a number",
    "decimal_type": "must be a number",
    "decimal_whole_digits": "must have at most {whole_digits} digits before the decimal point",
    "dict_type": "must be an object",
    "extra_forbidden": UNKNOWN_FIELD,
    "finite_number": "must be a number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must have fewer digits",
    "int_type": "must be a whole number",
    "invalid_key": "must have texts as names",
    "json_invalid": "is not JSON",
    "json_type": "is not JSON",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "mapping_type": "must be an object",
    "missing": MISSING,
    "model_attributes_type": "must be an object",
    "model_type": "must be an object",
    "none_required": "must be null",
    "recursion_loop": "is nested too deep",
    "set_type": "must be a list",
    "string_not_ascii": "must have ASCII characters only",
    "string_pattern_mismatch": "does not have the form that this field takes",
    "string_type": "must be a text",
    "string_unicode": "is not valid text",
    "timezone_aware": "must have an offset, such as Z or +01:00",
    "tuple_type": "must be a list",
    "union_tag_not_found": MISSING,
    "uuid_parsing": "must be a UUID",
    "uuid_type": "must be a UUID",
    "uuid_version": "must be a UUID of version {expected_version}",
}
"""Messages by the type of the validator's error, with the values of its context."""

_MEMBER = re.compile(r"<[^:>]+: ([^>]+)>")
"""The validator's notation of an enum member."""


def message_of(error: ErrorDetails) -> str:
    """Return the message of an error in this API's voice. Errors of its own rules have theirs already."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _TEXTS:
        return _TEXTS[kind].format_map(context)
    if kind in _BUILT:
        return _BUILT[kind](context, error.get("input"))
    return error["msg"]


def plain(expected: str) -> str:
    """Return the validator's list of values as a sentence has it: A, B or C."""
    return _MEMBER.sub(r"\1", expected.replace("'", ""))


def _one_of(context: Context, value: Any) -> str:
    expected = plain(context["expected"])
    return f"must be {expected}{suggestion(value, re.split(', | or ', expected))}"


def _one_of_tags(context: Context, value: Any) -> str:
    tag = value.get(plain(context["discriminator"])) if isinstance(value, Mapping) else None
    return one_of(tag, plain(context["expected_tags"]).split(", "))


def one_of(value: Any, names: Collection[str]) -> str:
    """Return the message about a value that is none of `names`."""
    return f"must be one of {', '.join(names)}{suggestion(value, names)}"


def suggestion(value: Any, names: Iterable[str]) -> str:
    """Return the end of a message that names the value which was meant: one of another case or with other marks.

    Values are spelled as they are listed: taken in any case, one would come back in another than it was sent in.
    """
    given = letters(value) if isinstance(value, str) else ""
    close = [name for name in names if name != value and given and letters(name) == given]
    return "".join(f"; did you mean {name}?" for name in close)


def _length(context: Context, value: Any) -> str:
    """Return the message of a bound of a text or of a list. `value`: the input."""
    word, count = ("most", context["max_length"]) if "max_length" in context else ("least", context["min_length"])
    if (word, count) == ("least", 1):
        return "must not be empty"
    # The validator speaks of the items of a text, too, where the bound comes after another rule.
    is_text = isinstance(value, str)
    unit = ("character" if is_text else "item") + ("" if count == 1 else "s")
    return f"must {'be' if is_text else 'have'} at {word} {count:,} {unit}"


_BUILT: Mapping[str, Callable[[Context, Any], str]] = {
    "enum": _one_of,
    "literal_error": _one_of,
    "string_too_long": _length,
    "string_too_short": _length,
    "too_long": _length,
    "too_short": _length,
    "union_tag_invalid": _one_of_tags,
}
"""Messages that need more than their context."""
