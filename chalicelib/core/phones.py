"""Phone numbers that people can be reached at: which are taken, and when two are the same."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from chalicelib.core.field_types import MAX_PHONE_LENGTH

_MINIMUM_DIGITS = 9
_MAX_DIGITS = 20
_FULL = re.compile(rf"\+?([ ()\-]*[0-9]){{{_MINIMUM_DIGITS},{_MAX_DIGITS}}}[ ()\-]*")


def _full(phone: str) -> str:
    if not _FULL.fullmatch(phone):
        raise PydanticCustomError(
            "phone_digits",
            "must have {minimum} to {maximum} digits, and else only spaces, dashes, parentheses and a leading +",
            {"minimum": _MINIMUM_DIGITS, "maximum": _MAX_DIGITS},
        )
    return phone


FullPhone = Annotated[
    str,
    StringConstraints(max_length=MAX_PHONE_LENGTH),
    AfterValidator(_full),
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
