"""The stored entities are those that were answered, in the last answered state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from chalicelib.models.staffing.rates import in_order
from tests.prove import layout
from tests.prove.baseline import Baseline
from tests.prove.client import Client
from tests.prove.history import Effect
from tests.prove.layout import EntityKey
from tests.prove.operations.people import rates
from tests.prove.world import World
from tests.support.store import Snapshot

_MOVED_BY_OTHERS = {"version", "updatedAt", "userCount", "activeUserCount"}
"""Fields that other requests change, or that other checks compare."""


def check(world: World, baseline: Baseline, snapshot: Snapshot) -> None:
    stored = layout.entities(snapshot)
    effects: dict[EntityKey, list[Effect]] = defaultdict(list)
    for request, effect in world.history.effects():
        effects[EntityKey(str(request.organization), effect.entity, effect.id)].append(effect)
    for key in sorted({*stored, *effects, *baseline.versions}):
        # Activities of the feed are compared with the audit log.
        if key.entity == "session" or (key.entity == "activity" and key not in effects):
            continue
        for error in _errors(key, stored.get(key), effects[key], baseline.versions.get(key, 0)):
            world.report("entity", f"{key.entity} {key.id} {error}", entity=key.id, organization=key.organization)


def _errors(key: EntityKey, item: Any, effects: list[Effect], version: int) -> list[str]:
    changes = [effect for effect in effects if effect.changes_version]
    expected = version + len(changes)
    is_erased = any(effect.event == "ASSIGNMENT_DELETED" for effect in effects)
    if expected == 0:
        # Read state of activities that the feed created is no effect of a request.
        return [] if key.entity == "activity" else ["was created by no answered request"]
    answered = [effect.version for effect in changes if effect.version is not None]
    errors = []
    if len(answered) != len(set(answered)) or any(not version < number <= expected for number in answered):
        errors.append(f"was answered with the versions {sorted(answered)} by {len(changes)} changes")
    if item is None or is_erased:
        if is_erased != (item is None):
            errors.append("is lost" if item is None else "is still there, although it was deleted")
        return errors
    if layout.version_of(item) != expected:
        errors.append(f"has version {layout.version_of(item)}, but {expected - version} changes were answered")
    latest = max((effect for effect in changes if effect.data), key=lambda effect: effect.version or 0, default=None)
    return errors if latest is None else [*errors, *_differences(key, item, latest)]


def _differences(key: EntityKey, item: Any, latest: Effect) -> list[str]:
    """Return differences from the newest answered version. Other changes set none of these fields."""
    assert latest.data is not None
    stored = layout.record_of(key.entity, item).model_dump(mode="json")
    return [
        f"has {name} {stored[name]!r} instead of {value!r} as answered"
        for name, value in latest.data.items()
        if name in stored and name not in _MOVED_BY_OTHERS | _unanswered_fields(key) and stored[name] != value
    ]


def _unanswered_fields(key: EntityKey) -> set[str]:
    return {"preferences"} if key.entity == "user" else set()


def check_rates(world: World, clients: Sequence[Client], snapshot: Snapshot) -> None:
    expected: dict[str, dict[str, int]] = defaultdict(dict)
    for client in clients:
        for (_, identifier, day), amount in rates(client).items():
            expected[identifier][day] = amount
    for key, item in layout.entities(snapshot).items():
        if key.entity not in {"position", "worker"}:
            continue
        stored = {str(rate.effective_from): rate.amount for rate in in_order(layout.record_of(key.entity, item).rates)}
        if stored != expected[key.id]:
            message = f"{key.entity} {key.id} has the rates {stored} instead of {expected[key.id]}"
            world.report("rates", message, entity=key.id, organization=key.organization)
