"""The report of a run: figures, and the first violations with their history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.models import audit
from tests.prove.world import Violation, World

_DETAILED_VIOLATIONS = 3
_MAX_REQUESTS = 25


def figures(world: World) -> str:
    history = world.history
    attempts = Counter(attempt for request in history for attempt in request.attempts)
    unanswered = sum(count for attempt, count in attempts.items() if "(dropped)" in attempt or attempt == "died")
    done = f"{len(history.done())} succeeded, {sum(1 for _ in history.effects())} effects"
    lines = [
        f"{len(history)} requests in {sum(attempts.values())} attempts, {unanswered} without an answer; {done}",
        "  attempts   " + ", ".join(f"{count} × {attempt}" for attempt, count in attempts.most_common()),
    ]
    actions = Counter(request.call.action for request in history.done())
    lines.append("  succeeded    " + ", ".join(f"{count} × {action}" for action, count in actions.most_common()))
    faults: Counter[str] = sum((storm.struck for storm in world.storms), Counter())
    lines.append("  faults       " + ", ".join(f"{count} × {fault}" for fault, count in faults.most_common()))
    return "\n".join(lines)


def violations(world: World) -> str:
    """Return all violations by kind, and the first ones with their history."""
    kinds = Counter(violation.check for violation in world.violations)
    lines = [f"{len(world.violations)} violations: " + ", ".join(f"{count} × {kind}" for kind, count in kinds.items())]
    for violation in world.violations[:_DETAILED_VIOLATIONS]:
        lines += ["", *_details(world, violation)]
    lines += [
        "",
        *(f"{violation.check}: {violation.message[:300]}" for violation in world.violations[_DETAILED_VIOLATIONS:40]),
    ]
    return "\n".join(lines)


def _details(world: World, violation: Violation) -> Iterator[str]:
    yield f"{violation.check}: {violation.message}"
    if violation.request is not None:
        yield f"  request {violation.request}"
    if violation.entity is None:
        return
    for request in world.history.about(violation.entity)[:_MAX_REQUESTS]:
        yield f"  request {request}"
    if violation.organization is not None:
        yield from _entries(violation.organization, violation.entity)


def _entries(organization: str, identifier: str) -> Iterator[str]:
    page = table.query(keys.audit(OrganizationId(UUID(organization))))
    for entry in map(audit.read, page.items):
        if entry.entity_id == identifier:
            yield f"  audit {entry.at} {entry.action} request {entry.request_id} {sorted(entry.changes)}"
