"""Lists as actions offer them: page lists, answered by page or by cursor, and the children of an entity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.core.contracts import ChildrenQuery, Contract, CursorPage, Page, PageQuery
from chalicelib.dal.collection import Collection
from chalicelib.dal.page_lists import ListedCollection, PageRequest, Rows

MAX_BYTES = 900_000
"""Bytes of the rows of one answer, which may have 1 MB."""

_PAGE_SIZE = 20
_MAX_ROW_BYTES = 16_000
"""The largest row of any list, in texts of 255 characters of 4 bytes."""

P = TypeVar("P", bound=Contract)
R = TypeVar("R", bound=Contract)


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
    """Answer a page or cursor list. `facets`: values that rows must have, None for any; `rows`: the shown fields."""
    facet_values = {name: _stored(value) for name, value in (facets or {}).items() if value is not None}
    if query.is_cursor_list:
        return collection.walk(
            ctx.organization,
            ctx.cursors,
            cursor=query.cursor,
            limit=query.limit or _PAGE_SIZE,
            forward=query.sort_order == "asc",
            include_deleted=include_deleted,
            facets=facet_values,
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
            facets=facet_values,
        ),
        rows,
    )


def children(ctx: Context, collection: Collection[Any], parent: UUID, query: ChildrenQuery) -> CursorPage[Any]:
    """Return the children of one entity, oldest first: a page of the requested size, if it fits an answer."""
    after = None if query.cursor is None else ctx.cursors.decode(query.cursor)
    children_page = collection.children_of(ctx.organization, parent, after=after, limit=query.limit)
    return cursor_page(ctx, CursorPage[Any], children_page.records, children_page.last, lambda record: str(record.id))


def cursor_page(
    ctx: Context,
    page_type: Callable[..., P],
    rows: Sequence[R],
    last: str | None,
    position: Callable[[R], str],
) -> P:
    """Return a page of the first rows that fit an answer.

    `page_type` has `items` and `next_cursor`; `last` is the position after all rows, None at the end of the list.
    """
    shown, last = fitting(rows, last, position)
    return page_type(items=[*shown], next_cursor=None if last is None else ctx.cursors.encode(last))


def fitting(rows: Sequence[R], last: str | None, position: Callable[[R], str]) -> tuple[Sequence[R], str | None]:
    """Return the first rows that fit an answer, at least one, and the position to go on after."""
    if len(rows) * _MAX_ROW_BYTES <= MAX_BYTES:
        return rows, last
    size = 0
    for number, row in enumerate(rows):
        size += len(row.model_dump_json(by_alias=True).encode())
        if number and size > MAX_BYTES:
            return rows[:number], position(rows[number - 1])
    return rows, last


def _stored(value: Any) -> Any:
    """Return a value as the table stores it, without enumerations and ids."""
    if isinstance(value, UUID):
        return str(value)
    return value.value if isinstance(value, Enum) else value
