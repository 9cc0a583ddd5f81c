"""Page lists: exact totals, substring search and sorting over a collection, from its slim index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeVar
from uuid import UUID

from chalicelib.core import phones, text
from chalicelib.core.contracts import CursorPage, JsonCursorPage, JsonPage, Page, Pagination
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.collection import Collection, is_deleted
from chalicelib.dal.cursors import Cursors, walk
from chalicelib.dal.item import Item
from chalicelib.dal.records import Record
from chalicelib.dal.table import SlimRow, all_of

R = TypeVar("R", bound=Record)

JoinedRead = Callable[[OrganizationId, "ListedPage"], Any]

EXACT_LIST_ROWS = 10_000
"""Page lists are exact up to this many rows; beyond, they name the list to use instead."""

_STORED_FIELDS = ("data", "version")

SEPARATOR = "\n"
"""Between the folded texts of a slim row: a search is one line, so no match spans two texts."""


class TooManyRows(ActionError):
    """VALIDATION_ERROR of a page list that is longer than page lists are."""

    def __init__(self, cursor_list: str) -> None:
        super().__init__(
            ErrorCode.VALIDATION_ERROR,
            f"there are more than {EXACT_LIST_ROWS:,} rows, where page lists end: use {cursor_list}",
            details={"use": cursor_list},
        )


def _terms(search: str | None) -> list[str]:
    """Return the texts of which a row holds one; a number is also looked for by its digits alone."""
    digits = None if search is None else phones.searched(search)
    return [text.fold(search or ""), *([] if digits is None else [digits])]


def _named(rows: Iterable[SlimRow], search: str | None) -> set[str]:
    """Return the ids of the rows whose names hold the search."""
    term = text.fold(search or "")
    return {row.sk for row in rows if term in row.search.partition(SEPARATOR)[0]}


class ListedPage(NamedTuple):
    """The slim rows of a page, and those of the whole list."""

    page: Sequence[SlimRow]
    rows: Sequence[SlimRow]


def parents(collection: Collection[Any], facet: str) -> JoinedRead:
    """Return the read of the entities that a facet of a page's rows names."""

    def read(organization: OrganizationId, listed: ListedPage) -> dict[UUID, Any]:
        ids = {UUID(row.facets[facet]) for row in listed.page}
        return collection.get_shown(organization, ids, {row.facets[facet] for row in listed.rows})

    return read


@dataclass(frozen=True)
class PageRequest:
    """A request for a page list, validated."""

    page: int
    page_size: int
    search: str | None = None
    sort_by: str = "createdAt"
    sort_order: Literal["asc", "desc"] = "asc"
    include_deleted: bool = False
    facets: Mapping[str, Any] = field(default_factory=dict)
    """The values that rows must have, by facet."""


@dataclass(frozen=True)
class Rows:
    """The rows that a list shows of its records."""

    row: type[Record]
    of: Callable[..., Sequence[Record]]
    """All rows of a page at once, one for each record: of the records, and by name of the `joined` reads."""
    joined: Mapping[str, JoinedRead] = field(default_factory=dict)
    """Reads that slim rows suffice for, made together with that of the page's records. A cursor list has none."""


