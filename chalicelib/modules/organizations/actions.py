"""The caller's organization."""

from __future__ import annotations

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.errors import ErrorCode
from chalicelib.models import organizations
from chalicelib.models.audit import AuditEvent
from chalicelib.models.organizations import Organization
from chalicelib.modules.organizations.contracts import UpdateOrganization


@action("getOrganization", "GET /organization", permission=Permission.WORKSPACE_READ)
def get_organization(ctx: Context) -> Organization:
    """The caller's organization with the counts of its users."""
    return ctx.principal.organization


@action(
    "updateOrganization",
    "PATCH /organization",
    permission=Permission.ORGANIZATION_UPDATE,
    audit=AuditEvent.ORGANIZATION_UPDATED,
    errors=(ErrorCode.HAS_DEPENDENCIES,),
)
def update_organization(ctx: Context, data: UpdateOrganization) -> Organization:
    """Changes the organization's settings; `loanRole` only by an OWNER, `currency` while there are no rates."""
    if "loan_role" in data.model_fields_set:
        ctx.principal.require(Permission.ORGANIZATION_GOVERN, "only an OWNER changes loanRole")
    return organizations.update(ctx.unit, ctx.principal.organization, data.changes())
