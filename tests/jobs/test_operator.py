"""Functions for operators: input, effect and audit entry."""

from __future__ import annotations

from typing import Any

import pytest

import app as product
from chalicelib.core import clock, ids
from chalicelib.core.errors import ActionError
from chalicelib.models.dashboards import metric_states
from infra.local.lambda_events import invoke, scheduled_event
from tests.support import client_hooks
from tests.support.api import Api
from tests.support.factories import Organization, new_organization
from tests.support.mail_delivery import Post


def _set(event: Any) -> Any:
    return invoke(product.set_subscription_tier, "set_subscription_tier", event)


@pytest.mark.parametrize("tier", ["PRO", "ENTERPRISE", "FREE"])
def test_the_tier_is_set_and_shown(organization: Organization, tier: str) -> None:
    answer = _set({"organizationId": str(organization.id), "tier": tier})
    shown = organization.owner.call("getOrganization").data
    assert (shown["subscriptionTier"], shown["version"]) == (tier, 2)
    assert answer == shown


def test_it_is_in_the_organizations_audit_log(organization: Organization) -> None:
    _set({"organizationId": str(organization.id), "tier": "PRO"})
    (entry,) = organization.owner.call("getAuditLog").data["items"]
    assert entry["action"] == "SUBSCRIPTION_TIER_SET"
    assert entry["actor"] == {"id": None, "name": "operator", "email": None}
    assert (entry["entityType"], entry["entityId"]) == ("organization", str(organization.id))
    assert entry["changes"] == {"subscriptionTier": {"before": "FREE", "after": "PRO"}}
    assert entry["requestId"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"tier": "GOLD"}, "tier: must be FREE, PRO or ENTERPRISE$"),
        ({"tier": "pro"}, "tier: must be FREE, PRO or ENTERPRISE; did you mean PRO.$"),
        ({"tier": None}, "tier: "),
        ({"organizationId": "1"}, "organizationId: must be a UUID"),
        ({"organizationId": None}, "organizationId: "),
        ({"extra": 1}, "extra: "),
    ],
)
def test_invalid_input_is_named_and_changes_nothing(
    organization: Organization, change: dict[str, Any], error: str
) -> None:
    with pytest.raises(ValueError, match=f"^{error}"):
        _set({"organizationId": str(organization.id), "tier": "PRO", **change})
    assert organization.owner.call("getOrganization").data["version"] == 1


@pytest.mark.parametrize("event", [{}, {"tier": "PRO"}])
def test_missing_input_is_named(event: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="organizationId: is required"):
        _set(event)


def test_an_unknown_organization_is_not_found() -> None:
    with pytest.raises(ActionError, match="no such organization"):
        _set({"organizationId": str(ids.new_id()), "tier": "PRO"})


def test_a_concurrent_change_is_not_overwritten(organization: Organization) -> None:
    with client_hooks.overtaken(lambda: organization.owner.call("updateOrganization", body={"currency": "CHF"})):
        answer = _set({"organizationId": str(organization.id), "tier": "PRO"})
    assert (answer["currency"], answer["subscriptionTier"], answer["version"]) == ("CHF", "PRO", 3)


@pytest.mark.parametrize(
    ("event", "field"),
    [({}, "organizationId"), ({"organizationId": "1"}, "organizationId"), ({"organization": "1"}, "organizationId")],
)
def test_a_reconciliation_requires_an_organization(event: dict[str, str], field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}: "):
        invoke(product.reconcile_rollups, "reconcile_rollups", event)


def test_operators_reconcile_one_organization_and_the_schedule_all(api: Api, post: Post) -> None:
    organizations = [new_organization(api) for _ in range(3)]
    for organization in organizations:
        metric_states.create_system_row(organization.id, clock.now())
    assert invoke(product.reconcile_rollups, "reconcile_rollups", {"organizationId": str(organizations[0].id)}) == 1
    assert invoke(product.reconcile_rollups, "reconcile_rollups", scheduled_event("reconcile_rollups")) >= 3
    post.carry()


# -- redriving the stream --------------------------------------------------------------------------------------------


def _redrive(event: Any) -> Any:
    return invoke(product.redrive_stream, "redrive_stream", event)


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({}, "since: is required"),
        ({"since": "yesterday"}, "since: "),
        ({"since": "2026-06-01T00:00:00"}, "since: "),
        ({"since": "9999-01-01T00:00:00Z"}, "since: must not be in the future"),
        ({"since": "2026-06-02T00:00:00Z", "until": "2026-06-01T23:59:59Z"}, "until: must not be before since"),
        ({"since": "2026-06-02T00:00:00Z", "until": "now"}, "until: "),
        ({"since": "2026-06-02T00:00:00Z", "organizationId": "1"}, "organizationId: "),
        ({"since": "2026-06-02T00:00:00Z", "organization": "1"}, "organization: "),
    ],
)
def test_a_redrive_requires_a_valid_range(event: dict[str, str], error: str) -> None:
    with pytest.raises(ValueError, match=f"^{error}"):
        _redrive(event)


def test_an_unknown_organization_is_not_redriven() -> None:
    with pytest.raises(ActionError, match="no such organization"):
        _redrive({"since": "2026-06-02T00:00:00Z", "organizationId": str(ids.new_id())})
