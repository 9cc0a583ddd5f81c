"""The product, one package a domain: contracts and server actions."""

from __future__ import annotations

from importlib import import_module

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
    "metrics",
    "widgets",
    "activities",
    "quick_actions",
    "audit",
    "system",
)
"""In the order in which the documentation shows them."""


def load_actions() -> None:
    """Fills the registry: importing a domain's actions declares them."""
    for domain in _DOMAINS:
        import_module(f"{__name__}.{domain}.actions")