@dataclass(frozen=True, kw_only=True)
class ListedCollection(Collection[R]):
    shown_as: type[Record]
    """The record as the API shows it, so that internal fields stay out: the rows of lists that show no more."""
    is_stored_as_shown: bool = False
    """True if `shown_as` has texts, numbers and instants only: rows of lists are stored fields, without validation."""
    search: Callable[[R], Sequence[str | None]]
    """The texts of a row that a search looks through; those that lists sort by come first."""
    sort_fields: Sequence[str]
    """API names of the leading texts of `search`."""
    cursor_list: str
    """The list to use where page lists end."""
    facets: Callable[[R], Mapping[str, Any]] = lambda _: {}
    related: Mapping[str, ListedCollection[Any]] = field(default_factory=dict)
    """Collections of the entities that facets name, by facet: a search finds rows by their names, too."""

    def page(
        self,
        organization: OrganizationId,
        request: PageRequest,
        rows: Rows | None = None,
        builtin: Mapping[UUID, R] = MappingProxyType({}),
    ) -> Page[Any]:
        """Exact totals and substring search, from the slim index; then the shown records, with what is joined to them.

        They are as they are now or were a moment ago, like the index: half the price of the very last state.

        `builtin`: entities that every organization has, which are in no table.
        """
        listings = [(self, False), *([(self, True)] if request.include_deleted else [])]
        related = self.related if request.search is not None else {}
        listings += [(collection, False) for collection in related.values()]
        listed_rows = iter(
            table.together(
                [partial(collection._slim_rows, organization, deleted=deleted) for collection, deleted in listings]
            )
        )
        slim = next(listed_rows)
        slim += [SlimRow(str(record.id), self._texts(record), dict(self.facets(record))) for record in builtin.values()]
        if request.include_deleted:
            slim += next(listed_rows)
        if len(slim) > EXACT_LIST_ROWS:
            raise TooManyRows(self.cursor_list)
        named = {facet: _named(rows, request.search) for facet, rows in zip(related, listed_rows, strict=True)}
        chosen = self._choose(slim, request, named)
        start = (request.page - 1) * request.page_size
        on_page = chosen[start : start + request.page_size]
        identifiers = [UUID(row.sk) for row in on_page]
        if rows is None and self.is_stored_as_shown:
            return self._json_page(organization, request, identifiers, slim, len(chosen))
        shown = rows or self._records
        own = [identifier for identifier in identifiers if identifier not in builtin]
        stored, *others = table.together(
            [
                partial(self.get_shown, organization, own, [row.sk for row in slim]),
                *(partial(read, organization, ListedPage(on_page, slim)) for read in shown.joined.values()),
            ]
        )
        records = {**builtin, **stored}
        # The index trails the table: an entity that was just deleted may still have a row.
        listed = [record for identifier in identifiers if (record := records.get(identifier)) is not None]
        if not request.include_deleted:
            listed = [record for record in listed if not is_deleted(record)]
        return Page[shown.row](  # type: ignore[name-defined]  # a type made at run time
            data=list(shown.of(listed, **dict(zip(shown.joined, others, strict=True)))),
            pagination=Pagination.of(request.page, request.page_size, len(chosen)),
        )

    def _json_page(
        self,
        organization: OrganizationId,
        request: PageRequest,
        identifiers: Sequence[UUID],
        slim: Sequence[SlimRow],
        total: int,
    ) -> JsonPage:
        stored = self.rows_shown(organization, identifiers, [row.sk for row in slim], _STORED_FIELDS)
        shown = [self._json_of(stored[identifier]) for identifier in identifiers if identifier in stored]
        # As above: an entity that was just deleted.
        listed = shown if request.include_deleted else [row for row in shown if row.get("deletedAt") is None]
        return JsonPage(data=listed, pagination=Pagination.of(request.page, request.page_size, total))

    def _json_of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return self.shown_as.json_of(row["data"]["M"], row["sk"]["S"], int(row["version"]["N"]))

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
        search: str | None = None,
        rows: Rows | None = None,
    ) -> CursorPage[Any]:
        """Return a page in order of creation, strongly consistent, of any number of rows."""
        is_json = rows is None and self.is_stored_as_shown
        shown = rows or self._records
        return walk(
            keys.partition(organization, self.kind),
            cursors,
            JsonCursorPage if is_json else CursorPage[shown.row],  # type: ignore[name-defined]  # a type made at run time
            (lambda rows: [self._json_of(row) for row in rows])
            if is_json
            else lambda rows: list(shown.of([self.record.of(table.item_from_raw(row), self.entity) for row in rows])),
            attributes=_STORED_FIELDS if is_json else (),
            cursor=cursor,
            limit=limit,
            forward=forward,
            condition=all_of(
                [
                    *([] if include_deleted else [Item.data["deletedAt"].does_not_exist()]),
                    *(Item.facets[name] == value for name, value in facets.items()),
                    *([] if search is None else [Item.search.contains(text.fold(search))]),
                ]
            ),
        )

    def oldest(self, organization: OrganizationId, limit: int) -> dict[UUID, dict[str, Any]]:
        """Return the facets of the oldest live entities by id; of all, if these are fewer than `limit`."""
        page = table.query(keys.listing(organization, self.kind, deleted=False), limit=limit)
        return {UUID(row["sk"]["S"]): table.plain(row, "facets") for row in page.items}

    @property
    def _records(self) -> Rows:
        """The records themselves, without internal fields."""
        return Rows(self.shown_as, lambda records: records)

    def _slim_rows(self, organization: OrganizationId, *, deleted: bool) -> list[SlimRow]:
        partition = keys.listing(organization, self.kind, deleted=deleted)
        return table.query_slim(partition, maximum=EXACT_LIST_ROWS)

    def _choose(
        self, rows: list[SlimRow], request: PageRequest, related: Mapping[str, AbstractSet[str]]
    ) -> list[SlimRow]:
        """Return the rows that match, in the requested order. `related`: matching ids by facet.

        Ties go by the sort fields before the requested one, as metrics of a category by name, and then by age.
        """
        terms = _terms(request.search)
        descending = request.sort_order == "desc"
        chosen = [
            row
            for row in rows
            if (
                any(term in row.search for term in terms)
                or any(row.facets.get(facet) in ids for facet, ids in related.items())
            )
            and all(row.facets.get(name) == value for name, value in request.facets.items())
        ]
        chosen.sort(key=lambda row: row.sk, reverse=descending)
        if request.sort_by in self.sort_fields:
            position = self.sort_fields.index(request.sort_by)

            def sort_key(row: SlimRow) -> tuple[str, ...]:
                *earlier, text_ = row.search.split(SEPARATOR, position + 1)[: position + 1]
                return text_, *earlier

            chosen.sort(key=sort_key, reverse=descending)
        return chosen

    def _texts(self, record: R) -> str:
        return SEPARATOR.join(text.fold(value or "") for value in self.search(record))

    def index(self, organization: OrganizationId, record: R) -> dict[str, Any]:
        """Add the attributes of the slim row."""
        listing = keys.listing(organization, self.kind, deleted=is_deleted(record))
        return {
            **super().index(organization, record),
            listing.attribute: listing.pk,
            "search": self._texts(record),
            # An empty map would cost every row nine of the bytes that three pages of 10,000 rows allow.
            "facets": dict(self.facets(record)) or None,
        }
