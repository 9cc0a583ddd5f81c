"""Limits of mail to others: by addressee, for all senders together, and by organization. See docs/decisions/mail.md."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.auth.rate_limits import RequestLimits
from chalicelib.dal import limits
from chalicelib.dal.limits import Allowance, Limit
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.organizations import SubscriptionTier

_DAY = 24 * 60 * 60

INVITATION_INTERVAL = Limit(
    "invitation-interval", quota=1, seconds=5 * 60, refusal="an invitation was mailed to this address minutes ago"
)
INVITATIONS_OF_ADDRESS = Limit(
    "invitations-to-address", quota=5, seconds=_DAY, refusal="too many invitations to this address today"
)

CONFIRMATION_INTERVAL = Limit(
    "confirmation-interval", quota=1, seconds=5 * 60, refusal="a code was mailed to this address minutes ago"
)
CONFIRMATIONS_OF_ADDRESS = Limit(
    "confirmations-to-address", quota=5, seconds=_DAY, refusal="too many codes to this address today"
)

INVITATIONS_A_DAY: Mapping[SubscriptionTier, int] = {
    SubscriptionTier.FREE: 20,
    SubscriptionTier.PRO: 100,
    SubscriptionTier.ENTERPRISE: 500,
}
"""FREE is the tier of every sign-up, unknown and unpaid; an operator gives the others."""


def invitations_of_organization(tier: SubscriptionTier) -> Limit:
    refusal = "the organization has mailed as many invitations as it may in a day"
    return Limit("invitations", quota=INVITATIONS_A_DAY[tier], seconds=_DAY, refusal=refusal)


NOTICES_A_DAY: Mapping[SubscriptionTier, int] = {
    SubscriptionTier.FREE: 20,
    SubscriptionTier.PRO: 100,
    SubscriptionTier.ENTERPRISE: 500,
}
"""Notices to one address: about timesheets and timers. The app shows those left out all the same."""


def notices(tier: SubscriptionTier) -> Limit:
    return Limit("notices-to-address", quota=NOTICES_A_DAY[tier], seconds=_DAY)


CONFIRMATION_LIMITS = (CONFIRMATION_INTERVAL, CONFIRMATIONS_OF_ADDRESS)
LIMITS = (INVITATION_INTERVAL, INVITATIONS_OF_ADDRESS, invitations_of_organization(SubscriptionTier.FREE))


def confirmations(address: str) -> list[Allowance]:
    """Return the limits of mails with a code to confirm an address."""
    return [limit.of_address(address) for limit in CONFIRMATION_LIMITS]


def take_invitation(request: RequestLimits, unit: UnitOfWork, address: str, tier: SubscriptionTier) -> None:
    """Reserve one invitation mail in the transaction that decides on it; RATE_LIMITED where there is none left."""
    usages = limits.load(
        INVITATION_INTERVAL.of_address(address),
        INVITATIONS_OF_ADDRESS.of_address(address),
        invitations_of_organization(tier).of_organization(unit.organization),
    )
    for usage in usages:
        request.take_in(unit, usage)
