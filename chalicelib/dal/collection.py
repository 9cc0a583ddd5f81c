"""A collection: the entities of one kind in an organization, and all that is the same for each kind.

Unique values through guard items, live children through counters, optimistic versions, soft delete, slim index rows
for page lists, the audit change. An entity's own file declares its `Collection` and adds what is special.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.core import clock, text
from chalicelib.core.contracts import CursorPage, Page, Pagination
from chalicelib.core.errors import ActionError, ErrorCode, duplicate_entry, not_found
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.cursors import Cursors, walk
from chalicelib.dal.keys import GSI1, Key
from chalicelib.dal.records import DeletableRecord, Record
from chalicelib.dal.table import Item, SlimRow, all_of
from chalicelib.dal.unit_of_work import Refusal, StaleRead, UnitOfWork, stale

R = TypeVar("R", bound=Record)

EXACT_LIST_ROWS = 10_000
"""Page lists are exact up to this many rows; beyond, they name what serves instead."""

_SEPARATOR = "\n"
"""Between the folded texts of a slim row: a search is one line, so no match spans two texts."""


@dataclass(frozen=True)
class PageRequest:
    """What a page list was asked for, validated."""

    page: int
    page_size: int
    search: str | None = None
    sort_by: str = "createdAt"
    sort_order: Literal["asc", "desc"] = "asc"
    include_deleted: bool = False
    facets: Mapping[str, Any] = field(default_factory=dict)
    """The values that rows must have, by facet."""


@dataclass(frozen=True)
class Collection(Generic[R]):
    """`entity` is the name in messages, keys and the audit log."""

    entity: str
    record: type[R]
    shown_as: type[Record]
    """The record as the API shows it: the type of list rows, so that internal fields stay out."""
    search: Callable[[R], Sequence[str | None]]
    """The texts of a row that a search looks through; those that lists sort by come first."""
    sort_fields: Sequence[str]
    """API names of the leading texts of `search`."""
    cursor_list: str
    """What serves where page lists end."""
    facets: Callable[[R], Mapping[str, Any]] = lambda _: {}
    unique: Mapping[str, str] = field(default_factory=dict)
    """Texts that are one of a kind among the live entities whatever their case: field to message."""
    children: Sequence[str] = ()
    """Entities whose live ones forbid a delete."""

    @property
    def kind(self) -> str:
        return self.entity.upper()

    def key(self, organization: OrganizationId, identifier: UUID) -> Key:
        return keys.entity(organization, self.kind, identifier)

    # -- read ----------------------------------------------------------------------------------------------------------

    def get(self, organization: OrganizationId, identifier: UUID) -> R:
        """NOT_FOUND for absent, deleted and another organization's."""
        record = self.record.of(table.get(self.key(organization, identifier)), self.entity)
        if _is_deleted(record):
            raise not_found(self.entity)
        return record

    def get_many(self, organization: OrganizationId, identifiers: Iterable[UUID]) -> dict[UUID, R]:
        """By id, deleted ones too; absent ones are absent."""
        items = table.batch_get(self.key(organization, identifier) for identifier in identifiers)
        records = (self.record.of(item, self.entity) for item in items.values())
        return {record.id: record for record in records}

    def page(self, organization: OrganizationId, request: PageRequest) -> Page[R]:
        """Exact totals and substring search, from the slim index; the rows shown are read consistently."""
        rows = self._slim_rows(organization, deleted=False)
        if request.include_deleted:
            rows += self._slim_rows(organization, deleted=True)
        if len(rows) > EXACT_LIST_ROWS:
            raise ActionError(
                ErrorCode.VALIDATION_ERROR,
                f"there are more than {EXACT_LIST_ROWS:,} rows, where page lists end: use {self.cursor_list}",
                details={"use": self.cursor_list},
            )
        chosen = self._choose(rows, request)
        start = (request.page - 1) * request.page_size
        shown = [UUID(row.sk) for row in chosen[start : start + request.page_size]]
        records = self.get_many(organization, shown) if shown else {}
        # The index trails the table: what was deleted a moment ago may still have a row.
        listed = [record for identifier in shown if (record := records.get(identifier)) is not None]
        if not request.include_deleted:
            listed = [record for record in listed if not _is_deleted(record)]
        pages = math.ceil(len(chosen) / request.page_size)
        return Page[self.shown_as](  # type: ignore[name-defined]  # the rows are R, cut to what is shown
            data=listed,
            pagination=Pagination(
                page=request.page,
                page_size=request.page_size,
                total_items=len(chosen),
                total_pages=pages,
                has_next_page=request.page < pages,
                has_previous_page=1 < request.page <= pages + 1,
            ),
        )

    def walk(
        self,
        organization: OrganizationId,
        cursors: Cursors,
        *,
        cursor: str | None,
        limit: int,
        forward: bool,
        include_deleted: bool,
        facets: Mapping[str, Any],
    ) -> CursorPage[R]:
        """In order of creation, strongly consistent, any number of rows."""
        return walk(
            keys.partition(organization, self.kind),
            cursors,
            CursorPage[self.shown_as],  # type: ignore[name-defined]
            lambda rows: [self.record.of(table.item_from_raw(row), self.entity) for row in rows],
            cursor=cursor,
            limit=limit,
            forward=forward,
            condition=all_of(
                [
                    *([] if include_deleted else [Item.data["deletedAt"].does_not_exist()]),
                    *(Item.facets[name] == value for name, value in facets.items()),
                ]
            ),
        )

    def _slim_rows(self, organization: OrganizationId, *, deleted: bool) -> list[SlimRow]:
        partition = keys.listing(organization, self.kind, deleted=deleted)
        return table.query_slim(partition, GSI1, maximum=EXACT_LIST_ROWS)

    def _choose(self, rows: list[SlimRow], request: PageRequest) -> list[SlimRow]:
        """The rows that match, in the order asked for; ties by age."""
        wanted = text.fold(request.search) if request.search else ""
        descending = request.sort_order == "desc"
        chosen = [
            row
            for row in rows
            if wanted in row.search and all(row.facets.get(name) == value for name, value in request.facets.items())
        ]
        chosen.sort(key=lambda row: row.sk, reverse=descending)
        if request.sort_by in self.sort_fields:
            position = self.sort_fields.index(request.sort_by)
            chosen.sort(key=lambda row: row.search.split(_SEPARATOR, position + 1)[position], reverse=descending)
        return chosen

    # -- write ---------------------------------------------------------------------------------------------------------

    def create(self, unit: UnitOfWork, record: R, *, counts: Mapping[str, int] | None = None) -> R:
        """DUPLICATE_ENTRY names the field whose value is taken."""
        for name in self.unique:
            self._take(unit, name, record)
        item = record.item(self.key(unit.organization, record.id))
        item.children = dict(counts or {})
        for attribute, value in self._index(unit.organization, record).items():
            setattr(item, attribute, value)
        unit.put_new(item, stale)
        unit.changes(self.entity, record.id, {}, record.shown())
        return record

    def update(
        self,
        unit: UnitOfWork,
        record: R,
        changes: Mapping[str, Any],
        *,
        condition: Condition | None = None,
        refusal: Refusal = stale,
        actions: Sequence[Action] = (),
    ) -> R:
        """Sets `changes` (by attribute name) if the entity is still at the version that was read.

        A further `condition` and its `refusal`, and further `actions`, concern what lies beside the entity's fields.
        """
        unit.require_version(record.version)
        after = record.changed(**changes)
        for name in self.unique:
            if self._guard(unit.organization, name, record) != self._guard(unit.organization, name, after):
                unit.delete(self._guard(unit.organization, name, record), None, stale)
                self._take(unit, name, after)
        self._write(unit, record, after, condition, refusal, actions)
        return after

    def delete(self, unit: UnitOfWork, record: R) -> R:
        """Soft. HAS_DEPENDENCIES, with their counts, while there are live children."""
        unit.require_version(record.version)
        after = record.changed(deleted_at=clock.now())
        for name in self.unique:
            unit.delete(self._guard(unit.organization, name, record), None, stale)
        childless = [Item.children[child].does_not_exist() | (Item.children[child] == 0) for child in self.children]
        self._write(unit, record, after, all_of(childless), self._has_dependencies)
        return after

    def count_child(self, unit: UnitOfWork, parent: UUID, child: str, by: Literal[1, -1]) -> None:
        """Moves the parent's count of live children in the child's own transaction; NOT_FOUND for a parent not live."""
        counter = Item.children[child]
        unit.update(
            self.key(unit.organization, parent),
            [counter.set((counter | 0) + by)],
            Item.data["deletedAt"].does_not_exist(),
            lambda _: not_found(self.entity),
        )

    def _write(
        self,
        unit: UnitOfWork,
        before: R,
        after: R,
        condition: Condition | None,
        refusal: Refusal,
        actions: Sequence[Action] = (),
    ) -> None:
        same_version = Item.version == before.version

        def refuse(item: Item | None) -> Exception:
            return refusal(item) if item is not None and item.version == before.version else StaleRead()

        unit.update(
            self.key(unit.organization, before.id),
            [*self._assignments(unit.organization, before, after), *actions],
            all_of([same_version, condition]),
            refuse,
        )
        unit.changes(self.entity, before.id, before.shown(), after.shown())

    def _assignments(self, organization: OrganizationId, before: R, after: R) -> list[Action]:
        """Only what changed, so that fields which this code does not know survive."""
        old, new = before.data(), after.data()
        actions = [table.assign(name, new.get(name)) for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
        actions.append(Item.version.set(after.version))
        old_index, new_index = self._index(organization, before), self._index(organization, after)
        for attribute, value in new_index.items():
            if value != old_index[attribute]:
                actions.append(getattr(Item, attribute).set(table.encoded(value)))
        return actions

    def _index(self, organization: OrganizationId, record: R) -> dict[str, Any]:
        """The attributes of the slim row."""
        texts = (text.fold(value or "") for value in self.search(record))
        return {
            "gsi1pk": keys.listing(organization, self.kind, deleted=_is_deleted(record)),
            "search": _SEPARATOR.join(value.replace(_SEPARATOR, " ") for value in texts),
            # An empty map would cost every row nine of the bytes that three pages of 10,000 rows allow.
            "facets": dict(self.facets(record)) or None,
        }

    def _guard(self, organization: OrganizationId, name: str, record: R) -> Key:
        return keys.unique_value(organization, self.kind, name, getattr(record, name))

    def _take(self, unit: UnitOfWork, name: str, record: R) -> None:
        guard = Item(*self._guard(unit.organization, name, record), data={"id": str(record.id)})
        unit.put_new(guard, lambda _: duplicate_entry(name, self.unique[name]))

    def _has_dependencies(self, item: Item | None) -> Exception:
        live = {child: count for child, count in ((item and item.children) or {}).items() if count > 0}
        return ActionError(
            ErrorCode.HAS_DEPENDENCIES,
            f"this {self.entity} still has {', '.join(f'{count} × {child}' for child, count in live.items())}",
            details={"dependencies": live},
        )


def _is_deleted(record: Record) -> bool:
    return isinstance(record, DeletableRecord) and record.deleted_at is not None
