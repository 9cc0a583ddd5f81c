"""The open sessions are exactly those that were opened and not ended since."""

from __future__ import annotations

from collections.abc import Sequence

from tests.prove.client import Account, Client
from tests.prove.world import World
from tests.support.api import Api


def check(world: World, clients: Sequence[Client]) -> None:
    api = Api(source="203.0.113.200")
    for client in clients:
        for account in client.accounts:
            for error in _errors(api, account):
                world.report("session", f"{account.email} {error}", entity=account.user)


def _errors(api: Api, account: Account) -> list[str]:
    errors = []
    for token in account.tokens:
        answer = api.call("listSessions", token, query={"limit": 100})
        if answer.status != 200:
            errors.append(f"has an open session whose token is refused: {answer.text[:200]}")
            continue
        listed = {session["id"] for session in answer.data["items"]}
        if listed != account.sessions:
            errors.append(f"has the open sessions {sorted(listed)} instead of {sorted(account.sessions)}")
    return errors[:3]
