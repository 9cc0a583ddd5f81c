"""Actions that tests declare, in addition to the product's own."""

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
    """Restore the registry when the block ends."""
    load_actions()
    before = dict(REGISTRY)
    try:
        yield
    finally:
        REGISTRY.clear()
        REGISTRY.update(before)


@contextlib.contextmanager
def product_with(declare: Callable[[], object]) -> Iterator[Api]:
    """Yield a client of a new app that also has the actions of `declare`."""
    with registry_kept():
        declare()
        app = Chalice(app_name="workledger-extended", configure_logs=False)
        mount(app, [action.route for action in REGISTRY.values()], REGISTRY.get)
        yield Api(app)
