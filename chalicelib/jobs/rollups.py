"""The stream's part in the rollups: which entity has changed, and whose rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chalicelib.jobs.changes import Change, Kind
from chalicelib.metrics.rolling_up import follow
from chalicelib.metrics.sources import SOURCES

_SOURCE_OF: Mapping[str, str] = {rolled_up.collection.kind: name for name, rolled_up in SOURCES.items()}


def roll_up(change: Change) -> None:
    """Follows an entity of a source, if what its spread depends on has changed."""
    named = change.entity
    source = None if named is None else _SOURCE_OF.get(named.kind)
    if named is None or source is None:
        return
    if change.kind is Kind.MODIFY and not _differs(change, SOURCES[source].depends_on):
        return
    follow(named.organization, source, named.id)


def _differs(change: Change, attributes: Iterable[str]) -> bool:
    return any(change.old.get(name) != change.new.get(name) for name in attributes)
