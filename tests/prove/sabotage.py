"""Deliberate defects of the product, to prove that the checks report them."""

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
    """Replace a function by no effect."""


def store_no_answers() -> Any:
    """Run a repeated request again."""
    return mock.patch.object(idempotency, "keep", _nothing)


def count_no_children() -> Any:
    """Do not count children on their parents."""
    return mock.patch.object(Collection, "count_child", _nothing)


def update_no_workloads() -> Any:
    """Do not count assignments on positions."""
    return mock.patch.object(assignments, "_move_position", _nothing)


def skip_audit_entries() -> Any:
    """Write no audit entry for some requests."""
    recorded = steps.record

    def record(action: Any, context: Any) -> None:
        if action.name not in {"updateClient", "createAssignment"}:
            recorded(action, context)

    return mock.patch.object(steps, "record", record)


def roll_up_twice() -> Any:
    """Add each change to the rollups twice."""
    written = rollups.write

    def write(unit: UnitOfWork, source: str, increments: Any) -> None:
        written(
            unit,
            source,
            {bucket: {name: 2 * by for name, by in amounts.items()} for bucket, amounts in increments.items()},
        )

    return mock.patch.object(rollups, "write", write)


def keep_guards() -> Any:
    """Keep the unique values of deleted and renamed entities."""
    deleted = UnitOfWork.delete

    def delete(unit: UnitOfWork, key: Any, *rest: Any) -> None:
        if "#UNIQUE#" not in key.pk:
            deleted(unit, key, *rest)

    return mock.patch.object(UnitOfWork, "delete", delete)


SABOTAGES: Mapping[str, Callable[[], Any]] = {
    "answers-not-stored": store_no_answers,
    "audit-skipped": skip_audit_entries,
    "children-not-counted": count_no_children,
    "guards-kept": keep_guards,
    "rollups-doubled": roll_up_twice,
    "workloads-not-updated": update_no_workloads,
}


@contextlib.contextmanager
def applied(name: str | None) -> Iterator[None]:
    with contextlib.nullcontext() if name is None else SABOTAGES[name]():
        yield
