"""Values that fields take: instants, addresses, phones, zones, texts; and the meaning of a PATCH."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chalicelib.core.contracts import Body, Patch, optional
from chalicelib.core.field_types import CountryCode, CurrencyCode, Email, Instant, Line, Lines, Timezone
from chalicelib.core.phones import Phone
from tests.support.hypothesis_profile import law


def _read(kind: Any, value: Any) -> Any:
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (Email, "Anna.Berg@EXAMPLE.com", "Anna.Berg@example.com"),
        (Email, "anna+tag@example.co.uk", "anna+tag@example.co.uk"),
        (Email, "o'brien#1@example.com", "o'brien#1@example.com"),
        (Phone, "+49 (30) 90-18", "+49 (30) 90-18"),
        (Phone, "112", "112"),
        (Timezone, "UTC", "UTC"),
        (Timezone, "America/Port-au-Prince", "America/Port-au-Prince"),
        (CurrencyCode, "CHF", "CHF"),
        (CountryCode, "GB", "GB"),
        (Line, "Grüße 🚢", "Grüße 🚢"),
        (Lines, "one\r\n\ttwo", "one\r\n\ttwo"),
    ],
)
def test_what_is_taken(kind: Any, value: str, read: str) -> None:
    assert _read(kind, value) == read


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *(
            (Email, value)
            for value in ("", "a", "a@b", "a@b@example.com", "a b@example.com", "a@exa mple.com", "@x.com")
        ),
        *((Email, value) for value in ("a\x00@example.com", "a@example.com\nbcc: b@example.com")),
        *((Phone, value) for value in ("", "12", "1" * 41, "1.2.3", "123x", "12+3", "++12", "--()", "１２３", "123\n")),
        *((Timezone, value) for value in ("", "Berlin", "Europe/", "europe/berlin", "/etc/passwd", "../UTC", "Europe")),
        *((Timezone, value) for value in ("Mars/Olympus", "UTC\x00", "A" * 65, "zone.tab", "tzdata.zi", "__init__.py")),
        *((CurrencyCode, value) for value in ("", "eur", "EURO", "XXXX", "E")),
        *((CountryCode, value) for value in ("", "de", "DEU", "EU", "XX")),
        *((Line, value) for value in ("", "a\nb", "a\x00", "\x7f", "a\x85b", "\ud800")),
        *((Lines, value) for value in ("", "a\x00", "\x1b[31m", "\ud800")),
    ],
)
def test_what_is_refused(kind: Any, value: str) -> None:
    with pytest.raises(ValidationError):
        _read(kind, value)


_LABELS = st.text("aB0-", min_size=1, max_size=5) | st.text("aB0-", min_size=61, max_size=65)
_DOMAINS = st.lists(_LABELS, min_size=1, max_size=3).map(".".join)
_LAST = st.sampled_from(["com", "De", "museum", "x", "c0", "xn--p1ai", "arpa", "local", "localhost", "onion", "Test"])
_LOCALS = st.text("aB0-_.+'x", min_size=1, max_size=6) | st.text("aB.", min_size=62, max_size=66)


@given(st.builds("{}@{}.{}".format, _LOCALS, _DOMAINS, _LAST).filter(lambda address: len(address) <= 254))
@law(300)
def test_the_ordinary_address_is_read_as_the_library_reads_it(address: str) -> None:
    try:
        expected = validate_email(address, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        with pytest.raises(ValidationError):
            _read(Email, address)
    else:
        assert _read(Email, address) == expected


INSTANTS = st.datetimes(
    datetime(1, 1, 3),  # noqa: DTZ001  hypothesis adds the zone
    datetime(9999, 12, 29),  # noqa: DTZ001  the strategy adds the zone
    timezones=st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@law(200)
@given(INSTANTS)
def test_an_instant_is_the_same_instant_in_utc_to_the_millisecond(instant: datetime) -> None:
    read = _read(Instant, instant.isoformat())
    assert read.tzinfo is UTC
    assert timedelta() <= instant - read < timedelta(milliseconds=1)
    written = TypeAdapter(Instant).dump_python(read, mode="json")
    assert written.endswith("Z")
    assert len(written) == len("2026-03-01T08:30:00.000Z")
    assert _read(Instant, written) == read


@law(200)
@given(INSTANTS, INSTANTS)
def test_written_instants_sort_as_text(one: datetime, other: datetime) -> None:
    first, second = (_read(Instant, value.isoformat()) for value in (one, other))
    as_text = [TypeAdapter(Instant).dump_python(value, mode="json") for value in (first, second)]
    assert (first < second) == (as_text[0] < as_text[1])


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01",
        "2026-03-01T08:30:00",
        "08:30",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:00:00-02:00",
        "soon",
        "",
    ],
)
def test_what_is_no_instant(value: str) -> None:
    with pytest.raises(ValidationError):
        _read(Instant, value)


class Change(Patch):
    name: Line = optional()
    phone: Phone | None = optional()


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ('{"name": " x "}', {"name": "x"}),
        ('{"phone": null}', {"phone": None}),
        ('{"phone": "123", "name": "y"}', {"phone": "123", "name": "y"}),
    ],
)
def test_a_patch_names_what_changes(text: str, changes: dict[str, Any]) -> None:
    assert Change.model_validate_json(text).changes() == changes


@pytest.mark.parametrize("text", ["{}", '{"name": null}', '{"other": 1}', '{"name": 1}', "null", "[]"])
def test_what_is_no_patch(text: str) -> None:
    with pytest.raises(ValidationError):
        Change.model_validate_json(text)


class Typed(Body):
    flag: bool = False
    number: int = 0
    text: str = "x"


@pytest.mark.parametrize(
    "text", ['{"flag": "true"}', '{"flag": 1}', '{"number": "1"}', '{"number": 1.0}', '{"text": 1}']
)
def test_a_body_is_not_coerced(text: str) -> None:
    with pytest.raises(ValidationError):
        Typed.model_validate_json(text)


def test_an_error_never_repeats_what_was_sent() -> None:
    with pytest.raises(ValidationError) as raised:
        Typed.model_validate_json('{"text": 1, "flag": "my-secret-password"}')
    assert "my-secret-password" not in str(raised.value)
