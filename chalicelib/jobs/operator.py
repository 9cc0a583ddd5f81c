"""Operator functions: changes of an organization by operators of the service, as Lambda functions, never over HTTP.

Bad input is an error that names the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from pydantic import ValidationError

from chalicelib.core import clock
from chalicelib.core.contracts import Contract
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.core.messages import message_of
from chalicelib.dal.unit_of_work import UnitOfWork, retry_stale
from chalicelib.jobs import reconciliation, redrive
from chalicelib.models import audit
from chalicelib.models.audit import Actor, AuditEvent
from chalicelib.models.organizations import ORGANIZATIONS, Organization, SubscriptionTier

_TRIES = 3

C = TypeVar("C", bound=Contract)


class SetSubscriptionTier(Contract):
    organization_id: UUID
    tier: SubscriptionTier


def set_subscription_tier(event: dict[str, Any], request_id: str) -> dict[str, Any]:
    """Set a tier: `{"organizationId", "tier"}` → the organization."""
    request = _parsed(SetSubscriptionTier, event)
    return retry_stale(lambda _: _set(request, request_id), _TRIES)


def _set(request: SetSubscriptionTier, request_id: str) -> dict[str, Any]:
    tenant = OrganizationId(request.organization_id)
    unit = UnitOfWork(tenant)
    before = ORGANIZATIONS.get(tenant, request.organization_id)
    after = ORGANIZATIONS.update(unit, before, {"subscription_tier": request.tier})
    audit.record_change(unit, AuditEvent.SUBSCRIPTION_TIER_SET, Actor(name="operator"), request_id)
    unit.commit()
    return Organization.model_validate(after.model_dump(include=set(Organization.model_fields))).model_dump(mode="json")


class ReconcileRollups(Contract):
    organization_id: UUID


def reconcile_rollups(event: Mapping[str, Any]) -> int:
    """Queue reconciliations: `{"organizationId"}`, or the schedule's event for all → how many."""
    if event.get("source") == "aws.events":
        return reconciliation.schedule()
    return reconciliation.schedule([OrganizationId(_parsed(ReconcileRollups, event).organization_id)])


class RedriveStream(Contract):
    since: Instant
    until: Instant | None = None
    organization_id: UUID | None = None


def redrive_stream(event: Mapping[str, Any]) -> int | dict[str, Any]:
    """Queue a redrive: `{"since", "until"?, "organizationId"?}` → how many; or a batch of dead letters."""
    if "Records" in event:
        return redrive.take_dead_letters(event)
    request = _parsed(RedriveStream, event)
    now = clock.now()
    until = request.until or now
    if request.since > now:
        raise ValueError("since: must not be in the future")
    if until < request.since:
        raise ValueError("until: must not be before since")
    if request.organization_id is None:
        return redrive.schedule(request.since, until)
    # NOT_FOUND for an unknown one, instead of work that would find nothing.
    organization = ORGANIZATIONS.get(OrganizationId(request.organization_id), request.organization_id)
    return reconciliation.schedule([organization.tenant], since=request.since, until=until)


def _parsed(contract: type[C], event: Mapping[str, Any]) -> C:
    try:
        return contract.model_validate(event)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {message_of(fault)}" for fault in error.errors())
        raise ValueError(faults) from None
