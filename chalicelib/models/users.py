"""Users: the members of an organization, and the organization's counts of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import Field, computed_field

from chalicelib.core import clock, former_users
from chalicelib.core.contracts import Contract
from chalicelib.core.errors import ActionError, forbidden, invalid_state
from chalicelib.core.field_types import Instant, MailedLine, StoredEmail, Timezone, matching
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.expressions import Action, Condition
from chalicelib.dal.item import Item
from chalicelib.dal.page_lists import ListedCollection
from chalicelib.dal.records import INTERNAL, DeletableRecord, Record
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models import labels, organizations, weekly_reports
from chalicelib.models.organizations import ACTIVE_OWNER_COUNT, ACTIVE_USER_COUNT, ORGANIZATIONS, USER_COUNT, WeekDay

PersonName = Annotated[MailedLine, Field(max_length=100)]


class Role(StrEnum):
    OWNER = "OWNER"
    ADMIN = "ADMIN"
    COORDINATOR = "COORDINATOR"
    MEMBER = "MEMBER"
    VIEWER = "VIEWER"


class UserStatus(StrEnum):
    INVITED = "INVITED"
    ACTIVE = "ACTIVE"
    DEACTIVATED = "DEACTIVATED"


class Theme(StrEnum):
    LIGHT = "LIGHT"
    DARK = "DARK"
    SYSTEM = "SYSTEM"


_LOCALE = "[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?"
Locale = Annotated[
    str,
    matching(_LOCALE, "must be a language, with a script and a region at most, such as de-DE"),
    Field(examples=["de-DE"], json_schema_extra={"pattern": f"^{_LOCALE}$"}),
]
"""A BCP 47 tag of language, script and region."""


class Notifications(Contract):
    email: Annotated[bool, Field(description="Mails about one's timesheets and timer, and about those to approve.")] = (
        True
    )
    weekly_report: Annotated[
        bool, Field(description="A mail on Monday morning with last week's values of the metrics that one may see.")
    ] = False


class Preferences(Contract):
    """Null `timezone` and `weekStart` mean the organization's."""

    timezone: Timezone | None = None
    week_start: WeekDay | None = None
    locale: Locale = "en"
    theme: Theme = Theme.SYSTEM
    default_project_id: Annotated[UUID | None, Field(examples=[None])] = None
    notifications: Notifications = Notifications()


class User(Record):
    email: StoredEmail
    first_name: Annotated[PersonName, Field(examples=["Anna"])]
    last_name: Annotated[PersonName, Field(examples=["Berg"])]
    role: Role
    is_active: bool = True
    accepted_at: Instant | None = None
    """When the invitation was accepted; the founder's is the sign-up."""

    @computed_field(examples=["ACTIVE"])  # type: ignore[prop-decorator]  # mypy knows no decorated property
    @property
    def status(self) -> UserStatus:
        if not self.is_active:
            return UserStatus.DEACTIVATED
        return UserStatus.INVITED if self.accepted_at is None else UserStatus.ACTIVE

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


class UserRef(Contract):
    """A user as others see them."""

    id: UUID
    first_name: Annotated[str, Field(examples=["Anna"])]
    last_name: Annotated[str, Field(examples=["Berg"])]

    @classmethod
    def of(cls, user: User) -> UserRef:
        return cls(id=user.id, first_name=user.first_name, last_name=user.last_name)


class StoredUser(User, DeletableRecord):
    """A user; one who was deleted is kept without personal data, for the history that refers to them."""

    preferences: Preferences = Preferences()
    email_confirmed: bool = False
    """Somebody used a code that was mailed to the address: it is the user's. A sign-up proves nothing."""
    unconfirmed_invitations: Annotated[int, INTERNAL] = 0
    """Invitations that they mailed before they confirmed their address."""
    session_epoch: Annotated[int, INTERNAL] = 0
    """Sessions of an earlier epoch have ended: one write ends them all, however many."""
    freed_address: Annotated[StoredEmail | None, INTERNAL] = None
    """The address of a user who was deleted, until everything that was stored under it is erased."""

    @property
    def report_zone(self) -> str | None:
        """The zone in which the weekly report is wanted, "" for the organization's; None where none is wanted."""
        is_wanted = self.status is UserStatus.ACTIVE and self.preferences.notifications.weekly_report
        return (self.preferences.timezone or "") if is_wanted else None


