"""Every item of the table is explained: of a known kind, and as many of it as the requests have made."""

from __future__ import annotations

from collections import Counter

from chalicelib.action.registry import REGISTRY
from tests.prove import layout
from tests.prove.baseline import Baseline
from tests.prove.world import World
from tests.support.store import Snapshot, plain

_MAILING = {"inviteUser": 1, "resendInvitation": 1, "resetPassword": 1}
_OPENING = {"acceptInvitation", "signIn", "signUp"}
_IMPORT_PART_ROWS = 30


def check(world: World, baseline: Baseline, snapshot: Snapshot) -> None:
    for key in snapshot:
        if layout.kind_of(key) is None:
            world.report("unknown item", f"nobody knows what lies at {key}: name its kind in tests/prove/layout.py")
    held = layout.kinds(snapshot)
    for kind, count in _made(world).items():
        if held[kind] != baseline.kinds[kind] + count:
            message = f"{held[kind]} × {kind} lie in the table, {baseline.kinds[kind]} did, and {count} were made"
            world.report("items", message)
    for key, item in layout.of_kind(snapshot, "mail").items():
        if "sentAt" not in plain(item)["data"]:
            world.report("mail", f"{key} was never sent: {plain(item)['data']}", organization=layout.owner_of(key))
    post = world.post.pump
    for letter in [letter for source in (*post.streams, *post.queues) for letter in source.dead]:
        world.report("dead letter", str(letter)[:500])


def _made(world: World) -> Counter[str]:
    """Items of a request that are made once, by kind."""
    made: Counter[str] = Counter(dict.fromkeys(("mail", "session", "request", "public request"), 0))
    for request in world.history.done():
        action = request.call.action
        made["public request" if REGISTRY[action].is_public else "request"] += 1
        made["mail"] += _MAILING.get(action, 0)
        made["session"] += action in _OPENING
        if action == "importWorkers":
            made["part of a request"] += -(-len(request.call.body["rows"]) // _IMPORT_PART_ROWS)
    made["audit entry"] = sum(effect.event is not None for _, effect in world.history.effects())
    return made
