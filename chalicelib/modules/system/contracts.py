"""What the service says of itself."""

from __future__ import annotations

from typing import Literal

from chalicelib.core.contracts import Contract


class Health(Contract):
    status: Literal["ok"] = "ok"
    table: Literal["ok"] = "ok"
