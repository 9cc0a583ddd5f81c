"""Actions that only tests declare, beside the product's own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from chalice import Chalice

from chalicelib.action.http import mount
from chalicelib.action.registry import REGISTRY
from chalicelib.modules import load_actions
from tests.support.api import Api


@contextlib.contextmanager
def registry_kept() -> Iterator[None]:
    """What is declared inside is gone afterwards."""
    load_actions()
    kept = dict(REGISTRY)
    try:
        yield
    finally:
        REGISTRY.clear()
        REGISTRY.update(kept)


@contextlib.contextmanager
def product_with(declare: Callable[[], object]) -> Iterator[Api]:
    """An app of its own that has the actions which `declare` declares, too."""
    with registry_kept():
        declare()
        app = Chalice(app_name="workledger-extended", configure_logs=False)
        mount(app)
        yield Api(app)
