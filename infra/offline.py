"""Settings for tools that import the product and send nothing: its table and queues are at no address."""

from __future__ import annotations

from typing import Final

from infra.local.engine import Engine, Store
from infra.local.stack import Stack

_NOWHERE: Final = "http://nowhere.invalid"

SETTINGS: Final = Stack(Engine(Store.OTHER, _NOWHERE, _NOWHERE), "offline").environment()
