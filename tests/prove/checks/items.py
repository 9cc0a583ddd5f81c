"""Every item of the table has a known kind, and their numbers match the requests."""

from __future__ import annotations

from collections import Counter

from chalicelib.action.registry import REGISTRY
from tests.prove import layout
from tests.prove.baseline import Baseline
from tests.prove.world import World
from tests.support.store import Snapshot, plain

_MAILING = {"inviteUser": 1, "resendInvitation": 1, "resetPassword": 1, "signUp": 1}
_OPENING = {"acceptInvitation", "signIn", "signUp"}
_IMPORT_CHUNK_ROWS = 30


def check(world: World, baseline: Baseline, snapshot: Snapshot) -> None:
    for key in snapshot:
        if layout.kind_of(key) is None:
            world.report("unknown item", f"{key} has no known kind: add it to tests/prove/layout.py")
    stored = layout.kinds(snapshot)
    for kind, count in _expected(world).items():
        if stored[kind] != baseline.kinds[kind] + count:
            message = (
                f"{stored[kind]} × {kind} are stored, {baseline.kinds[kind]} were before, and {count} were created"
            )
            world.report("items", message)
    for key, item in layout.of_kind(snapshot, "mail").items():
        if "sentAt" not in plain(item)["data"]:
            world.report("mail", f"{key} was never sent: {plain(item)['data']}", organization=layout.owner_of(key))
    pump = world.post.pump
    for letter in [letter for source in (*pump.streams, *pump.queues) for letter in source.dead]:
        world.report("dead letter", str(letter)[:500])


def _expected(world: World) -> Counter[str]:
    """Return the number of items that the requests created, by kind."""
    created: Counter[str] = Counter(dict.fromkeys(("mail", "session", "request", "public request"), 0))
    for request in world.history.done():
        action = request.call.action
        created["public request" if REGISTRY[action].is_public else "request"] += 1
        created["mail"] += _MAILING.get(action, 0)
        created["session"] += action in _OPENING
        if action == "importWorkers":
            created["chunk of a request"] += -(-len(request.call.body["rows"]) // _IMPORT_CHUNK_ROWS)
    created["audit entry"] = sum(effect.event is not None for _, effect in world.history.effects())
    return created
