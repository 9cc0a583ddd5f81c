"""Breaks the product on purpose, so that the run proves that it would notice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest import mock

from chalicelib.action import steps
from chalicelib.dal import idempotency
from chalicelib.dal.collection import Collection
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.rollups import rollups
from chalicelib.models.staffing import assignments


def _nothing(*_: Any) -> None:
    """What is left of a function."""


def _no_answers_kept() -> Any:
    """A repeated request is carried out again."""
    return mock.patch.object(idempotency, "keep", _nothing)


def _no_child_counted() -> Any:
    """A parent's counter stays as it is."""
    return mock.patch.object(Collection, "count_child", _nothing)


def _no_roster_moved() -> Any:
    """Assignments leave no trace beside positions."""
    return mock.patch.object(assignments, "_move_position", _nothing)


def _no_audit_entry() -> Any:
    """Some requests leave no entry in the audit log."""
    recorded = steps.record

    def record(action: Any, context: Any) -> None:
        if action.name not in {"updateClient", "createAssignment"}:
            recorded(action, context)

    return mock.patch.object(steps, "record", record)


def _rolled_up_twice() -> Any:
    """Each change of the rollups is added twice."""
    written = rollups.write

    def write(unit: UnitOfWork, source: str, moves: Any) -> None:
        written(unit, source, {cell: {name: 2 * by for name, by in amounts.items()} for cell, amounts in moves.items()})

    return mock.patch.object(rollups, "write", write)


def _guard_kept() -> Any:
    """A unique value stays taken by what is deleted or renamed."""
    deleted = UnitOfWork.delete

    def delete(unit: UnitOfWork, key: Any, *rest: Any) -> None:
        if "#UNIQUE#" not in key.pk:
            deleted(unit, key, *rest)

    return mock.patch.object(UnitOfWork, "delete", delete)


SABOTAGES: Mapping[str, Callable[[], Any]] = {
    "answers-not-kept": _no_answers_kept,
    "audit-skipped": _no_audit_entry,
    "children-not-counted": _no_child_counted,
    "guards-kept": _guard_kept,
    "rollups-doubled": _rolled_up_twice,
    "rosters-not-moved": _no_roster_moved,
}


@contextlib.contextmanager
def done(name: str | None) -> Iterator[None]:
    with contextlib.nullcontext() if name is None else SABOTAGES[name]():
        yield
