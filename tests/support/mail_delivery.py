"""Mail delivery for tests: run the stream, the queue and the sweep, then read the mailbox."""

from __future__ import annotations

from typing import Any

import app as product
from chalicelib.core.ids import OrganizationId
from infra.local import functions
from infra.local.mailbox import Mailbox
from infra.local.stack import Stack
from tests.support import streams
from tests.support.api import Api
from tests.support.factories import Member, Organization, unique


class Post:
    def __init__(self, stack: Stack, app: Any = product) -> None:
        """Deliver from now on. `app` has the functions of stream, queue and schedule, by name."""
        streams.turn_on(stack)
        self.mailbox = Mailbox()
        self.pump = functions.pump(
            app,
            stack,
            schedules={"sweep_outbox": app.sweep_outbox},
            # The stream may still have the records of earlier tables.
            from_now=True,
        )

    def carry(self) -> int:
        """Deliver all pending records and messages; return the number of deliveries."""
        return self.pump.pump_once()

    def sweep(self) -> None:
        self.pump.run_schedules()
        self.carry()

    def code(self, address: str) -> str:
        """Return the newest code mailed to an address."""
        self.carry()
        code = self.mailbox.latest_code(address)
        assert code is not None, f"nothing was mailed to {address}"
        return code

    def count(self, address: str) -> int:
        self.carry()
        return len(self.mailbox.mails(address))


def other_code(code: str) -> str:
    """Return a code that differs in its last letter."""
    return code[:-1] + ("0" if code[-1] != "0" else "1")


def invite(organization: Organization, by: Member | None = None, **fields: str) -> dict[str, str]:
    """Invite a user; return the answered data."""
    body = {"email": f"{unique('invited')}@example.com", "firstName": "Ida", "lastName": "Holm", **fields}
    answer = (by or organization.owner).call("inviteUser", body=body)
    assert answer.status == 201, answer.text
    user: dict[str, str] = answer.data
    return user


def sign_up(api: Api, email: str, password: str) -> tuple[OrganizationId, str]:
    """Sign up; return the id of the organization and the token."""
    names = {"firstName": "Anna", "lastName": "Berg", "organizationName": unique("Organization")}
    answer = api.call("signUp", body={"email": email, "password": password, **names})
    assert answer.status == 201, answer.text
    from uuid import UUID

    return OrganizationId(UUID(answer.data["organization"]["id"])), answer.data["token"]
