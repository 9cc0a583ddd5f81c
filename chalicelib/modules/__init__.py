"""The product, one package a domain: contracts and server actions.

A domain is imported by its first request: one needs a few of all contracts, and its models, not those of the others.
"""

from __future__ import annotations

from importlib import import_module

from chalicelib.action.registry import REGISTRY, Action, Route
from chalicelib.modules.routes import ROUTES

_DOMAINS = (
    "auth",
    "mail",
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

_DOMAIN_OF = {route.action: route.domain for route in ROUTES}


def find(name: str) -> Action | None:
    """Return an action, importing its domain; None if none has this name."""
    domain = _DOMAIN_OF.get(name)
    if domain is not None:
        # Also for an action that is registered: another thread may still be importing what it uses.
        import_module(f"{__name__}.{domain}.actions")
    return REGISTRY.get(name)


def load_actions() -> None:
    """Import all domains. RuntimeError if `routes.py` does not have the routes that they declare."""
    if {*declared_routes()} != {*ROUTES}:
        raise RuntimeError("chalicelib/modules/routes.py is out of date: run `make openapi`")


def declared_routes() -> tuple[Route, ...]:
    """Import all domains, and put the registry in their order."""
    for domain in _DOMAINS:
        import_module(f"{__name__}.{domain}.actions")
    places = {domain: place for place, domain in enumerate(_DOMAINS)}
    actions = sorted(REGISTRY.values(), key=lambda action: places.get(action.domain, len(places)))
    if actions != [*REGISTRY.values()]:
        REGISTRY.clear()
        REGISTRY.update({action.name: action for action in actions})
    return tuple(action.route for action in actions)
