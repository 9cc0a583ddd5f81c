"""Names that can be seen, and nothing in them that cannot."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
import regex
from pydantic import TypeAdapter, ValidationError

from chalicelib.core import visible_text
from chalicelib.core.field_types import STORED, Name

pytestmark = pytest.mark.storeless

NAME: TypeAdapter[str] = TypeAdapter(Name)
PATTERN = re.compile(NAME.json_schema()["pattern"])
NAUGHTY: list[str] = json.loads((Path(__file__).parents[1] / "vectors/naughty-strings/blns.json").read_text())

UNSEEN = "must have a visible character"
HIDDEN = "must not have invisible characters"
TURNED = "must not have characters that turn the reading direction"
BROKEN = "must not have line breaks"


def _refusal(text: str) -> str | None:
    try:
        assert NAME.validate_python(text) == text
    except ValidationError as error:
        return str(error.errors()[0]["msg"])
    return None


@pytest.mark.parametrize(
    "name",
    [
        "Anna",
        "Berg & Co. KG",
        "Dr. No",
        "Yılmaz-Berg",
        "Nguyễn Thị Minh Khai",
        "Zoe\u0308",  # a combining mark
        "علی\u200cرضا",  # Persian: a non-joiner between letters that would join
        "ශ\u0dca\u200dර\u0dd3 ලංකා",  # Sinhala: a joiner after a virama
        "র\u200d\u09cdযাব",  # Bengali: a joiner before one
        "\u845b\U000e0100\u57ce",  # Japanese: a variant of a character
        "ᠮᠣᠩ\u180bᠭᠣᠯ",  # Mongolian: likewise
        "❤\ufe0f Pflege",
        "👩\u200d⚕\ufe0f 👨🏿\u200d🦰 🏳\ufe0f\u200d🌈 1\ufe0f\u20e3",
        "🙂\u200d↔\ufe0f \U0001fae8\u200d💻",  # with a sign of mathematics, and an emoji newer than the interpreter
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f Staffing",  # the flag of England
        "a\u2800b",  # a blank symbol beside a visible one
        "\u0601 17",  # a format character that is drawn
    ],
)
def test_names_that_people_have_are_taken(name: str) -> None:
    assert _refusal(name) is None
    assert PATTERN.search(name)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        *((char, UNSEEN) for char in "\u200b\u200c\u200d\ufeff\u3164\u2800\u115f\u1160\uffa0\u00ad\u180e\u2060\u034f"),
        *((char, UNSEEN) for char in "\u202e\u2066\u200e\ufe0f\ufffc\U0001d159\U000e0061\U000e0100"),
        ("\u2800 \u200b\u3000\u3164", UNSEEN),
        *((f"Anna{char}Berg", HIDDEN) for char in "\u200b\ufeff\u3164\u115f\u1160\u00ad\u180e\u2060\u2064\u034f\ufffa"),
        *((f"Anna{char}Berg", HIDDEN) for char in "\u200c\u200d\U000e0041\U000e0fff\U0001bca0"),
        *((f"Anna{char}", HIDDEN) for char in "\u200b\u200c\u200d"),
        *((f"{char}Anna", HIDDEN) for char in "\u200b\u200c\u200d\ufe0f"),
        ("Anna \ufe0fBerg", HIDDEN),
        ("Anna\ufe0f\ufe0f", HIDDEN),
        ("👩\u200dAnna", HIDDEN),
        ("\U000e0067\U000e0062 gb", HIDDEN),  # the letters of a flag without the flag
        *((f"Anna{char}Berg", TURNED) for char in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2069"),
        ("Anna\ufffe", HIDDEN),
        ("Anna\u2028Berg", BROKEN),
        ("Anna\u2029Berg", BROKEN),
    ],
)
def test_names_that_deceive_are_refused_by_a_rule_that_is_named(name: str, rule: str) -> None:
    assert str(_refusal(name)).startswith(rule)


def test_a_refusal_names_the_character_that_nobody_sees() -> None:
    assert _refusal("An\u200bna") == "must not have invisible characters (U+200B)"


def test_everything_that_unicode_has_ignored_is_known() -> None:
    everything = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    ignorable = set(regex.findall(r"\p{Default_Ignorable_Code_Point}", everything))
    no_characters = set(regex.findall(r"\p{Noncharacter_Code_Point}", everything))
    known = set(re.findall(f"[{visible_text.REFUSED}{visible_text.UNSEEN}]", everything))
    assert known - ignorable - no_characters == set("\u2028\u2029\ufff9\ufffa\ufffb\u2800\ufffc\U0001d159")
    assert ignorable <= known
    assert all(_refusal(char) for char in no_characters)
    assert all(_refusal(char) == UNSEEN for char in ignorable)


def test_naughty_names_are_stored_as_sent_or_refused_and_never_look_like_nothing() -> None:
    taken = [text.strip() for text in NAUGHTY if 1 <= len(text.strip()) <= 255 and _refusal(text.strip()) is None]
    assert len(taken) > 450
    hidden = regex.compile(
        r"[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cc}--[\u200d\ufe0f]]", regex.V1
    )
    assert not [text for text in taken if hidden.search(text)]
    assert not [text for text in taken if not regex.search(r"[\p{L}\p{N}\p{P}\p{S}]", text)]


def test_the_schema_knows_every_refusal_but_those_that_depend_on_neighbours() -> None:
    for text in (*NAUGHTY, *"\u200b\ufeff\u202e\u3164\u2800", "a\u2028b", "Anna\u202eBerg", "Anna\u200bBerg"):
        if 1 <= len(text) <= 255 and not set(text) & set("\u200c\u200d\ufe0f"):
            assert (_refusal(text.strip()) is None) == bool(PATTERN.search(text.strip())), ascii(text)


def test_what_is_stored_is_read_whatever_its_form() -> None:
    assert NAME.validate_python("\u202e\u200b", context=STORED) == "\u202e\u200b"


@pytest.mark.parametrize("text", ["💻\u200d", "a\u200c", "\u0300", "\u200c\u0628", "🏴\U000e0067", "\ufe0f", " \u3164"])
def test_long_texts_take_time_in_proportion(text: str) -> None:
    def seconds(times: int) -> float:
        started = time.process_time()
        _refusal("x" + text * times)
        return time.process_time() - started

    assert seconds(100_000) < 20 * max(seconds(10_000), 0.05)
