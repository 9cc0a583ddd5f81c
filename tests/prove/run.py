"""A run: clients write while the store, the network and the processes fail; then all is carried on, and checked."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import app as roof
from chalicelib.core import clock
from chalicelib.models.organizations import SubscriptionTier
from chalicelib.models.users import Role
from infra.local.lambda_events import Handler, invoke, scheduled_event
from infra.local.stack import Stack
from tests.prove import checks, plan, sabotage
from tests.prove.baseline import Baseline
from tests.prove.client import Account, Client
from tests.prove.operations import assignments, identity, people, staffing
from tests.prove.world import World
from tests.support import hashing, store
from tests.support.api import Api
from tests.support.post import Post
from tests.support.threads import at_once
from tests.support.wire import Odds, ProcessDied, Storm, in_storm, without_waiting
from tests.support.world import PASSWORD, Member, Organization, new_organization

CONSUMER_ODDS = Odds(response_lost=0.08, throttled=0.08, conflict=0.02, request_lost=0.01, death=0.005)
"""Of each try, while the consumer carries on what was written."""
_SHARE_OF_PAUSES = 0.1
_BEYOND_LEASES = timedelta(minutes=10)
"""Until then a mail belongs to a sender that died with it, and the sweep leaves young mails alone."""
_COMMONS = 4


@dataclass(frozen=True)
class Options:
    seed: int
    operations: int = 1200
    """Writes that are asked for, repetitions aside."""
    clients: int = 12
    domains: Sequence[str] = ()
    """Of which to draw operations; all, where none is named."""
    sabotage: str | None = None


class _Died(Exception):
    """A function died, which its caller sees as a failure."""


def prove(stack: Stack, options: Options) -> World:
    """Runs and checks; what was wrong is in the world's violations."""
    with hashing.cheap(), without_waiting(_SHARE_OF_PAUSES), sabotage.done(options.sabotage):
        table = store.of(stack)
        world = World(options.seed, Post(stack, _Functions()))
        clients = _clients(world, options.clients)
        world.storms += [client.storm for client in clients]
        baseline = Baseline.of(table.items())
        _furnish(world, clients[0].account)
        share = -(-options.operations // len(clients))
        operations = plan.of_domains(options.domains)
        with _carried_on(world):
            _at_once(world, clients, lambda client: plan.carry_out(client, share, operations))
        _settle(world)
        _at_once(world, clients, _open_last_letters)
        _settle(world)
        checks.all_of(world, clients, baseline, table)
    return world


class _Functions:
    """The functions that run without a caller, as the pump calls them: Lambda outlives the process of a function."""

    def __getattr__(self, name: str) -> Handler:
        function: Handler = getattr(roof, name)

        def handle(event: dict[str, Any], context: Any) -> Any:
            try:
                return function(event, context)
            except ProcessDied as death:
                raise _Died from death

        return handle


# -- before ----------------------------------------------------------------------------------------------------------


def _clients(world: World, count: int) -> list[Client]:
    """All OWNERs of one organization; every second one works alone, so nothing may ever be refused it."""
    # Of the tier that may invite most.
    organization = new_organization(Api(), subscription_tier=SubscriptionTier.ENTERPRISE)
    clients = []
    for number in range(1, count + 1):
        member = organization.enrol(Role.OWNER, PASSWORD)
        clients.append(Client(world, number, _account(organization, member), shares=number % 2 == 0))
    return clients


def _account(organization: Organization, member: Member) -> Account:
    return Account(str(organization.id), str(member.user.id), member.user.email, PASSWORD, tokens=[member.token])


def _furnish(world: World, account: Account) -> None:
    """Makes what the clients have in common, by requests like theirs, while nothing breaks."""
    owner = Client(world, 99, account, shares=False, is_calm=True)
    for name in staffing.COMMON_NAMES[:_COMMONS]:
        owner.keep("client", owner.write("createClient", ("client", None), body={"name": name}))
    for phone in people.COMMON_PHONES[:_COMMONS]:
        body = {"firstName": "Mehmet", "lastName": "Common", "phone": phone}
        owner.keep("worker", owner.write("createWorker", ("worker", None), body=body))
    for create in (staffing.create_work_location, staffing.create_position, assignments.create_assignment):
        for _ in range(_COMMONS):
            create(owner)
    for entity in ("client", "worker", "workLocation", "position", "assignment"):
        world.commons[entity] = [data["id"] for data in owner.mine(entity)]


# -- while -----------------------------------------------------------------------------------------------------------


def _at_once(world: World, clients: Sequence[Client], work: Callable[[Client], None]) -> None:
    def run(client: Client) -> None:
        try:
            work(client)
        except Exception as error:  # noqa: BLE001  a client that cannot go on is a finding like any other
            world.report("client stopped", f"{client.name}: {type(error).__name__}: {error}")

    at_once([lambda client=client: run(client) for client in clients])


@contextlib.contextmanager
def _carried_on(world: World) -> Any:
    """What follows from the writes, meanwhile, under faults of its own; schedules run much too often."""
    over = threading.Event()
    storm = Storm(CONSUMER_ODDS, random.Random(f"{world.seed}/consumer"))
    world.storms.append(storm)

    def run() -> None:
        with in_storm(storm):
            while not over.is_set():
                with contextlib.suppress(Exception, ProcessDied):
                    _schedules(world)
                    world.post.carry()
                time.sleep(0.02)

    thread = threading.Thread(target=run, name="consumer")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _schedules(world: World) -> None:
    world.post.pump.run_schedules()
    invoke(roof.schedule_metrics, "schedule_metrics", scheduled_event("schedule_metrics"))


def _settle(world: World) -> None:
    """Everything that is still to follow follows, and nothing breaks any more."""
    world.post.carry()
    with clock.shifted(_BEYOND_LEASES):
        _schedules(world)
        # Retries come at once here, so a sender's death can use them all up while its lease holds.
        for queue in world.post.pump.queues:
            queue.redrive()
        world.post.carry()


def _open_last_letters(client: Client) -> None:
    for letter in list(client.letters):
        identity.use_code(client, letter, is_last=True)
