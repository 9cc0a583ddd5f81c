"""Types of fields that contracts share: texts, instants, addresses, codes. Each has its rule, message and schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

from chalicelib.core import clock, visible_text
from chalicelib.core.iso_codes import COUNTRIES, CURRENCIES
from chalicelib.core.messages import suggestion


def _without(refused: str) -> AfterValidator:
    """Return a check for refused characters, the inside of a character class; lone surrogates are refused, too."""
    expression = re.compile(f"[{refused}\\ud800-\\udfff]")

    def check(text: str) -> str:
        if expression.search(text):
            raise PydanticCustomError("control_characters", "must not have control characters")
        return text

    return AfterValidator(check)


def _some_text_without(refused: str, unseen: str = "") -> Any:
    """Return the pattern for the schema: a visible character after trimming, and none of the refused ones."""
    # Invisible characters come first: where any could, clients' engines would backtrack over all of a blank text.
    blank = f"(?:[^\\S{refused}]|[{unseen}])*" if unseen else f"[^\\S{refused}]*"
    return Field(json_schema_extra={"pattern": f"^{blank}[^\\s{refused}{unseen}][^{refused}]*$"})


_CONTROLS = "\\x00-\\x1f\\x7f-\\x9f"
_CONTROLS_BUT_LAYOUT = "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f"

STORED = {"stored": True}
"""Context of a validation that reads the table: a rule of form that came later must not hide stored values."""


def _require_visible(text: str, info: ValidationInfo) -> str:
    return text if info.context is STORED else visible_text.require_visible(text)


def matching(expression: str, message: str) -> AfterValidator:
    """Return a check that all of a text matches an expression. The field's schema needs the `pattern` itself."""
    compiled = re.compile(expression)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise PydanticCustomError("form", cast(Any, message))
        return text

    return AfterValidator(check)


OneLine = Annotated[str, StringConstraints(min_length=1), _without(_CONTROLS), _some_text_without(_CONTROLS)]
"""A text of one line, not empty after trimming, to compare with stored texts."""

Line = Annotated[
    OneLine,
    AfterValidator(_require_visible),
    _some_text_without(_CONTROLS + visible_text.REFUSED, visible_text.UNSEEN),
]
"""A text of one line that can be seen."""

_LINK = re.compile(r"://|\bwww\.\S|\w\.\w{2,63}/\S", re.IGNORECASE)
"""Links, for mail programs: no person is called so. A bare `word.tld` is a name, too: Booking.com B.V."""


def _require_no_link(text: str, info: ValidationInfo) -> str:
    if info.context is not STORED and _LINK.search(text):
        raise PydanticCustomError("link", "must not have a web address")
    return text


MailedLine = Annotated[Line, AfterValidator(_require_no_link)]
"""A `Line` that goes into mail to others; see docs/decisions/mail.md."""

Lines = Annotated[
    str,
    StringConstraints(min_length=1),
    _without(_CONTROLS_BUT_LAYOUT),
    _some_text_without(_CONTROLS_BUT_LAYOUT),
]
"""A text that may have several lines, not empty after trimming."""


Name = Annotated[Line, Field(max_length=255)]


@dataclass(frozen=True)
class AtMost:
    """On a tuple: at most so many items. Of a longer one none is looked at, as Pydantic would of a tuple."""

    maximum: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # In the tuple's own schema, where the document's finds it.
        schema = cast(CoreSchema, {**handler(source), "max_length": self.maximum})
        return core_schema.no_info_before_validator_function(self._check, schema)

    def _check(self, items: Any) -> Any:
        if isinstance(items, list | tuple) and len(items) > self.maximum:
            context = {"field_type": "List", "max_length": self.maximum, "actual_length": len(items)}
            raise PydanticKnownError("too_long", context)
        return items


def secret_length(minimum: int, maximum: int) -> AfterValidator:
    """Bounds of a `SecretStr`: pydantic's own limits speak of items."""

    def check(secret: SecretStr) -> SecretStr:
        if not minimum <= len(secret) <= maximum:
            raise PydanticCustomError(
                "secret_length",
                "must have {minimum} to {maximum} characters",
                {"minimum": minimum, "maximum": maximum},
            )
        return secret

    return AfterValidator(check)


