"""Read set: the reads of all nodes of one evaluation, collected first and read in one batch, without repetition."""

from __future__ import annotations

from collections.abc import Iterable
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
        self._instants: dict[str, set[int]] = {}
        self._sources: dict[str, None] = {}
        self._levels: dict[str, Levels] = {}
        self._entities: dict[str, Entities | CannotTell] = {}

    def add(self, reads: Iterable[Read]) -> None:
        for read in reads:
            match read:
                case LevelsRead(partition, start, end):
                    self._instants.setdefault(partition, set()).update((start, end))
                case ScanRead(source):
                    self._sources[source] = None

    def read(self) -> None:
        """Read everything that was added."""
        self._levels = levels.read(self._instants)
        for source in self._sources:
            try:
                self._entities[source] = Entities(self._organization, source)
            except CannotTell as error:  # an error of the queries that need the rows, not of the others
                self._entities[source] = error

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
