"""The rates of one position or worker."""

from __future__ import annotations

from chalicelib.core.contracts import Contract
from chalicelib.models.staffing.rates import Rate


class Rates(Contract):
    rates: list[Rate]
    """Rates by the day they take effect, earliest first."""
