"""Contracts of the service's own state."""

from __future__ import annotations

from typing import Literal

from chalicelib.core.contracts import Contract


class Health(Contract):
    status: Literal["ok"] = "ok"
    table: Literal["ok"] = "ok"
