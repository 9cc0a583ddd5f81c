"""Whether the table answers."""

from __future__ import annotations

from chalicelib.dal import keys, table


def probe() -> None:
    """Reads a key that nothing is stored under; DATABASE_ERROR when no answer comes."""
    table.get(keys.HEALTH)
