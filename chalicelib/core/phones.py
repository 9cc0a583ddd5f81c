"""Phone numbers that people can be reached at: which are taken, and when two are the same."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from chalicelib.core.field_types import Phone

_MINIMUM_DIGITS = 9
_MAX_DIGITS = 20
_PATTERN = rf"^\+?([ ()\-]*[0-9]){{{_MINIMUM_DIGITS},{_MAX_DIGITS}}}[ ()\-]*$"


def _full(phone: str) -> str:
    if not _MINIMUM_DIGITS <= len(_digits(phone)) <= _MAX_DIGITS:
        raise PydanticCustomError(
            "phone_digits",
            "must hold {minimum} to {maximum} digits",
            {"minimum": _MINIMUM_DIGITS, "maximum": _MAX_DIGITS},
        )
    return phone


FullPhone = Annotated[
    Phone,
    AfterValidator(_full),
    Field(examples=["+49 151 2345678"], json_schema_extra={"pattern": _PATTERN}),
]
"""A `Phone` that is no extension or short code: 9 to 20 digits, stored as typed."""


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


def _digits(phone: str) -> str:
    return re.sub(r"[^0-9]", "", phone)
