"""Schemathesis over the OpenAPI document: its promises hold for every request that it can generate.

Left out, of its checks: that tokens are required (the authorization net tries them all) and that unknown methods get
405 (api.md has no such code: a route that does not exist is NOT_FOUND).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis import Case, Response, SerializationContext
from schemathesis.core import NOT_SET
from schemathesis.core.failures import AcceptedNegativeData, FailureGroup
from schemathesis.core.parameters import ParameterLocation

import app as roof
from chalicelib.action import openapi
from chalicelib.action.media_types import CSV, JSON
from chalicelib.action.registry import REGISTRY
from chalicelib.core.errors import ErrorCode
from chalicelib.core.iso_codes import COUNTRIES, CURRENCIES
from infra.local.gateway import Gateway
from infra.local.stack import Stack
from tests.contract.generated_requests import BASE_URL, Ground, is_valid, negated, session
from tests.support import store
from tests.support.api import Api
from tests.support.arrange import operation
from tests.support.figures import GENERATED_REQUESTS
from tests.support.hypothesis_profile import IS_FULL

DOCUMENT = openapi.document()
EXAMPLES = 20 if IS_FULL else 3
"""Random requests of an action, beyond those that try each of its limits."""

REASONS_OF_STATE = {
    "code: is wrong or no longer valid",
    "currency: must be the organization's, EUR",
    "defaultProjectId: is not a project of the organization",
    "dryRun: is in the query and in the body",
    "cursor: is not a cursor of this list with these filters",
    "newPassword: must differ from the current password",
    "password: is among the most common passwords",
    "newPassword: is among the most common passwords",
    "query: cursor and limit do not go with page, pageSize, search and sortBy",
    "query: entityId needs entityType",
    "endAt: must be after startAt",
    "query: cursor and limit do not go with page and pageSize",
    "criticalThreshold: must not be above warningThreshold where low is bad",
    "criticalThreshold: must not be below warningThreshold",
    "criticalThreshold: must not be negative: in a band it is a distance from targetValue",
    "warningThreshold: must not be negative: in a band it is a distance from targetValue",
    "targetValue: is required for thresholds of a band",
    "to: must be after from",
    "to: must not be before from",
    "until: must be after at",
    "endDate: must not be before startDate",
    # A change of a quick action is checked against its state before.
    "apiAction: must be left out for NAVIGATION, or cleared with null",
    "apiAction: is required for API_CALL",
    "apiAction: is required for FORM",
    "formConfig: must be left out for NAVIGATION, or cleared with null",
    "formConfig: is required for FORM",
    "targetUrl: must be left out for API_CALL, or cleared with null",
    "targetUrl: must be left out for FORM, or cleared with null",
    "targetUrl: is required for NAVIGATION",
    "config.clientId: is not a client of the organization",
    "config.metricId: is not a metric of the organization",
    "config.positionId: is not a position of the organization",
    "config.workLocationId: is not a workLocation of the organization",
    "config.workerId: is not a worker of the organization",
    "the e-mail address is confirmed already",
    "the invitation was accepted: delete the user instead",
    # A timer is in a state, and times have an order among each other and with now.
    "a timer is running: stop it first, or start with stopRunning",
    "no timer is running",
    "the timer is paused already",
    "the timer is not paused",
    "tags: must be different, whatever their case",
    "changes.tags: must be different, whatever their case",
    "startAt: is out of range",
    "startAt: must not be ahead",
    "startAt: must be at most 24 hours ago",
    "startAt: must not be after the first pause",
    "endAt: must not be ahead",
    "endAt: must be at most 24 hours after startAt",
    "endAt: must be at most 24 hours ahead",
    "at: must not be ahead",
    "at: must not be before the timer's last change",
    "taskId: is a task of another project",
    "projectId: is an archived project",
    "assigneeId: is a user who is deactivated",
    "query: must be at most 366 days",
    "query: modifiedSince goes with userId alone",
    "budget.currency: must be the organization's, EUR",
    # The terms of a loan fit together, and a loan is in a state.
    "borrowerOrganizationId: must be another organization",
    "expiresAt: must be ahead",
    "graceInstallments: must be less than installments",
    "interestRateBps: must have at most 2 decimal places",
    "maturityDate: must be after startDate",
    "on: must not be ahead",
    "on: must not be before startDate",
    "firstTestDate: must be from startDate to maturityDate",
    "testDate: is not a test date of this KPI",
    "testDate: must not be ahead",
    "this repayment was reversed before",
    "valueDate: must not be ahead",
    "valueDate: must not be before startDate",
}
"""Reasons to refuse input that keeps to the schema: rules that a schema of single fields cannot express."""

REASONS_WITH_VALUES = re.compile(
    r"pauses(\.\d+\.(startAt|endAt))?: must |weekStart: must be the first day of a week|a (timesheet|loan) that is |"
    r"(amount: must be at most \d+, all|on: must not be before the last repayment, )|"
    r"installments: must be at most \d+, as many as fit|a test that is |"
    r"[A-Z][A-Za-z ()]*: is a missing column|token: is not of a mail to this address"
)

HELD_TO_WHAT_IT_WAS = {"executeQuickAction": "payload.", "updateDashboardWidget": "config"}
"""The field of each action whose valid values depend on the entity: its form, or its type."""

CODES_OF_STATE = {
    ErrorCode.CONFLICT,
    ErrorCode.DUPLICATE_ENTRY,
    ErrorCode.FORBIDDEN,
    ErrorCode.IDEMPOTENCY_MISMATCH,
    ErrorCode.INVALID_CREDENTIALS,
    ErrorCode.NOT_FOUND,
    ErrorCode.PRECONDITION_FAILED,
    ErrorCode.RATE_LIMITED,
}


@schemathesis.serializer(CSV)
def _serialized(_: SerializationContext, value: Any) -> bytes:
    return (value if isinstance(value, str) else json.dumps(value)).encode()


for name, values in {
    "iana-timezone": ["America/Argentina/Ushuaia", "Etc/GMT+12", "Europe/Berlin", "UTC"],
    "iso-3166": sorted(COUNTRIES),
    "iso-4217": sorted(CURRENCIES),
}.items():
    schemathesis.openapi.format(name, st.sampled_from(values))

schema = schemathesis.openapi.from_dict(DOCUMENT)
schema.config.generation.update(deterministic=True, with_security_parameters=False)
schema.config.phases.coverage.unexpected_methods = set()
schema.config.checks.update(excluded_check_names=["ignored_auth", "positive_data_acceptance", "unsupported_method"])
SESSION = session(Gateway(roof.app))
grounds: dict[str, Ground] = {}


@pytest.fixture(autouse=True)
def _alone(local_stack: Stack, request: pytest.FixtureRequest) -> Iterator[None]:
    """Each action's organization alone in the table, and the number of its requests for the summary."""
    yield
    store.of(local_stack).restore({})
    request.node.user_properties.append((GENERATED_REQUESTS, sum(ground.sent for ground in grounds.values())))
    grounds.clear()


