"""A request body that may come as CSV too."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

from chalicelib.core.contracts import Body, Query


class CsvBody(Body):
    """Options apart from rows are in the query; in JSON they may be in the body, next to the rows."""

    csv_example: ClassVar[str]
    """Example for the documentation: a header line and a row."""
    csv_query: ClassVar[type[Query]] = Query
    """Its fields are fields of the body, too."""

    @classmethod
    @abstractmethod
    def from_csv(cls, text: str, query: Any) -> Self:
        """Return the same body as JSON would have; `query` is a `csv_query`. VALIDATION_ERROR for an invalid CSV."""
