"""The number of writes to the table, by which `store` knows whether what it has read is still so."""

from __future__ import annotations

import itertools

_counter = itertools.count(1)
_count = 0


def note() -> None:
    """Count a write. Before and after it: a scan may come between."""
    global _count  # noqa: PLW0603  one number for the process, which hooks and stores share
    _count = next(_counter)


def count() -> int:
    return _count
