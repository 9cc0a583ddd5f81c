"""The product, one package a domain: contracts and server actions."""

from __future__ import annotations

from importlib import import_module

from chalicelib.action.registry import REGISTRY

_DOMAINS = (
    "auth",
    "organizations",
    "users",
    "clients",
    "work_locations",
    "positions",
    "workers",
    "rates",
    "assignments",
    "reports",
    "projects",
    "tasks",
    "time_rates",
    "time_sessions",
    "timer",
    "analytics",
    "timesheets",
    "metrics",
    "widgets",
    "activities",
    "quick_actions",
    "loans",
    "repayments",
    "kpis",
    "audit",
    "system",
)
"""In the order in which the documentation shows them."""


def load_actions() -> None:
    """Fill the registry in this order, independent of earlier imports: importing a domain's actions declares them."""
    modules = [f"{__name__}.{domain}.actions" for domain in _DOMAINS]
    for module in modules:
        import_module(module)
    actions = sorted(REGISTRY.values(), key=lambda action: modules.index(action.function.__module__))
    REGISTRY.clear()
    REGISTRY.update({action.name: action for action in actions})
