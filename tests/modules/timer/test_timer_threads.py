"""The timer on three devices at once, held against a model of what was answered."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from chalicelib.models.users import Role
from tests.support.factories import Member, Organization
from tests.support.frozen_time import passing_fast
from tests.support.hypothesis_profile import IS_FULL
from tests.support.project_helpers import new_project
from tests.support.threads import at_once
from tests.support.time_helpers import NOON

REQUESTS = 300 if IS_FULL else 50
"""Requests of each device."""
REFUSALS = {"VALIDATION_ERROR", "INVALID_DATE_RANGE", "CONFLICT", "NOT_FOUND"}


@dataclass
class Model:
    """The answers of all devices; lists of Python are safe to append to from threads."""

    started: list[dict[str, Any]] = field(default_factory=list)
    ended: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def _use(member: Member, project: str, model: Model, seed: int) -> None:
    """Start, switch and stop at random, sometimes a timer that may have stopped long ago."""
    chance = random.Random(seed)
    for _ in range(REQUESTS):
        choice = chance.choice(["start", "switch", "switch", "stop", "stop again"])
        if choice in {"start", "switch"}:
            answer = member.post("startTimer", projectId=project, stopRunning=choice == "switch")
            if answer.status == 201:
                model.started.append(answer.data["timer"])
                stopped = answer.data["stopped"]
                if stopped is not None:
                    model.ended.append(stopped)
                    assert stopped["endAt"] == answer.data["timer"]["startAt"]  # no gap and no overlap
        else:
            known = {"sessionId": model.started[-1]["id"]} if choice == "stop again" and model.started else {}
            answer = member.post("stopTimer", **known)
            if answer.status == 200 and not answer.data["alreadyStopped"]:
                model.ended.append(answer.data)
        if answer.status >= 400:
            model.refused.append(answer.code)


@pytest.mark.usefixtures("on_a_safe_engine")
def test_three_devices_never_have_two_timers_and_lose_no_second(organization: Organization) -> None:
    """Given devices that start, switch and stop at once, then each timer ends once, and all sums have its seconds."""
    me = organization.member(Role.MEMBER)
    model = Model()
    with passing_fast(NOON, 0.25):
        project = new_project(me)["id"]
        at_once([partial(_use, me, project, model, seed) for seed in range(3)])
        last = me.post("stopTimer")
        if last.status == 200:
            model.ended.append(last.data)
        assert me.call("getCurrentTimer").data["timer"] is None
        sessions = _sessions(me)
        query = {"from": "2026-06-14", "to": "2026-06-18"}
        total = me.call("getAnalyticsSummary", query=query).data["totals"]["seconds"]
        tracked = me.call_on("getProject", project).data["trackedSeconds"]

    starts = {timer["id"]: timer["startAt"] for timer in model.started}
    ends = {session["id"]: session["endAt"] for session in model.ended}
    assert (len(starts), len(ends)) == (len(model.started), len(model.ended))  # nothing starts or ends twice
    assert starts.keys() == ends.keys()
    assert {session["id"]: (session["startAt"], session["endAt"]) for session in sessions} == {
        identifier: (starts[identifier], ends[identifier]) for identifier in starts
    }
    assert total == tracked == sum(session["durationSeconds"] for session in sessions)
    assert {*model.refused} <= REFUSALS
    assert len(ends) > REQUESTS / 5


def _sessions(member: Member) -> list[dict[str, Any]]:
    sessions: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = member.call("listTimeSessions", query={"limit": 100, **cursor}).data
        sessions += page["items"]
        if page["nextCursor"] is None:
            return sessions
        cursor = {"cursor": page["nextCursor"]}
