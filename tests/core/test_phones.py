"""However a number is written, it is one number; two numbers are never one."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chalicelib.core.iso_codes import COUNTRIES
from chalicelib.core.phones import FullPhone, Phone, normalized, without_separators
from tests.support.hypothesis_profile import law

FULL, SHORT = TypeAdapter(FullPhone), TypeAdapter(Phone)
SUBSCRIBERS = st.integers(1_000_000, 9_999_999).map(str)
"""German mobile numbers behind 0151."""
PHONES = st.from_regex(r"\A\+?([ ()\-]?[0-9]){9,20}\Z")


# -- which are taken -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phone", ["123456789", "1" * 20, "+49 151 2345678", "(0151) 234-56-78", "-(1)23 456 789-"])
def test_nine_to_twenty_digits_are_taken_and_kept_as_typed(phone: str) -> None:
    assert FULL.validate_python(phone, strict=True) == phone


@pytest.mark.parametrize(
    ("phone", "message"),
    [
        ("12345678", "must have 9 to 20 digits"),
        ("1-2-3-4-5-6-7-8", "must have 9 to 20 digits"),
        ("1" * 21, "must have 9 to 20 digits"),
        ("12", "must have 9 to 20 digits"),
        ("call 123456789", "must have 9 to 20 digits"),
        ("123456789 ext 5", "must have 9 to 20 digits"),
        ("123+456789", "must have 9 to 20 digits"),
        ("٠١٥١٢٣٤٥٦٧٨", "must have 9 to 20 digits"),
        ("1" + " " * 33 + "23456789", "at most 40"),
        ("", "must have 9 to 20 digits"),
    ],
)
def test_anything_else_is_refused(phone: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FULL.validate_python(phone)


@pytest.mark.parametrize(
    ("phone", "plain"),
    [
        ("030/901820", "030 901820"),
        ("030.901820", "030 901820"),
        ("030 / 90 18-20", "030 90 18-20"),
        ("+49.30.901820", "+49 30 901820"),
        ("(030)/901820", "(030) 901820"),
        ("01.23.45.67.89", "01 23 45 67 89"),
        ("0049 151/2345678", "0049 151 2345678"),
    ],
)
def test_dots_and_a_slash_are_refused_with_the_number_that_is_meant(phone: str, plain: str) -> None:
    assert without_separators(phone) == plain
    with pytest.raises(ValidationError, match=re.escape(f"; did you mean {plain}?")):
        FULL.validate_python(phone)
    with pytest.raises(ValidationError, match=re.escape(f"; did you mean {plain}?")):
        SHORT.validate_python(phone)


@pytest.mark.parametrize(
    "phone",
    [
        "4915123456789.0",  # a number that a tool has saved as one
        "030 901820 / 030 901821",
        "0171/234/5678",
        "030/",
        "/030 901820",
        "030 901820.",
        "a/b",
        "030 901820" + "/" * 40,
    ],
)
def test_nothing_else_is_made_a_number(phone: str) -> None:
    assert without_separators(phone) == phone
    with pytest.raises(ValidationError) as refused:
        FULL.validate_python(phone)
    assert "did you mean" not in str(refused.value)


@law(300)
@given(PHONES | st.text("0123456789 ()-+./"))
def test_only_dots_and_a_slash_become_blanks(phone: str) -> None:
    plain = without_separators(phone)
    assert re.sub("[ ./]", "", plain) == re.sub("[ ./]", "", phone)
    if "." not in phone and "/" not in phone:
        assert plain == phone


@law(300)
@given(PHONES)
def test_the_schema_refuses_none_that_is_taken(phone: str) -> None:
    assert re.search(FULL.json_schema()["pattern"], phone)
    assert FULL.validate_python(phone)


# -- which are one ---------------------------------------------------------------------------------------------------


@law(200)
@given(SUBSCRIBERS)
def test_a_number_dialled_from_anywhere_is_one(subscriber: str) -> None:
    spellings = {
        normalized(f"+49 151 {subscriber}", None),
        normalized(f"+49 151 {subscriber}", "DE"),
        normalized(f"+49 151 {subscriber}", "FR"),
        normalized(f"+49 (0)151 {subscriber}", "DE"),
        normalized(f"0151 {subscriber}", "DE"),
        normalized(f"0049 151 {subscriber}", "DE"),
        normalized(f"011 49 151 {subscriber}", "US"),
    }
    assert spellings == {f"+49151{subscriber}"}


@law(300)
@given(PHONES, st.sampled_from([None, "DE", "FR", "US"]), st.data())
def test_spaces_dashes_and_parentheses_never_count(phone: str, region: str | None, data: st.DataObject) -> None:
    plus, digits = phone.startswith("+"), [char for char in phone if char.isdigit()]
    gaps = data.draw(st.lists(st.text(" -()", max_size=2), min_size=len(digits), max_size=len(digits)))
    other = "+" * plus + "".join(gap + digit for gap, digit in zip(gaps, digits, strict=True))

    assert normalized(other, region) == normalized("+" * plus + "".join(digits), region)


@law(300)
@given(SUBSCRIBERS, SUBSCRIBERS, st.sampled_from(["DE", None]))
def test_two_numbers_are_two(one: str, other: str, region: str | None) -> None:
    assume(one != other)
    assert normalized(f"0151 {one}", region) != normalized(f"0151 {other}", region)


@law(300)
@given(PHONES, st.sampled_from([None, *sorted(COUNTRIES)]))
def test_the_form_is_digits_behind_at_most_one_plus(phone: str, region: str | None) -> None:
    form = normalized(phone, region)
    assert form.removeprefix("+").isdigit()
    assert phone.startswith("+") <= form.startswith("+")


@pytest.mark.parametrize(
    ("phone", "region", "form"),
    [
        ("0151 234-5678", None, "01512345678"),  # whose 0151? nobody knows
        ("+999 (151) 2345678", "DE", "+9991512345678"),  # no country
        ("1" * 20, "DE", "1" * 20),  # longer than any number
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("(212) 555-1234", "US", "+12125551234"),
        ("06 6982 1234", "IT", "+390669821234"),  # where the leading zero belongs to the number
    ],
)
def test_what_numbering_plans_know_and_what_they_do_not(phone: str, region: str | None, form: str) -> None:
    assert normalized(phone, region) == form


def test_numbering_plans_are_loaded_when_they_are_needed() -> None:
    """Importing them takes 20 to 50 ms, which most cold starts need not pay."""
    code = "import sys, chalicelib.core.phones as p; assert 'phonenumbers' not in sys.modules; p.normalized('1', None)"
    loaded = subprocess.run(
        [sys.executable, "-c", f"{code}; assert 'phonenumbers' in sys.modules"], check=False, capture_output=True
    )
    assert loaded.returncode == 0, loaded.stderr.decode()
