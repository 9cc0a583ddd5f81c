"""Read set: the levels and rows that one evaluation reads, collected first and read in one batch."""

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

Evaluator = Callable[[Range], Fraction | None]
"""Computes a number over a range, once the read set is read."""


@dataclass
class ReadSet:
    """Everything that one evaluation reads, without repetition."""

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
        """Return the range that the query is compared with."""
        if query.compare is Comparison.NONE:
            return None
        return periods.compared(
            query.period,
            query.compare,
            zone=self.organization.timezone,
            week_start=self.organization.week_start,
            at=self.at,
        )

    def prepare(self, evaluator: Evaluator, over: Range) -> None:
        """Collect the reads of an evaluator by running it without data."""
        self._is_preparing = True
        try:
            evaluator(over)
        finally:
            self._is_preparing = False

    def read(self) -> None:
        """Read all levels that were collected."""
        self._levels = levels.read(self._instants)

    def levels(self, source: str, partition: Partition, over: Range) -> Levels | None:
        """Return the levels of a partition; None while reads are collected."""
        key = keys.rollup(self.organization.tenant, source, *(partition or ()))
        if self._is_preparing:
            self._instants.setdefault(key, set()).update((milliseconds(over.start), milliseconds(over.end)))
            return None
        return self._levels[key]

    def entities(self, source: str) -> Entities:
        """Return the entities of a source. Raises CannotTell if there are too many."""
        if source not in self._entities:
            try:
                self._entities[source] = Entities(self.organization.tenant, source)
            except CannotTell as error:  # remembered: the thousands of rows are read once for all queries
                self._entities[source] = error
        entities = self._entities[source]
        if isinstance(entities, CannotTell):
            raise entities
        return entities

    def scan(self, aggregation: Aggregation, over: Range) -> Fraction | None:
        """Compute an aggregation by row scan; None while reads are collected."""
        entities = self.entities(aggregation.source)
        return None if self._is_preparing else entities.aggregate(aggregation, over)

    @property
    def directory(self) -> NameIndex:
        if self._directory is None:
            self._directory = NameIndex(self.organization.tenant)
        return self._directory
