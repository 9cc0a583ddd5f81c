"""Packed months: what is packed is unpacked, in few bytes, and the months that a time touches are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core import ids
from chalicelib.models.time.packed_months import Group, label_of, labels_of, pack, size, unpack
from chalicelib.models.time.spans import LONGEST, Seconds
from tests.support.hypothesis_profile import law

pytestmark = pytest.mark.storeless

FIRST = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp())
DAYS = 28
PROJECTS = [None, *(ids.new_id() for _ in range(2))]

groups = st.builds(
    Group,
    st.sampled_from(PROJECTS),
    st.sampled_from(PROJECTS),
    st.booleans(),
    st.lists(st.text("aß 漢", min_size=1, max_size=5), max_size=3, unique=True).map(tuple),
)


@st.composite
def sessions(draw: st.DrawFn) -> Seconds:
    """Draw the spans of a session that starts in February 2026 and lasts a day at most."""
    start = draw(st.integers(0, DAYS * 86_400 - 1))
    edges = draw(st.lists(st.integers(1, 86_400), min_size=1, max_size=7, unique=True).filter(lambda e: len(e) % 2))
    instants = [FIRST + start, *(FIRST + start + edge for edge in sorted(edges))]
    return list(zip(instants[::2], instants[1::2], strict=True))


@law(200)
@given(st.dictionaries(groups, st.lists(sessions(), min_size=1, max_size=5), max_size=5))
def test_what_is_packed_is_unpacked(month: dict[Group, list[Seconds]]) -> None:
    unpacked = unpack("2026-02", pack("2026-02", month))
    assert {group: sorted(spans) for group, spans in unpacked.items()} == {
        group: sorted(spans) for group, spans in month.items()
    }
    assert pack("2026-02", unpacked) == pack("2026-02", month)
    assert len(pack("2026-02", month)) == size(month)


def test_a_session_takes_six_bytes_beyond_its_group() -> None:
    group = Group(UUID(int=1), None, True, ("Umzug",))
    spans: Seconds = [(FIRST, FIRST + 60)]
    assert len(pack("2026-02", {group: [spans] * 101})) - len(pack("2026-02", {group: [spans]})) == 600


@law(200)
@given(
    st.integers(0, 730 * 1440).map(lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
    st.integers(1, 90 * 86_400),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_the_months_of_all_sessions_that_overlap_are_read(
    start: datetime, seconds: int, where: float, length: float
) -> None:
    """Given a range and a session that overlaps it, then the month of the session's start is among those read."""
    end = start + timedelta(seconds=seconds)
    session_start = start - LONGEST + (end - start + LONGEST) * where
    session_end = session_start + LONGEST * length
    if session_start < end and start < session_end:
        assert label_of(session_start) in labels_of(start, end)
