"""A request body that may come as CSV too."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

from chalicelib.core.contracts import Body, Query


class CsvBody(Body):
    """What is no row stands beside the rows in JSON, and in the query where the body is CSV."""

    csv_example: ClassVar[str]
    """For the documentation: a header line and a row."""
    csv_query: ClassVar[type[Query]] = Query

    @classmethod
    @abstractmethod
    def from_csv(cls, text: str, query: Any) -> Self:
        """What the same rows in JSON would be; `query` is a `csv_query`. VALIDATION_ERROR for what is no such CSV."""