PERSONAL_FIELDS = frozenset({"email", "firstName", "lastName", "preferences"})
"""Fields that a deletion empties, and that no audit entry of it shows."""


class Recipient(NamedTuple):
    """A user as the addressee of a notice."""

    id: UUID
    email: str
    wants_mail: bool

    @classmethod
    def of(cls, user: StoredUser) -> Recipient:
        return cls(user.id, user.email, user.deleted_at is None and user.preferences.notifications.email)


MAX_UNCONFIRMED_INVITATIONS = 5
"""Invitations that a user may mail, ever, before they confirm their address."""

ADMINISTRATORS = frozenset({Role.OWNER, Role.ADMIN})
"""Roles whose active users are listed, to be asked for decisions."""


@dataclass(frozen=True, kw_only=True)
class _Users(ListedCollection[StoredUser]):
    def index(self, organization: OrganizationId, record: StoredUser) -> dict[str, Any]:
        """Add the list of administrators."""
        listing = keys.administrators(organization)
        is_listed = record.status is UserStatus.ACTIVE and record.role in ADMINISTRATORS
        return {**super().index(organization, record), listing.attribute: listing.pk if is_listed else None}


USERS = _Users(
    entity="user",
    record=StoredUser,
    shown_as=User,
    search=lambda user: (user.full_name, user.email),
    sort_fields=("name", "email"),
    facets=lambda user: {"role": user.role.value, "isActive": user.is_active},
    cursor_list="getUsers with `limit` and `cursor`",
    reference=lambda user: {"name": user.full_name},
    # Entries name users by their ids: a deleted user's name is nowhere.
    called=lambda _: None,
)

get, key = USERS.get, USERS.key


def create_founder(unit: UnitOfWork, founder: StoredUser) -> None:
    """The first user of a new organization, whose counters `founding_counts` gives."""
    USERS.create(unit, founder)


def founding_counts(founder: StoredUser) -> dict[str, int]:
    return _counts_of(founder)


def create(unit: UnitOfWork, user: StoredUser) -> StoredUser:
    _move_counts(unit, {}, _counts_of(user))
    return USERS.create(unit, user)


def update(
    unit: UnitOfWork, user: StoredUser, changes: Mapping[str, Any], condition: Condition | None = None
) -> StoredUser:
    """Refused when it would leave the organization without an active OWNER."""
    after = USERS.update(unit, user, changes, condition=condition)
    if after.full_name != user.full_name:
        labels.move_names(unit)
    weekly_reports.follow(unit, user.id, user.report_zone, after.report_zone)
    _move_counts(unit, _counts_of(user), _counts_of(after))
    return after


def delete(unit: UnitOfWork, user: StoredUser) -> StoredUser:
    """Delete a user and their personal data; refused when it would leave the organization without an active OWNER.

    History that refers to them shows a former user from here on; `models.identity.erasure` erases the rest.
    """
    unit.require_version(user.version, user.updated_at)
    after = user.changed(
        first_name=former_users.FIRST_NAME,
        last_name=former_users.LAST_NAME,
        email=former_users.EMAIL,
        preferences=Preferences(),
        is_active=False,
        session_epoch=user.session_epoch + 1,
        deleted_at=clock.now(),
        freed_address=user.email,
    )
    before_shown, after_shown = (
        {name: value for name, value in state.shown().items() if name not in PERSONAL_FIELDS} for state in (user, after)
    )
    # A user who is deleted has no status any more.
    del after_shown["status"]
    unit.audit_target(USERS.entity, user.id, before_shown, after_shown)
    USERS.update_to(unit, user, after)
    labels.move_names(unit)
    weekly_reports.follow(unit, user.id, user.report_zone, after.report_zone)
    _move_counts(unit, _counts_of(user), dict.fromkeys(_counts_of(user), 0), organizations.erasure_of(user.id))
    return after


