"""Texts are compared in stable forms that ignore exactly the documented differences."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core import text
from tests.support.hypothesis_profile import law


@law(500)
@given(st.text())
def test_folding_twice_changes_nothing(value: str) -> None:
    assert text.fold(text.fold(value)) == text.fold(value)


@law(500)
@given(st.text())
def test_the_unique_form_of_a_unique_form_is_itself(value: str) -> None:
    assert text.unique_form(text.unique_form(value)) == text.unique_form(value)


@law(500)
@given(st.text(st.characters(codec="ascii")))
def test_case_never_counts(value: str) -> None:
    assert text.fold(value.upper()) == text.fold(value.lower())
    assert text.unique_form(value.upper()) == text.unique_form(value.lower())


@law(500)
@given(st.text())
def test_how_a_character_is_composed_never_counts(value: str) -> None:
    assert text.unique_form(unicodedata.normalize("NFD", value)) == text.unique_form(value)
    assert text.fold(unicodedata.normalize("NFD", value)) == text.fold(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", "MULLER"),
        ("Straße", "STRASSE"),
        ("Łódź", "lodz"),
        ("Łukasz", "LUKASZ"),
        ("Sørensen", "sorensen"),
        ("Đorđević", "dordevic"),
        ("Yıldız", "YILDIZ"),
        ("İnanç", "inanc"),
        ("Æther", "aether"),
        ("Œuvre", "oeuvre"),
        ("Þór", "thor"),
        ("Ħamrun", "hamrun"),
        ("Guðrún", "gudrun"),
        ("O’Neil", "o'neil"),
        ("Hamburg–Altona", "hamburg-altona"),
        ("Ångström", "angstrom"),
        ("ﬁrm", "FIRM"),
        ("Anna  Berg", "anna berg"),
        ("Anna\u00a0Berg", "anna berg"),
    ],
)
def test_search_ignores_case_accents_and_blanks(one: str, other: str) -> None:
    assert text.fold(one) == text.fold(other)


@pytest.mark.parametrize(("one", "other"), [("Müller", "Muller"), ("a b", "ab"), ("a-b", "a b")])
def test_accents_and_spaces_make_names_differ(one: str, other: str) -> None:
    assert text.unique_form(one) != text.unique_form(other)


def test_names_sort_by_their_letters_not_by_their_marks() -> None:
    names = ["Zebra", "Ørsted", "Łódź", "Émile", "Adam", "Mateusz"]
    assert sorted(names, key=text.fold) == ["Adam", "Émile", "Łódź", "Mateusz", "Ørsted", "Zebra"]


# -- shortening ------------------------------------------------------------------------------------------------------


@law(200)
@given(st.text(), st.integers(1, 40))
def test_a_shortened_text_fits_and_is_the_beginning(value: str, maximum: int) -> None:
    short = text.shortened(value, maximum)
    assert len(short) <= maximum
    assert short == value if len(value) <= maximum else short.endswith("…") and value.startswith(short[:-1])


@pytest.mark.parametrize(
    ("value", "maximum", "short"),
    [
        ("Hansekontor", 11, "Hansekontor"),
        ("Hansekontor", 10, "Hansekont…"),
        ("Hanse kontor", 7, "Hanse…"),
        ("cafe\u0301s", 5, "caf…"),
        ("a\U0001f469\u200d\U0001f692b", 4, "a…"),
        ("a\U0001f44b\U0001f3fdb", 3, "a…"),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7x", 4, "\U0001f1e9\U0001f1ea…"),
        ("a\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 4, "a\U0001f1e9\U0001f1ea…"),
        ("e" + "\u0301" * 300, 255, "e" + "\u0301" * 190 + "…"),
    ],
)
def test_a_character_of_several_parts_stays_whole_or_goes(value: str, maximum: int, short: str) -> None:
    assert text.shortened(value, maximum) == short
