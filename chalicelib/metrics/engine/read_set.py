"""Read set: the reads of all queries of one evaluation, read in one batch, without repetition."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property

from chalicelib.core.ids import OrganizationId
from chalicelib.metrics.engine.nodes import LevelsRead, Read, ScanRead
from chalicelib.metrics.engine.scan import Entities
from chalicelib.metrics.language.outcomes import CannotTell
from chalicelib.models.rollups import levels
from chalicelib.models.rollups.levels import Levels
from chalicelib.models.staffing.directory import NameIndex


class ReadSet:
    """The data of an evaluation; see `nodes.Data`."""

    def __init__(self, organization: OrganizationId) -> None:
        self._organization = organization
        self._levels: dict[str, Levels] = {}
        self._entities: dict[str, Entities | CannotTell] = {}

    def read(self, queries: Iterable[Collection[Read]]) -> None:
        """Read everything that the queries need; each query is given as its reads."""
        instants: dict[str, set[int]] = {}
        for reads in queries:
            # Entities first: a query that fails for too many rows does not pay for its levels.
            if not all(self._scan(read.source) for read in reads if isinstance(read, ScanRead)):
                continue
            for read in reads:
                if isinstance(read, LevelsRead):
                    instants.setdefault(read.partition, set()).update((read.start, read.end))
        self._levels = levels.read(instants)

    def _scan(self, source: str) -> bool:
        """Read the entities of a source once; return False if there are too many."""
        if source not in self._entities:
            try:
                self._entities[source] = Entities(self._organization, source)
            except CannotTell as error:  # an error of the queries that need the rows, not of the others
                self._entities[source] = error
        return isinstance(self._entities[source], Entities)

    def levels(self, partition: str) -> Levels:
        return self._levels[partition]

    def entities(self, source: str) -> Entities:
        """Raises CannotTell if there are too many."""
        entities = self._entities[source]
        if isinstance(entities, CannotTell):
            raise entities
        return entities

    @cached_property
    def directory(self) -> NameIndex:
        """The names of entities, read when a plan first needs them."""
        return NameIndex(self._organization)
