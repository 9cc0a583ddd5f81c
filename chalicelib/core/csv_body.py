"""A request body that may come as CSV too."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

from chalicelib.core.contracts import Body, Query


class CsvBody(Body):
    """Options that are no rows are in the query; in JSON they may be beside the rows instead."""

    csv_example: ClassVar[str]
    """For the documentation: a header line and a row."""
    csv_query: ClassVar[type[Query]] = Query
    """Its fields are fields of the body, too."""

    @classmethod
    @abstractmethod
    def from_csv(cls, text: str, query: Any) -> Self:
        """What the same rows in JSON would be; `query` is a `csv_query`. VALIDATION_ERROR for what is no such CSV."""
