"""Mail: ending the mails that one does not want, without a sign-in."""

from __future__ import annotations

from chalicelib.action.context import PublicContext
from chalicelib.action.registry import action
from chalicelib.auth import unsubscribing
from chalicelib.auth.permissions import PUBLIC
from chalicelib.auth.rate_limits import UNSUBSCRIBINGS, UNSUBSCRIBINGS_OF_SOURCE, of_source
from chalicelib.core.contracts import Success
from chalicelib.core.errors import invalid_field
from chalicelib.dal.collection import get_together
from chalicelib.dal.limits import Usage
from chalicelib.models import users
from chalicelib.models.audit import Actor, AuditEvent
from chalicelib.models.identity import credentials
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.users import USERS, StoredUser
from chalicelib.modules.mail.contracts import GetMailSubscription, MailSubscription, Unsubscribe

_LIMITS = (UNSUBSCRIBINGS, UNSUBSCRIBINGS_OF_SOURCE)


@action("getMailSubscription", f"GET {unsubscribing.PATH}", permission=PUBLIC, limits=_LIMITS)
def get_mail_subscription(ctx: PublicContext, data: GetMailSubscription) -> MailSubscription:
    """Say whether a mail is still wanted, by the link that is in it. Opening the link changes nothing."""
    user, _ = _user_of(ctx, data.email, data.token)
    return MailSubscription(is_subscribed=user.preferences.notifications.weekly_report)


@action(
    "unsubscribe",
    f"POST {unsubscribing.PATH}",
    permission=PUBLIC,
    audit=AuditEvent.MAIL_UNSUBSCRIBED,
    limits=_LIMITS,
)
def unsubscribe(ctx: PublicContext, data: Unsubscribe) -> Success:
    """Ends the mail that the link is in, as often as it is sent.

    As RFC 8058 has it, mail programs post `List-Unsubscribe=One-Click` as a form to the link in the mail's header, with
    `email` and `token` in its query.
    """
    user, usages = _user_of(ctx, data.email, data.token)
    unit = ctx.unit
    ctx.actor = Actor.of(user)
    # Counted with the change: a repetition is none.
    for usage in usages[:1]:
        ctx.limits.take_in(unit, usage)
    notifications = user.preferences.notifications
    if notifications.weekly_report:
        changed = notifications.model_copy(update={"weekly_report": False})
        users.update(unit, user, {"preferences": user.preferences.model_copy(update={"notifications": changed})})
    else:
        users.require_unchanged(unit, user)
    return Success()


def _user_of(ctx: PublicContext, email: str, token: str) -> tuple[StoredUser, list[Usage]]:
    """Return the addressee, and the usages of the limits; begin the organization's unit.

    One answer for unknown addresses and wrong tokens, each of which takes a use of the limits.
    """
    credential, usages = credentials.get_with_usages(
        email, UNSUBSCRIBINGS.of_address(email), *of_source(ctx.request.source, UNSUBSCRIBINGS_OF_SOURCE)
    )
    if credential is not None:
        tenant = credential.tenant
        known, organizations = get_together(tenant, [(USERS, [credential.user_id]), (ORGANIZATIONS, [tenant])])
        user: StoredUser | None = known.get(credential.user_id)
        if user is not None and unsubscribing.is_token(token, organizations[tenant], user.id, user.email):
            ctx.begin(tenant)
            return user, usages
    ctx.limits.take(*usages)
    raise invalid_field("token", "is not of a mail to this address")