def count_invitation(unit: UnitOfWork, inviter: StoredUser) -> None:
    """Count an invitation mail of a user with an unconfirmed address. FORBIDDEN beyond MAX_UNCONFIRMED_INVITATIONS."""
    if inviter.email_confirmed:
        return
    count = Item.data["unconfirmedInvitations"]
    unit.update(
        key(unit.organization, inviter.id),
        [table.increment(count, 1)],
        count.does_not_exist() | (count < MAX_UNCONFIRMED_INVITATIONS) | (Item.data["emailConfirmed"] == True),  # noqa: E712  an expression
        lambda _: forbidden(
            f"until you confirm your e-mail address, you may mail {MAX_UNCONFIRMED_INVITATIONS} invitations: "
            "resendConfirmation mails you a code"
        ),
    )


def require_active(unit: UnitOfWork, user: StoredUser) -> None:
    """Fail the unit if the user was deactivated or deleted since they were read."""
    unit.check(key(unit.organization, user.id), Item.data["isActive"] == True, stale)  # noqa: E712  an expression


def require_unchanged(unit: UnitOfWork, user: StoredUser) -> None:
    """Declare the user as the audit target of a request that changes no field of theirs."""
    unit.require_version(user.version, user.updated_at)
    unit.check(key(unit.organization, user.id), Item.version == user.version, stale)
    unit.audit_target(USERS.entity, user.id, {}, {})


def administrators(organization: OrganizationId, maximum: int) -> list[Recipient]:
    """Return the active administrators, the longest-serving first. One query; eventually consistent."""
    recipients = []
    for row in table.query(keys.administrators(organization), limit=maximum).items:
        data = table.plain(row, "data")
        preferences = Preferences.model_validate(data.get("preferences", {}), extra="ignore")
        recipients.append(Recipient(UUID(row["sk"]["S"]), data["email"], preferences.notifications.email))
    return recipients


def _counts_of(user: StoredUser) -> dict[str, int]:
    """Return the counts of the organization that include the user."""
    return {
        USER_COUNT: 1,
        ACTIVE_USER_COUNT: int(user.is_active),
        ACTIVE_OWNER_COUNT: int(user.status is UserStatus.ACTIVE and user.role is Role.OWNER),
    }


def _move_counts(
    unit: UnitOfWork,
    before: Mapping[str, int],
    after: Mapping[str, int],
    erasure: tuple[Action, Condition] | None = None,
) -> None:
    """Move the counts in the user's own transaction, so that two owners who demote each other cannot both succeed.

    `erasure`: the rest of the update of the organization, of a user who is deleted.
    """
    moves = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    if not moves:
        return
    actions: list[Action] = []
    for name, by in moves.items():
        counter = Item.children[name]
        actions.append(table.increment(counter, by))
    others = Item.children[ACTIVE_OWNER_COUNT] > 1 if moves.get(ACTIVE_OWNER_COUNT, 0) < 0 else None
    if erasure is not None:
        actions.append(erasure[0])
    unit.update(
        ORGANIZATIONS.key(unit.organization, unit.organization),
        actions,
        table.all_of([others, None if erasure is None else erasure[1]]),
        partial(_refuse_counts, is_erasure=erasure is not None),
    )


def _refuse_counts(organization: Item | None, *, is_erasure: bool) -> ActionError:
    if is_erasure and organizations.too_many_erasures(organization):
        return invalid_state(f"at most {organizations.MAX_ERASURES} users may be deleted a day")
    return invalid_state("the organization needs at least one active OWNER")
