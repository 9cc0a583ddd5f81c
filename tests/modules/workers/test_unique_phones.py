"""Workers come, change and go in any order: at every moment each phone is one live worker's, and no other's."""

from __future__ import annotations

from typing import Any, ClassVar

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from tests.support.api import Answer, Api
from tests.support.factories import new_organization
from tests.support.hypothesis_profile import law

NUMBERS = st.integers(0, 3)
SPELLINGS = st.sampled_from(["0151 {}", "+49 (151) {}", "0049-151-{}", "+49 (0)151{}"])


def _phone(number: int, spelling: str) -> str:
    return spelling.format(f"234567{number}")


class Workers(RuleBasedStateMachine):
    """The model: who has which number."""

    api: ClassVar[Api]
    ids: Bundle[str] = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.owner = new_organization(self.api).owner
        self.owner.call("updateOrganization", body={"region": "DE"})
        self.numbers: dict[str, int] = {}

    def _call(self, action: str, worker: str | None = None, **body: Any) -> Answer:
        path = {"id": worker} if worker else None
        return self.owner.call(action, path=path, body=body or None)

    @rule(target=ids, number=NUMBERS, spelling=SPELLINGS)
    def create(self, number: int, spelling: str) -> str:
        answer = self._call("createWorker", firstName="Jo", lastName="Weber", phone=_phone(number, spelling))
        if number in self.numbers.values():
            assert (answer.status, answer.code) == (409, "DUPLICATE_ENTRY")
            return self._holder(number)
        self.numbers[answer.data["id"]] = number
        return str(answer.data["id"])

    @rule(worker=ids, number=NUMBERS, spelling=SPELLINGS)
    def update(self, worker: str, number: int, spelling: str) -> None:
        answer = self._call("updateWorker", worker, phone=_phone(number, spelling))
        if worker not in self.numbers:
            assert answer.status == 404
        elif number in self.numbers.values() and self.numbers[worker] != number:
            assert (answer.status, answer.code) == (409, "DUPLICATE_ENTRY")
        else:
            assert answer.status == 200, answer.text
            self.numbers[worker] = number

    @rule(worker=consumes(ids))
    def delete(self, worker: str) -> None:
        answer = self._call("deleteWorker", worker)
        assert answer.status == (200 if worker in self.numbers else 404)
        self.numbers.pop(worker, None)

    @rule(rows=st.lists(st.tuples(NUMBERS, SPELLINGS), max_size=3))
    def import_(self, rows: list[tuple[int, str]]) -> None:
        sent = [{"firstName": "Jo", "lastName": "Weber", "phone": _phone(*row)} for row in rows]
        answer = self.owner.call("importWorkers", body={"rows": sent})
        for (number, _), row in zip(rows, answer.data["rows"], strict=True):
            if number in self.numbers.values():
                assert row["result"] == "duplicate"
                assert row["duplicateOfRow"] or row["workerId"] == self._holder(number)
            else:
                assert row["result"] == "created"
                self.numbers[row["workerId"]] = number

    @invariant()
    def the_list_is_the_model(self) -> None:
        rows = self.owner.call("getWorkers", query={"limit": 100}).data["items"]
        assert {row["id"]: int(row["phone"][-1]) for row in rows} == self.numbers

    def _holder(self, number: int) -> str:
        return next(worker for worker, held in self.numbers.items() if held == number)


def test_a_phone_is_one_live_workers(api: Api) -> None:
    Workers.api = api
    run_state_machine_as_test(Workers, settings=settings(law(6), stateful_step_count=12))
