"""Which quick actions there are for whom."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from chalicelib.auth.permissions import Permission
from chalicelib.auth.principal import Principal
from chalicelib.core import text
from chalicelib.core.ids import OrganizationId
from chalicelib.models.dashboards import quick_actions
from chalicelib.models.dashboards.quick_actions import QUICK_ACTIONS, ActionType, QuickAction
from chalicelib.modules.quick_actions import targets
from chalicelib.modules.quick_actions.system import SYSTEM_QUICK_ACTIONS


def get(organization: OrganizationId, identifier: UUID) -> QuickAction:
    """The organization's, or one of the product's."""
    system = SYSTEM_QUICK_ACTIONS.get(identifier)
    return QUICK_ACTIONS.get(organization, identifier) if system is None else system


def everything(organization: OrganizationId) -> list[QuickAction]:
    """Return all quick actions by sort order, then by name."""
    return sorted([*quick_actions.live(organization), *SYSTEM_QUICK_ACTIONS.values()], key=position)


def position(quick_action: QuickAction) -> tuple[int, str, str]:
    """Return its place in lists."""
    return quick_action.sort_order, text.fold(quick_action.name), str(quick_action.id)


def offered(principal: Principal) -> list[QuickAction]:
    """Those that are enabled and that the caller may run."""
    return [offer for offer in everything(principal.tenant) if offer.is_enabled and refusal(offer, principal) is None]


def refusal(quick_action: QuickAction, principal: Principal) -> str | None:
    """Why the caller may not run it; None when they may."""
    role, tier = principal.user.role, principal.organization.subscription_tier
    if Permission.QUICK_ACTIONS_RUN not in principal.permissions:
        return f"the role {role} lacks the permission {Permission.QUICK_ACTIONS_RUN}"
    if quick_action.required_role and role not in quick_action.required_role:
        return f"this quick action is for {_listed(quick_action.required_role)}, and your role is {role}"
    if quick_action.required_tier and tier not in quick_action.required_tier:
        return (
            f"this quick action is for organizations of the tier {_listed(quick_action.required_tier)}, "
            f"and yours is {tier}"
        )
    return _refusal_of_target(quick_action, principal)


def _refusal_of_target(quick_action: QuickAction, principal: Principal) -> str | None:
    if quick_action.action_type is ActionType.NAVIGATION:
        return None
    target = targets.find(quick_action.api_action)
    if target is None or target.permission in principal.permissions:
        return None
    return f"the role {principal.user.role} lacks the permission {target.permission}, which {target.name} needs"


def _listed(choices: Iterable[str]) -> str:
    return " or ".join(choices)
