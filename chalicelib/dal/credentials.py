"""Credentials: an e-mail address's owner, password hash and mailed codes.

The one record of identity, outside every organization: it says which organization an address belongs to, and its
existence makes addresses unique.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.contracts import Contract, Instant
from chalicelib.core.errors import duplicate_entry
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.table import Item
from chalicelib.dal.unit_of_work import UnitOfWork, stale

CODE_ATTEMPTS = 5


class CodePurpose(StrEnum):
    INVITATION = "invitation"
    RESET = "reset"


class Code(Contract):
    hash: str
    expires_at: Instant
    attempts: int = 0


class Credential(Contract):
    email: str
    organization_id: UUID
    user_id: UUID
    password_hash: str | None = None
    invitation: Code | None = None
    reset: Code | None = None

    @property
    def tenant(self) -> OrganizationId:
        return OrganizationId(self.organization_id)

    def code(self, purpose: CodePurpose) -> Code | None:
        return self.reset if purpose is CodePurpose.RESET else self.invitation


def read(item: Item | None) -> Credential | None:
    return None if item is None or item.data is None else Credential.model_validate(item.data, extra="ignore")


def get(address: str) -> Credential | None:
    return read(table.get(keys.credential(address)))


def take(unit: UnitOfWork, address: str, user: UUID, password_hash: str | None) -> None:
    """DUPLICATE_ENTRY for an address that anyone has, in any organization."""
    credential = Credential(email=address, organization_id=unit.organization, user_id=user, password_hash=password_hash)
    item = Item(*keys.credential(address), data=credential.model_dump(mode="json", exclude_none=True))
    unit.put_new(item, lambda _: duplicate_entry("email", "is already in use"))


def require_unchanged(unit: UnitOfWork, credential: Credential) -> None:
    """Fails the unit when the password was changed since it was verified."""
    unit.check(keys.credential(credential.email), Item.data["passwordHash"] == credential.password_hash, stale)


def set_password(
    unit: UnitOfWork, credential: Credential, password_hash: str, consuming: CodePurpose | None = None
) -> None:
    """Replaces the password, and uses up the code that allowed it. Every other open code ends with the old password."""
    password = Item.data["passwordHash"]
    condition = password.does_not_exist() if credential.password_hash is None else password == credential.password_hash
    code = credential.code(consuming) if consuming else None
    if consuming and code:
        condition = condition & (Item.data[consuming.value]["hash"] == code.hash)
    unit.update(
        keys.credential(credential.email),
        [table.assign("passwordHash", password_hash), *(table.assign(purpose.value, None) for purpose in CodePurpose)],
        condition,
        stale,
    )


def rehash_password(unit: UnitOfWork, credential: Credential, password_hash: str) -> None:
    """The same password under newer parameters."""
    unit.update(
        keys.credential(credential.email),
        [table.assign("passwordHash", password_hash)],
        Item.data["passwordHash"] == credential.password_hash,
        stale,
    )


def issue_code(credential: Credential, purpose: CodePurpose, code_hash: str, expires_at: datetime) -> bool:
    """Replaces any earlier code of this purpose. False when an invitation was accepted meanwhile."""
    code = Code(hash=code_hash, expires_at=expires_at)
    condition = Item.data["userId"] == str(credential.user_id)
    password = Item.data["passwordHash"]
    condition &= password.does_not_exist() if purpose is CodePurpose.INVITATION else password.exists()
    value: Any = code.model_dump(mode="json")
    return table.update(keys.credential(credential.email), [table.assign(purpose.value, value)], condition) is not None


def attempt_code(address: str, purpose: CodePurpose) -> Credential | None:
    """Counts an attempt before it is made, so that no number of parallel tries gets more than five.

    None when there is no such address or no open code: expired, used up, or never mailed.
    """
    code = Item.data[purpose.value]
    item = table.update(
        keys.credential(address),
        [code["attempts"].set(code["attempts"] + 1)],
        Item.pk.exists() & (code["attempts"] < CODE_ATTEMPTS) & (code["expiresAt"] > clock.to_text(clock.now())),
    )
    return read(item)