_DATE_AND_TIME = re.compile(r"\s*\d{4}-\d\d-\d\d[Tt ]")


def _no_number(value: Any) -> Any:
    """Pydantic would take `1772354400`, as a text too, for seconds since 1970."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _DATE_AND_TIME.match(value)):
        raise PydanticCustomError("instant", "must be an ISO 8601 date-time with an offset")
    return value


_AS_STORED = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d\.\d{3}Z", re.ASCII)


def _instant(value: Any, handler: ValidatorFunctionWrapHandler) -> datetime:
    # Rows have several of them. One as it is stored needs none of the checks below, which take six times as long.
    if type(value) is str and _AS_STORED.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:  # no such day, for which the validator has the message
            pass
    return _utc(handler(_no_number(value)))


def _utc(instant: datetime) -> datetime:
    try:
        utc = instant.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("instant_range", "is out of range") from None
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


Instant = Annotated[
    AwareDatetime,
    Field(strict=False),  # strict, it would refuse every text that has been through a validator
    WrapValidator(_instant),
    PlainSerializer(clock.to_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-01T08:30:00.000Z"]}),
]
"""A point in time: read with any offset, stored and written in UTC with milliseconds."""


_ORDINARY_EMAIL = re.compile(
    r"(?=.{1,64}@)[a-z0-9_+-]++(?:\.[a-z0-9_+-]++)*+@"
    r"((?:[a-z0-9](?:(?!--)[a-z0-9-]){0,61}(?<!-)\.)+(?!(?:arpa|invalid|local|localhost|onion|test)$)[a-z]{2,63})",
    re.IGNORECASE | re.ASCII,
)


def _email(text: str) -> str:
    ordinary = _ORDINARY_EMAIL.fullmatch(text)
    if ordinary is not None:
        return text[: ordinary.start(1)] + ordinary[1].lower()
    # It makes 20 ms of expressions when it is imported, for addresses that hardly anybody has.
    from email_validator import EmailNotValidError, validate_email

    try:
        # Reserved names such as `.test` are fine here: whether a mailbox exists is the mail's business.
        address = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise PydanticCustomError("email", "is not a valid e-mail address") from None
    if "." not in address.domain:
        raise PydanticCustomError("email", "is not a valid e-mail address")
    return address.normalized


_EMAIL_SCHEMA = WithJsonSchema(
    {"type": "string", "format": "email", "maxLength": 254, "examples": ["anna.berg@example.com"]}
)

Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email), _EMAIL_SCHEMA]

StoredEmail = Annotated[str, _EMAIL_SCHEMA]
"""An address that was an `Email` when it was stored: checking it takes longer than reading the rest of a record."""


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, or not a name that a zone can have
        return False
    return True


_ZONE_NAME = re.compile(r"[A-Za-z0-9_+\-/]+")


def _timezone(name: str) -> str:
    if not _ZONE_NAME.fullmatch(name) or not _is_zone(name):
        raise PydanticCustomError("timezone", "is not an IANA time zone")
    return name


Timezone = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    AfterValidator(_timezone),
    WithJsonSchema({"type": "string", "format": "iana-timezone", "maxLength": 64, "examples": ["Europe/Berlin"]}),
]


def _one_of(codes: frozenset[str], message: str) -> AfterValidator:
    def check(code: str) -> str:
        if code not in codes:
            text = message + suggestion(code, codes & {code.upper()})
            raise PydanticCustomError("code", cast(Any, text))
        return code

    return AfterValidator(check)


CurrencyCode = Annotated[
    str,
    _one_of(CURRENCIES, "is not an ISO 4217 currency code"),
    WithJsonSchema({"type": "string", "format": "iso-4217", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]}),
]
CountryCode = Annotated[
    str,
    _one_of(COUNTRIES, "is not an ISO 3166 country code"),
    WithJsonSchema({"type": "string", "format": "iso-3166", "pattern": "^[A-Z]{2}$", "examples": ["DE"]}),
]


def _flag(text: Any) -> Any:
    if text not in {"true", "false"}:
        message = "must be true or false" + suggestion(text, ("true", "false"))
        raise PydanticCustomError("flag", cast(Any, message))
    return text == "true"


Flag = Annotated[bool, BeforeValidator(_flag)]
"""A boolean in a query."""
