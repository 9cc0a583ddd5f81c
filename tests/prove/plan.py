"""The operations of a client and their frequencies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tests.prove.client import Client
from tests.prove.operations import assignments, dashboards, feed, identity, people, staffing

Operation = Callable[[Client], None]

WEIGHTS: Mapping[Operation, int] = {
    assignments.cancel_assignment: 2,
    assignments.create_assignment: 12,
    assignments.delete_assignment: 2,
    assignments.end_assignment: 3,
    assignments.update_assignment: 5,
    dashboards.create_metric: 1,
    dashboards.create_quick_action: 1,
    dashboards.create_widget: 2,
    dashboards.delete_metric: 1,
    dashboards.delete_quick_action: 1,
    dashboards.delete_widget: 1,
    dashboards.execute_quick_action: 2,
    dashboards.update_metric: 1,
    dashboards.update_quick_action: 1,
    dashboards.update_widget: 2,
    feed.archive_activity: 2,
    feed.read_activity: 2,
    feed.read_all_activities: 1,
    feed.record_activity: 2,
    feed.unarchive_activity: 1,
    identity.change_role: 1,
    identity.invite_user: 2,
    identity.use_mailed_codes: 5,
    identity.resend_invitation: 1,
    identity.reset_password: 2,
    identity.revoke_other_sessions: 1,
    identity.sign_in: 3,
    identity.sign_out: 2,
    identity.sign_up: 1,
    identity.toggle_access: 2,
    identity.update_organization: 1,
    identity.update_password: 1,
    identity.update_preferences: 2,
    people.create_worker: 4,
    people.delete_rate: 2,
    people.delete_worker: 1,
    people.import_workers: 1,
    people.set_rate: 4,
    people.update_worker: 3,
    staffing.create_client: 3,
    staffing.create_position: 4,
    staffing.create_work_location: 4,
    staffing.delete_client: 2,
    staffing.delete_position: 1,
    staffing.delete_work_location: 2,
    staffing.update_client: 3,
    staffing.update_position: 3,
    staffing.update_work_location: 2,
}


DOMAINS = sorted({operation.__module__.rpartition(".")[2] for operation in WEIGHTS})


def of_domains(domains: Sequence[str]) -> Mapping[Operation, int]:
    """Return the operations of some domains, or of all if none is named."""
    chosen = domains or DOMAINS
    return {
        operation: weight for operation, weight in WEIGHTS.items() if operation.__module__.rpartition(".")[2] in chosen
    }


def run_operations(client: Client, requests: int, weights: Mapping[Operation, int] = WEIGHTS) -> None:
    """Run operations until there are at least `requests` requests. The seed alone determines the operations.

    Each operation has its own random generator: if it takes another course, because mail or other clients were faster,
    the later operations are not affected.
    """
    number = 0
    while client.requests < requests:
        number += 1
        client.rng = client.generator(f"operation {number}")
        operation = client.rng.choices(list(weights), list(weights.values()))[0]
        operation(client)
