"""Page lists as actions offer them: one query contract, answered by page or by cursor."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.core.contracts import CursorPage, Page, PageQuery
from chalicelib.dal.page_lists import ListedCollection, PageRequest, Rows

_PAGE_SIZE = 20


def answer(
    ctx: Context,
    collection: ListedCollection[Any],
    query: PageQuery[Any],
    *,
    default_sort: str,
    facets: Mapping[str, Any] | None = None,
    include_deleted: bool = False,
    rows: Rows[Any] | None = None,
) -> Page[Any] | CursorPage[Any]:
    """`facets`: the values that rows must have, None for any. `rows`: what is shown, if it is not the records."""
    wanted = {name: _stored(value) for name, value in (facets or {}).items() if value is not None}
    if query.is_cursor_list:
        return collection.walk(
            ctx.organization,
            ctx.cursors,
            cursor=query.cursor,
            limit=query.limit or _PAGE_SIZE,
            forward=query.sort_order == "asc",
            include_deleted=include_deleted,
            facets=wanted,
            rows=rows,
        )
    return collection.page(
        ctx.organization,
        PageRequest(
            page=query.page or 1,
            page_size=query.page_size or _PAGE_SIZE,
            search=query.search,
            sort_by=query.sort_by or default_sort,
            sort_order=query.sort_order,
            include_deleted=include_deleted,
            facets=wanted,
        ),
        rows,
    )


def _stored(value: Any) -> Any:
    """As it lies in the table, which knows no enumerations and no ids."""
    if isinstance(value, UUID):
        return str(value)
    return value.value if isinstance(value, Enum) else value
