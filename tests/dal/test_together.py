"""Reads at the same time: one round trip, no read left behind by an error, faults in each of them."""

from __future__ import annotations

import threading

import pytest

from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.dal import table
from chalicelib.dal.keys import HEALTH
from tests.support.client_hooks import Fault, broken, recorded, without_waiting

READS = 5


def test_reads_at_the_same_time_are_one_round_trip() -> None:
    together = threading.Barrier(READS, timeout=10)

    def read(number: int) -> int:
        together.wait()
        table.get(HEALTH)
        return number

    with table.counted() as traffic, recorded() as recording:
        table.get(HEALTH)
        results = table.together([lambda number=number: read(number) for number in range(READS)])
        table.get(HEALTH)

    assert results == [*range(READS)]
    assert traffic.round_trips == recording.round_trips == 3
    assert len(recording.calls) == 2 + READS


def test_as_many_round_trips_as_the_longest_makes() -> None:
    def read(times: int) -> None:
        for _ in range(times):
            table.get(HEALTH)

    with table.counted() as traffic, recorded() as recording:
        table.together([lambda times=times: read(times) for times in (1, 3, 2)])

    assert traffic.round_trips == recording.round_trips == 3
    assert len(recording.calls) == 6


@pytest.mark.parametrize("failing", range(3))
def test_an_error_leaves_no_read_behind(failing: int) -> None:
    ended = []

    def read(number: int) -> None:
        if number == failing:
            raise LookupError
        table.get(HEALTH)
        ended.append(number)

    with pytest.raises(LookupError):
        table.together([lambda number=number: read(number) for number in range(3)])

    assert sorted(ended) == [number for number in range(3) if number != failing]


@pytest.mark.parametrize("at_call", range(1, 4))
def test_a_fault_of_any_read_is_the_error_of_all(at_call: int) -> None:
    with without_waiting(), broken(Fault(at_call, "request lost")) as operations, pytest.raises(ActionError) as raised:
        table.together([lambda: table.get(HEALTH)] * 3)

    assert raised.value.code is ErrorCode.DATABASE_ERROR
    assert len(operations) == 3
