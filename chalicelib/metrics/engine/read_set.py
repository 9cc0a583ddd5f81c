"""The read set of an evaluation: it is collected first, then read in one batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from chalicelib.core.clock import milliseconds
from chalicelib.dal import keys
from chalicelib.metrics.engine.partitions import Partition
from chalicelib.metrics.engine.scan import Entities
from chalicelib.metrics.language import periods
from chalicelib.metrics.language.aggregation import Aggregation
from chalicelib.metrics.language.outcomes import CannotTell
from chalicelib.metrics.language.periods import Comparison, Range
from chalicelib.metrics.language.query import MetricQuery
from chalicelib.models.organizations import StoredOrganization
from chalicelib.models.rollups import levels
from chalicelib.models.rollups.levels import Levels
from chalicelib.models.staffing.directory import NameIndex

Ask = Callable[[Range], Fraction | None]
"""Computes the number of a range, once its read set is read."""


@dataclass
class ReadSet:
    """The reads of one evaluation, each once."""

    organization: StoredOrganization
    at: datetime
    _instants: dict[str, set[int]] = field(default_factory=dict)
    _levels: dict[str, Levels] = field(default_factory=dict)
    _entities: dict[str, Entities | CannotTell] = field(default_factory=dict)
    _directory: NameIndex | None = None
    _is_preparing: bool = False

    def resolve(self, query: MetricQuery) -> Range:
        return periods.resolve(
            query.period, zone=self.organization.timezone, week_start=self.organization.week_start, at=self.at
        )

    def before(self, query: MetricQuery) -> Range | None:
        if query.compare is Comparison.NONE:
            return None
        return periods.compared(
            query.period,
            query.compare,
            zone=self.organization.timezone,
            week_start=self.organization.week_start,
            at=self.at,
        )

    def prepare(self, ask: Ask, over: Range) -> None:
        """Collect the reads of an evaluator for a range."""
        self._is_preparing = True
        try:
            ask(over)
        finally:
            self._is_preparing = False

    def read(self) -> None:
        self._levels = levels.read(self._instants)

    def levels(self, source: str, partition: Partition, over: Range) -> Levels | None:
        """None while it is only noted."""
        key = keys.rollup(self.organization.tenant, source, *(partition or ()))
        if self._is_preparing:
            self._instants.setdefault(key, set()).update((milliseconds(over.start), milliseconds(over.end)))
            return None
        return self._levels[key]

    def entities(self, source: str) -> Entities:
        """Raises CannotTell for too many."""
        if source not in self._entities:
            try:
                self._entities[source] = Entities(self.organization.tenant, source)
            except CannotTell as error:  # for each query: thousands of rows are read for it only once
                self._entities[source] = error
        entities = self._entities[source]
        if isinstance(entities, CannotTell):
            raise entities
        return entities

    def recount(self, aggregation: Aggregation, over: Range) -> Fraction | None:
        entities = self.entities(aggregation.source)
        return None if self._is_preparing else entities.aggregate(aggregation, over)

    @property
    def directory(self) -> NameIndex:
        if self._directory is None:
            self._directory = NameIndex(self.organization.tenant)
        return self._directory
