"""A run: clients write while store, network and processes fail; then all pending work is finished and checked."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import app as product
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
from tests.support.client_hooks import Odds, ProcessDied, Storm, in_storm, without_waiting
from tests.support.factories import PASSWORD, Member, Organization, new_organization
from tests.support.mail_delivery import Post
from tests.support.threads import at_once

CONSUMER_ODDS = Odds(response_lost=0.08, throttled=0.08, conflict=0.02, request_lost=0.01, death=0.005)
"""Odds of each attempt of the consumers of stream and queues."""
_SHARE_OF_PAUSES = 0.1
_BEYOND_LEASES = timedelta(minutes=10)
"""Later than the lease of a dead sender, and old enough for the sweep to send a mail."""
_COMMONS = 4


@dataclass(frozen=True)
class Options:
    seed: int
    operations: int = 1200
    """Number of writes, not counting repetitions."""
    clients: int = 12
    domains: Sequence[str] = ()
    """Domains of the operations; all if empty."""
    sabotage: str | None = None


class _Died(Exception):
    """A function died; its caller sees a failure."""


def prove(stack: Stack, options: Options) -> World:
    """Run and check; return the world with its violations."""
    with hashing.cheap(), without_waiting(_SHARE_OF_PAUSES), sabotage.applied(options.sabotage):
        table = store.of(stack)
        world = World(options.seed, Post(stack, _Functions()))
        clients = create_clients(world, options.clients)
        world.storms += [client.storm for client in clients]
        baseline = Baseline.of(table.items())
        create_commons(world, clients[0].account)
        share = -(-options.operations // len(clients))
        operations = plan.of_domains(options.domains)
        with running_consumer(world):
            _at_once(world, clients, lambda client: plan.run_operations(client, share, operations))
        settle(world)
        _at_once(world, clients, _use_last_codes)
        settle(world)
        checks.all_of(world, clients, baseline, table)
    return world


class _Functions:
    """The functions that the pump calls, with deaths as failures: Lambda survives the process of a function."""

    def __getattr__(self, name: str) -> Handler:
        function: Handler = getattr(product, name)

        def handle(event: dict[str, Any], context: Any) -> Any:
            try:
                return function(event, context)
            except ProcessDied as death:
                raise _Died from death

        return handle


# -- setup -----------------------------------------------------------------------------------------------------------


def create_clients(world: World, count: int) -> list[Client]:
    """Create the clients: OWNERs of one organization. Every second one shares no entities."""
    # The tier with the largest quota of invitations.
    organization = new_organization(Api(), subscription_tier=SubscriptionTier.ENTERPRISE)
    clients = []
    for number in range(1, count + 1):
        member = organization.enrol(Role.OWNER, PASSWORD)
        clients.append(Client(world, number, _account(organization, member), shares=number % 2 == 0))
    return clients


def _account(organization: Organization, member: Member) -> Account:
    return Account(str(organization.id), str(member.user.id), member.user.email, PASSWORD, tokens=[member.token])


def create_commons(world: World, account: Account) -> None:
    """Create the common entities of the clients, by the same requests as theirs, without faults."""
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


# -- the run ---------------------------------------------------------------------------------------------------------


def _at_once(world: World, clients: Sequence[Client], task: Callable[[Client], None]) -> None:
    def run(client: Client) -> None:
        try:
            task(client)
        except Exception as error:  # noqa: BLE001  a client that stops is a violation, too
            world.report("client stopped", f"{client.name}: {type(error).__name__}: {error}")

    at_once([lambda client=client: run(client) for client in clients])


@contextlib.contextmanager
def running_consumer(world: World) -> Any:
    """Run stream, queues and schedules in a thread, under their own faults; schedules run far too often."""
    is_over = threading.Event()
    storm = Storm(CONSUMER_ODDS, random.Random(f"{world.seed}/consumer"))
    world.storms.append(storm)

    def run() -> None:
        with in_storm(storm):
            while not is_over.is_set():
                with contextlib.suppress(Exception, ProcessDied):
                    _schedules(world)
                    world.post.carry()
                time.sleep(0.02)

    thread = threading.Thread(target=run, name="consumer")
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _schedules(world: World) -> None:
    world.post.pump.run_schedules()
    invoke(product.schedule_metrics, "schedule_metrics", scheduled_event("schedule_metrics"))


def settle(world: World) -> None:
    """Finish all pending work, without faults."""
    world.post.carry()
    with clock.shifted(_BEYOND_LEASES):
        _schedules(world)
        # Retries are immediate here, so a dead sender's message can use them all up during its lease.
        for queue in world.post.pump.queues:
            queue.redrive()
        world.post.carry()


def _use_last_codes(client: Client) -> None:
    for mail in list(client.pending_mails):
        identity.use_code(client, mail, is_last=True)
