"""Pages by size: a page ends before the rows exceed a response; its cursor continues after its last row."""

from __future__ import annotations

import pytest

from chalicelib.action import lists
from chalicelib.core.contracts import Contract


class Row(Contract):
    text: str


def _page(sizes: list[int]) -> tuple[int, str | None]:
    rows = [Row(text=f"{number}{'ü' * (size // 2)}") for number, size in enumerate(sizes)]
    shown, last = lists.fitting(rows, "end", lambda row: row.text[:2])
    return len(shown), last


@pytest.mark.parametrize(
    ("sizes", "shown", "last"),
    [
        ([], 0, "end"),
        ([100] * 500, 500, "end"),
        ([8_900] * 100, 100, "end"),
        ([9_100] * 100, 98, "97"),
        ([2_000_000] + [10] * 99, 1, "0ü"),
    ],
)
def test_a_page_ends_before_the_size_limit(sizes: list[int], shown: int, last: str | None) -> None:
    assert _page(sizes) == (shown, last)
