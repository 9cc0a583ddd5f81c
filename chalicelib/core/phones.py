"""Phone numbers that people can be reached at: which are taken, and when two are the same."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

MAX_PHONE_LENGTH = 40

_MINIMUM_DIGITS = 9
_MAX_DIGITS = 20
_SHORT = re.compile(r"\+?([ ()\-]*[0-9]){3}[0-9 ()\-]*")
_FULL = re.compile(rf"\+?([ ()\-]*[0-9]){{{_MINIMUM_DIGITS},{_MAX_DIGITS}}}[ ()\-]*")
_ELSE_ONLY = "and else only spaces, dashes, parentheses and a leading +"

# One digit behind a dot is a number's decimal place: some tools save 4915123456789.0.
_SEPARATOR = re.compile(r"(?<=[0-9)]) *(?:/ *(?=[0-9(])|\. *(?=[0-9]{2}|\())")
_MAX_DIGITS_BEFORE_SLASH = 8
"""Digits of a country and an area; behind more, a slash is followed by another number."""


def without_separators(text: str) -> str:
    """Return a number with blanks where people write dots or a slash, 030/901820; any other text as it is.

    Files of people are read like this. A form refuses them, as the API promises, and suggests the same.
    """
    before, _, after = text.partition("/")
    if len(text) > MAX_PHONE_LENGTH or "/" in after or (after and len(_digits(before)) > _MAX_DIGITS_BEFORE_SLASH):
        return text
    return _SEPARATOR.sub(" ", text)


def _matching(expression: re.Pattern[str], count: str) -> AfterValidator:
    """Return a check of a phone number. `count`: the digits that the expression takes, in words."""

    def check(phone: str) -> str:
        if expression.fullmatch(phone):
            return phone
        plain = without_separators(phone)
        suggestion = f"; did you mean {plain}?" if expression.fullmatch(plain) else ""
        raise PydanticCustomError(
            "phone",
            "must have {count}, {else_only}{suggestion}",
            {"count": count, "else_only": _ELSE_ONLY, "suggestion": suggestion},
        )

    return AfterValidator(check)


Phone = Annotated[
    str,
    StringConstraints(max_length=MAX_PHONE_LENGTH),
    _matching(_SHORT, "3 digits or more"),
    Field(examples=["+49 30 901820"], json_schema_extra={"pattern": f"^{_SHORT.pattern}$"}),
]
"""Digits, spaces, dashes, parentheses and a leading +, stored as typed."""

FullPhone = Annotated[
    str,
    StringConstraints(max_length=MAX_PHONE_LENGTH),
    _matching(_FULL, f"{_MINIMUM_DIGITS} to {_MAX_DIGITS} digits"),
    Field(examples=["+49 151 2345678"], json_schema_extra={"pattern": f"^{_FULL.pattern}$"}),
]
"""A phone number that is no extension or short code: 9 to 20 digits, stored as typed."""


def normalized(phone: str, region: str | None) -> str:
    """The form under which two spellings of a number are one: E.164, read as dialled in `region` (ISO 3166).

    A number of no known numbering plan, or without its region, is its digits behind its leading +.
    """
    # Most requests never need the numbering plans.
    from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, parse

    try:
        return format_number(parse(phone, region), PhoneNumberFormat.E164)
    except NumberParseException:
        return f"+{_digits(phone)}" if phone.startswith("+") else _digits(phone)


_NUMBER = re.compile(r"\+?[ ()/.\-]*(?:[0-9][ ()/.\-]*){3,}")
_TRUNK_ZERO = re.compile(r"\(0\)")


def searchable(phone: str | None) -> str | None:
    """Return the digits of a stored number that a search looks through: all but trunk zeros and an exit code."""
    return None if phone is None else _digits(_TRUNK_ZERO.sub("", phone)).lstrip("0")


def searched(term: str) -> str | None:
    """Return the digits that a search for a number, or for a part of one, looks for; None for other searches.

    Of an international number those behind the country's code: the stored one may be written without.
    """
    if not _NUMBER.fullmatch(term):
        return None
    digits = _digits(_TRUNK_ZERO.sub("", term))
    if not term.startswith(("+", "00")):
        return digits.lstrip("0") or None
    from phonenumbers import NumberParseException, parse

    try:
        return str(parse(f"+{digits.lstrip('0')}").national_number)
    except NumberParseException:
        return digits.lstrip("0") or None


def _digits(phone: str) -> str:
    return re.sub(r"[^0-9]", "", phone)
