"""Metrics as a cursor list: the product's first, then the organization's own, each once, in either order."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.metrics.definitions import SYSTEM_METRICS
from tests.support.api import Api
from tests.support.factories import Organization, new_organization, unique

SYSTEM = sorted(map(str, SYSTEM_METRICS))
HOURS = {"type": "simple", "source": "assignments", "aggregate": "sum", "field": "hours", "period": "this_week"}


def _new(organization: Organization, category: str = "SALES") -> str:
    body = {"name": unique("Metric"), "category": category, "query": HOURS}
    answer = organization.owner.call("createDashboardMetric", body=body)
    assert answer.status == 201, answer.text
    return str(answer.data["id"])


def _walk(organization: Organization, action: str = "getDashboardMetrics", **parts: Any) -> list[list[str]]:
    query, pages = dict(parts.pop("query")), []
    while True:
        answer = organization.owner.call(action, query=query, **parts)
        assert answer.status == 200, answer.text
        pages.append([row["id"] for row in answer.data["items"]])
        if answer.data["nextCursor"] is None:
            return pages
        query["cursor"] = answer.data["nextCursor"]


@pytest.fixture(scope="module")
def walked(api: Api) -> tuple[Organization, list[str]]:
    organization = new_organization(api)
    return organization, [_new(organization) for _ in range(5)]


@pytest.mark.parametrize(
    "limit", sorted({1, 2, 5, len(SYSTEM) - 1, len(SYSTEM), len(SYSTEM) + 1, len(SYSTEM) + 5, 100})
)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_walk_has_every_metric_once(walked: tuple[Organization, list[str]], limit: int, order: str) -> None:
    organization, own = walked
    pages = _walk(organization, query={"limit": limit, "sortOrder": order})
    expected = [*SYSTEM, *own]
    assert [row for page in pages for row in page] == (expected if order == "asc" else expected[::-1])
    assert all(0 < len(page) <= limit for page in pages)


def test_an_organization_without_own_metrics_has_no_empty_page(organization: Organization) -> None:
    for limit in (1, len(SYSTEM), 100):
        for order in ("asc", "desc"):
            pages = _walk(organization, query={"limit": limit, "sortOrder": order})
            assert sum(map(len, pages)) == len(SYSTEM)
            assert [] not in pages


def test_a_walk_over_a_category_has_its_metrics_alone(organization: Organization) -> None:
    own = _new(organization, "FINANCIAL")
    _new(organization, "SALES")
    financial = sorted(str(metric.id) for metric in SYSTEM_METRICS.values() if metric.category == "FINANCIAL")
    pages = _walk(organization, "getMetricsByCategory", path={"category": "FINANCIAL"}, query={"limit": 2})
    assert [row for page in pages for row in page] == [*financial, own]


def test_rows_have_their_results(organization: Organization) -> None:
    organization.owner.call("calculateMetrics", body={})
    rows = organization.owner.call("getDashboardMetrics", query={"limit": 100}).data["items"]
    assert all("result" in row for row in rows)
