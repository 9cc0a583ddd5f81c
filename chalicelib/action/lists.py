"""Lists as actions offer them: page lists, answered by page or by cursor, and the children of an entity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from pydantic_core import to_json

from chalicelib.action.context import Context
from chalicelib.core.contracts import DEFAULT_PAGE_SIZE, ChildrenQuery, Contract, CursorPage, Page, PageQuery
from chalicelib.dal import table
from chalicelib.dal.collection import Collection
from chalicelib.dal.page_lists import ListedCollection, PageRequest, Rows
from chalicelib.models import long_lists

MAX_BYTES = 900_000
"""Bytes of the rows of one answer, which may have 1 MB."""

_MAX_ROW_BYTES = 16_000
"""The largest row of any list, in texts of 255 characters of 4 bytes."""

P = TypeVar("P", bound=Contract)
E = TypeVar("E", bound=Contract)
R = TypeVar("R")
"""A row: a contract, or JSON values."""


def answer(
    ctx: Context,
    collection: ListedCollection[Any],
    query: PageQuery[Any],
    *,
    default_sort: str,
    facets: Mapping[str, Any] | None = None,
    include_deleted: bool = False,
    rows: Rows | None = None,
    builtin: Mapping[UUID, Any] = MappingProxyType({}),
) -> Page[Any] | CursorPage[Any]:
    """Answer a page or cursor list. `facets`: values that rows must have, None for any; `rows`: the shown fields.

    `builtin`: records that every organization has, the oldest, which are in no table.
    """
    facet_values = {name: _stored(value) for name, value in (facets or {}).items() if value is not None}
    if query.is_cursor_list:
        walk = partial(
            collection.walk,
            ctx.organization,
            ctx.cursors,
            forward=query.sort_order == "asc",
            include_deleted=include_deleted,
            facets=facet_values,
            rows=rows,
        )
        limit = query.limit or DEFAULT_PAGE_SIZE
        if not builtin or rows is None:
            return walk(cursor=query.cursor, limit=limit)
        return _walk_with_builtin(ctx, walk, rows, builtin, query, limit)
    request = PageRequest(
        page=query.page or 1,
        page_size=query.page_size or DEFAULT_PAGE_SIZE,
        search=query.search,
        sort_by=query.sort_by or default_sort,
        sort_order=query.sort_order,
        include_deleted=include_deleted,
        facets=facet_values,
    )
    # All rows are counted, whatever the filters; those of deleted entities only where they are asked for.
    counted = f"{collection.kind} {include_deleted}"
    with long_lists.remembered(ctx.principal.organization, counted, collection.cursor_list, ctx.now):
        return collection.page(ctx.organization, request, rows, builtin)


def _walk_with_builtin(
    ctx: Context,
    walk: Callable[..., CursorPage[Any]],
    rows: Rows,
    builtin: Mapping[UUID, Any],
    query: PageQuery[Any],
    limit: int,
) -> CursorPage[Any]:
    """Walk over the table and, as the oldest, the built-in records; a cursor with the id of one is among them."""

    def page(items: Sequence[Any], last: str | None) -> CursorPage[Any]:
        next_cursor = None if last is None else ctx.cursors.encode(last)
        return CursorPage[rows.row](items=list(items), next_cursor=next_cursor)  # type: ignore[name-defined]  # a type made at run time

    is_forward = query.sort_order == "asc"
    ids = sorted(map(str, builtin), reverse=not is_forward)
    after = None if query.cursor is None else ctx.cursors.decode(query.cursor)
    is_inside = after in ids
    rest = ids[ids.index(after) + 1 :] if after is not None and is_inside else ids
    if is_forward:
        if after is not None and not is_inside:
            return walk(cursor=query.cursor, limit=limit)
        shown = rows.of([builtin[UUID(identifier)] for identifier in rest[:limit]])
        if len(rest) > limit:
            return page(shown, rest[limit - 1])
        room = limit - len(shown)
        # A page that is full looks whether there is one after it, too.
        stored = walk(cursor=None, limit=max(room, 1))
        if room == 0:
            return page(shown, rest[-1] if stored.items else None)
        return page([*shown, *stored.items], None).model_copy(update={"next_cursor": stored.next_cursor})
    items: list[Any] = []
    if not is_inside:
        stored = walk(cursor=query.cursor, limit=limit)
        if stored.next_cursor is not None:
            return stored
        items = stored.items
    room = limit - len(items)
    items = [*items, *rows.of([builtin[UUID(identifier)] for identifier in rest[:room]])]
    return page(items, str(items[-1].id) if len(rest) > room else None)


def with_children(
    ctx: Context, read: Callable[[], E], collection: Collection[Any], parent: UUID, query: ChildrenQuery
) -> tuple[E, CursorPage[Any]]:
    """Return an entity and its children, oldest first, at the same time: a page that fits an answer.

    `read` reads the entity, `parent` is its id.
    """
    reads: list[Callable[[], Any]] = [read, partial(_children, ctx, collection, parent, query)]
    entity, page = table.together(reads)
    return entity, page


def _children(ctx: Context, collection: Collection[Any], parent: UUID, query: ChildrenQuery) -> CursorPage[Any]:
    after = None if query.cursor is None else ctx.cursors.decode(query.cursor)
    children_page = collection.children_of(ctx.organization, parent, after=after, limit=query.limit)
    return cursor_page(ctx, CursorPage[Any], children_page.records, children_page.last, lambda record: str(record.id))


def cursor_page(
    ctx: Context,
    page_type: Callable[..., P],
    rows: Sequence[R],
    last: str | None,
    position: Callable[[R], str],
    largest: int = _MAX_ROW_BYTES,
) -> P:
    """Return a page of the first rows that fit an answer.

    `page_type` has `items` and `next_cursor`; `last` is the position after all rows, None at the end of the list.
    `largest`: bytes that a row has at most.
    """
    shown, last = fitting(rows, last, position, largest)
    return page_type(items=[*shown], next_cursor=None if last is None else ctx.cursors.encode(last))


def fitting(
    rows: Sequence[R], last: str | None, position: Callable[[R], str], largest: int = _MAX_ROW_BYTES
) -> tuple[Sequence[R], str | None]:
    """Return the first rows that fit an answer, at least one, and the position to go on after."""
    if len(rows) * largest <= MAX_BYTES or len(to_json([*rows])) <= MAX_BYTES:
        return rows, last
    size = 0
    for number, row in enumerate(rows):
        size += len(to_json(row))
        if number and size > MAX_BYTES:
            return rows[:number], position(rows[number - 1])
    return rows, last


def _stored(value: Any) -> Any:
    """Return a value as the table stores it, without enumerations and ids."""
    if isinstance(value, UUID):
        return str(value)
    return value.value if isinstance(value, Enum) else value
