"""Credentials: an e-mail address's owner, password hash and mailed codes.

The one record of identity, outside every organization: it says which organization an address belongs to, and its
existence makes addresses unique.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.contracts import Contract
from chalicelib.core.errors import duplicate_entry
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, limits, table
from chalicelib.dal.expressions import Condition
from chalicelib.dal.item import Item
from chalicelib.dal.limits import Allowance, Usage
from chalicelib.dal.unit_of_work import UnitOfWork, stale

CODE_ATTEMPTS = 5

_DECOY_BYTES = 200


class CodePurpose(StrEnum):
    CONFIRMATION = "confirmation"
    INVITATION = "invitation"
    RESET = "reset"


class Code(Contract):
    hash: str
    expires_at: Instant
    guesses: tuple[str, ...] = ()
    """Wrong guesses, each by an id that is the same when its request is repeated."""

    @property
    def is_open(self) -> bool:
        return len(self.guesses) < CODE_ATTEMPTS and self.expires_at > clock.now()


_NO_CODE = Code(hash="", expires_at=datetime.fromtimestamp(0, UTC))


class Credential(Contract):
    email: str
    organization_id: UUID
    user_id: UUID
    password_hash: str | None = None
    invitation: Code | None = None
    reset: Code | None = None
    confirmation: Code | None = None

    @property
    def tenant(self) -> OrganizationId:
        return OrganizationId(self.organization_id)

    def code(self, purpose: CodePurpose) -> Code | None:
        codes = {
            CodePurpose.CONFIRMATION: self.confirmation,
            CodePurpose.INVITATION: self.invitation,
            CodePurpose.RESET: self.reset,
        }
        return codes[purpose]


def read(item: Item | None) -> Credential | None:
    return None if item is None or item.data is None else Credential.model_validate(item.data, extra="ignore")


def get(address: str) -> Credential | None:
    return read(table.get(keys.credential(address)))


def get_with_usages(address: str, *allowances: Allowance) -> tuple[Credential | None, list[Usage]]:
    """Return the credential and the usage of each allowance, in one round trip."""
    key = keys.credential(address)
    items = table.batch_get((key, *(allowance.key for allowance in allowances)))
    return read(items.get(key)), [limits.read(allowance, items.get(allowance.key)) for allowance in allowances]


def take(unit: UnitOfWork, address: str, user: UUID, password_hash: str | None) -> None:
    """Claim an address for a user. DUPLICATE_ENTRY if anyone has it, in any organization."""
    credential = Credential(email=address, organization_id=unit.organization, user_id=user, password_hash=password_hash)
    item = Item(*keys.credential(address), data=credential.model_dump(mode="json", exclude_none=True))
    unit.put_new(item, lambda _: _taken())


def release(unit: UnitOfWork, address: str, user: UUID) -> None:
    """Free the address of a user, and end its password and codes."""
    unit.delete(keys.credential(address), Item.data["userId"] == str(user), stale)


def require_free(address: str) -> None:
    """Check that nobody has an address: else DUPLICATE_ENTRY."""
    if get(address) is not None:
        raise _taken()


def _taken() -> Exception:
    return duplicate_entry("email", "is already in use")


def require_unchanged(unit: UnitOfWork, credential: Credential) -> None:
    """Fails the unit when the password was changed since it was verified."""
    unit.check(keys.credential(credential.email), Item.data["passwordHash"] == credential.password_hash, stale)


def set_password(
    unit: UnitOfWork, credential: Credential, password_hash: str, consuming: CodePurpose | None = None
) -> None:
    """Replace the password, and use up the code that allowed it. Every other open code ends with the old password.

    But for the one that confirms the address, unless another mailed code has just confirmed it.
    """
    password = Item.data["passwordHash"]
    condition = password.does_not_exist() if credential.password_hash is None else password == credential.password_hash
    ending = [purpose for purpose in CodePurpose if consuming or purpose is not CodePurpose.CONFIRMATION]
    code = credential.code(consuming) if consuming else None
    if consuming and code:
        condition &= _is_open_still(consuming, code)
    unit.update(
        keys.credential(credential.email),
        [
            table.assign("passwordHash", password_hash),
            *(table.assign(purpose.value, None) for purpose in ending),
        ],
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


def use_code(unit: UnitOfWork, credential: Credential, purpose: CodePurpose) -> None:
    """Use up the code that was given, which changes no password."""
    code = credential.code(purpose)
    condition = Item.pk.exists() if code is None else _is_open_still(purpose, code)
    unit.update(keys.credential(credential.email), [table.assign(purpose.value, None)], condition, stale)


def issue_code(credential: Credential, purpose: CodePurpose, code_hash: str, expires_at: datetime) -> bool:
    """Replaces any earlier code of this purpose. False when an invitation was accepted meanwhile."""
    code = Code(hash=code_hash, expires_at=expires_at)
    condition = Item.data["userId"] == str(credential.user_id)
    password = Item.data["passwordHash"]
    condition &= password.does_not_exist() if purpose is CodePurpose.INVITATION else password.exists()
    value: Any = code.model_dump(mode="json")
    return table.update(keys.credential(credential.email), [table.assign(purpose.value, value)], condition) is not None


def record_wrong_guess(address: str, purpose: CodePurpose, code: Code | None, guess: str) -> None:
    """Count a wrong guess, before it is answered. Without effect when it was counted before, or the code has ended.

    The same round trip for an address that is unknown or has no code.
    """
    guesses = Item.data[purpose.value]["guesses"]
    table.update(
        keys.credential(address),
        [guesses.set((guesses | []).append([guess]))],
        _is_open_still(purpose, code or _NO_CODE) & ~guesses.contains(guess),
    )


def _is_open_still(purpose: CodePurpose, code: Code) -> Condition:
    """The code was not replaced, used up or guessed at too often since it was read."""
    stored = Item.data[purpose.value]
    condition: Condition = (stored["hash"] == code.hash) & stored["guesses"][CODE_ATTEMPTS - 1].does_not_exist()
    return condition


def write_decoys(unit: UnitOfWork, address: str) -> None:
    """Write as much as a mail and its audit entry for a known address would be, so that timing shows nothing."""
    indexes = keys.indexes_of_decoys(address)
    for number in range(2):
        item = Item(*keys.decoy(address, number), data={"filling": "-" * _DECOY_BYTES})
        item.enter(*indexes[: number + 1])
        item.ttl = int(clock.now().timestamp())
        unit.put(item, None, stale)
