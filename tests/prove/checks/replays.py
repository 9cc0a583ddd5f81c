"""Every successful request, repeated with its key, has the same answer and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.action.registry import REGISTRY
from tests.prove.client import Client, session_of
from tests.prove.history import Request
from tests.prove.world import World
from tests.support.api import Answer, Api
from tests.support.store import Store


def check(world: World, clients: Sequence[Client], table: Store) -> None:
    accounts = {account.user: account for client in clients for account in client.accounts}
    open_sessions = {session for account in accounts.values() for session in account.sessions}
    before = table.items()
    for request in world.history.done():
        account = accounts.get(request.user or "")
        is_public = REGISTRY[request.call.action].is_public
        if not is_public and (account is None or not account.tokens):
            continue
        api = Api(source=f"203.0.113.{int(request.client[1:])}")
        answer = api.send(request.call, None if account is None else account.tokens[0], key=request.key)
        error = _error(api, request, answer, open_sessions)
        if error is not None:
            world.report("replay", error, request)
    changes = table.changes(before)
    for key, change in list(changes.items())[:10]:
        world.report("replay", f"repetitions changed {key}: {change}")


def _error(api: Api, request: Request, answer: Answer, open_sessions: set[str]) -> str | None:
    assert request.answer is not None
    first = request.answer.data
    if "token" in first and session_of(first["token"]) not in open_sessions:
        # The session has ended, so there is no token to answer with.
        if answer.status == 401:
            return None
        use = api.call("getCurrentUser", answer.data["token"])
        return f"the session has ended, and a repetition answered a token, whose use is answered {use.status}"
    if answer.status != request.answer.status or not answer.is_replay:
        return f"a repetition answered {answer.status} {answer.text[:300]}"
    if _without_token(answer.data) != _without_token(first):
        return f"a repetition answered otherwise: {answer.text[:600]}"
    return None


def _without_token(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "token"}