@schema.parametrize()
@settings(
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_generated(case: Case, api: Api) -> None:
    action = case.operation.definition.raw["operationId"]
    ground = grounds.get(action) or grounds.setdefault(action, Ground.new(api, action))
    if ground.is_left_out():
        return
    headers = ground.prepare(case)
    response = case.call(base_url=BASE_URL, session=SESSION, headers=headers)
    ground.settle(response)
    assert response.headers["x-request-id"], response.text
    try:
        case.validate_response(response, headers=headers, additional_checks=[valid_requests_are_accepted])
    except FailureGroup as group:
        is_about_acceptance = all(isinstance(exception, AcceptedNegativeData) for exception in group.exceptions)
        # A replay answers for the first request, regardless of the headers of this one.
        is_replay = "idempotency-replayed" in response.headers
        if not is_about_acceptance or not (is_replay or _has_valid_body(case) or _has_valid_query(case)):
            raise


def valid_requests_are_accepted(_: Any, response: Response, case: Case) -> None:
    """In place of Schemathesis' own, which takes any 403, 404 or 409 and no 400 or 412."""
    if not is_valid(case) or response.status_code < 400:
        return
    error = response.json()["error"]
    field_errors = error.get("details", {}).get("fieldErrors", {"": [""]})
    if all(_is_beyond_schemas(field, messages) for field, messages in field_errors.items()):
        return
    held = HELD_TO_WHAT_IT_WAS.get(case.operation.definition.raw["operationId"])
    message = error["message"]
    is_of_state = message in REASONS_OF_STATE or (held is not None and message.startswith(held))
    is_of_state = is_of_state or REASONS_WITH_VALUES.match(message) is not None
    assert is_of_state or error["code"] in CODES_OF_STATE, error


def _is_beyond_schemas(field: str, messages: list[str]) -> bool:
    """Return True for rules beyond patterns: fields of a source, or the surroundings of a character in a name."""
    of_names = ("must not have invisible characters", "must not have a web address")
    return field.startswith("query.") or all(message.startswith(of_names) for message in messages)


def _has_valid_body(case: Case) -> bool:
    """Return True if only the body was to break the schema, and does not.

    Texts are trimmed, and Schemathesis counts an optional body that it leaves out as broken.
    """
    described = operation(REGISTRY[case.operation.definition.raw["operationId"]]).get("requestBody")
    if described is None or negated(case) != {ParameterLocation.BODY}:
        return False
    if case.body is NOT_SET:
        return not described["required"]
    validator = Draft202012Validator({**DOCUMENT, **described["content"][JSON]["schema"]})
    return validator.is_valid(_trimmed(case.body))


def _has_valid_query(case: Case) -> bool:
    """Return True if only the query was to break the schema, and does not once its texts are trimmed."""
    if negated(case) != {ParameterLocation.QUERY}:
        return False
    described = operation(REGISTRY[case.operation.definition.raw["operationId"]])["parameters"]
    schemas = {one_value["name"]: one_value["schema"] for one_value in described if one_value["in"] == "query"}
    return all(
        name in schemas and Draft202012Validator({**DOCUMENT, **schemas[name]}).is_valid(_trimmed(value))
        for name, value in case.query.items()
    )


def _trimmed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _trimmed(one_value) for name, one_value in value.items()}
    if isinstance(value, list):
        return [_trimmed(item) for item in value]
    return value.strip() if isinstance(value, str) else value
