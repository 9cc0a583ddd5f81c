"""The ground of every input and output contract."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar, Unpack, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from chalicelib.core.field_types import Line

Row = TypeVar("Row")
SortField = TypeVar("SortField", bound=str)


class Contract(BaseModel):
    """JSON in camelCase, nothing unknown, texts trimmed. Errors never repeat the input: it may be a secret."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        allow_inf_nan=False,
        defer_build=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        json_schema_serialization_defaults_required=True,
        populate_by_name=True,
        serialize_by_alias=True,
        str_strip_whitespace=True,
    )

    entity_field: ClassVar[str] = ""
    """The field of an answer that has the entity, with its version; none: the answer is the entity."""


class Body(Contract):
    """A JSON body: a number is a number, a text is a text; only the API's own names are names."""

    model_config = ConfigDict(strict=True, populate_by_name=False)


def _patch_schema(schema: dict[str, Any]) -> None:
    schema["minProperties"] = 1
    for field in schema["properties"].values():
        field.pop("default", None)


class Patch(Body):
    """A PATCH body: absent fields stay, null clears nullable ones, an empty body is refused.

    `class UpdateX(Patch, of=CreateX, without={"parent_id"})` has the fields of `CreateX`, none of them required, except
    those that never change. Fields that the class declares itself replace them.
    """

    model_config = ConfigDict(json_schema_extra=_patch_schema)

    def __init_subclass__(
        cls, *, of: type[Body] | None = None, without: Collection[str] = (), **config: Unpack[ConfigDict]
    ) -> None:
        super().__init_subclass__(**config)
        if of is None:
            return
        # Pydantic collects the fields after this hook.
        types, own = get_type_hints(of, include_extras=True), cls.__annotations__
        derived = [name for name in of.model_fields if name not in without]
        cls.__annotations__ = {name: own.get(name, types[name]) for name in derived} | own
        for name in derived:
            if name not in own:
                setattr(cls, name, optional())

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("empty_patch", "name at least one field to change")
        return self

    def changes(self) -> dict[str, Any]:
        """The fields the caller named, by attribute name."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def optional() -> Any:
    """The default of a `Patch` field that may be absent but, unless its type says so, not null."""
    return Field(default=None)


SHOWN_AS = "x-shown-as"
"""Key in the schema of a field that is stored without a contract of its own: the name of the contract that it has."""


class Query(Contract):
    """Query parameters: texts that are parsed as the field's type."""

    model_config = ConfigDict(populate_by_name=False)


NextCursor = Annotated[str | None, Field(description="Null at the end of the list.", examples=[None])]


class CursorPage(Contract, Generic[Row]):
    items: list[Row]
    next_cursor: NextCursor


class Pagination(Contract):
    page: int
    page_size: Annotated[int, Field(examples=[20])]
    total_items: int
    total_pages: int
    has_next_page: Annotated[bool, Field(examples=[False])]
    has_previous_page: Annotated[bool, Field(examples=[False])]

    @classmethod
    def of(cls, page: int, page_size: int, total_items: int) -> Self:
        pages = math.ceil(total_items / page_size)
        return cls(
            page=page,
            page_size=page_size,
            total_items=total_items,
            total_pages=pages,
            has_next_page=page < pages,
            has_previous_page=page > 1,
        )


class Page(Contract, Generic[Row]):
    data: list[Row]
    pagination: Pagination


class JsonCursorPage(CursorPage[Any]):
    """A page whose rows are JSON values already: as they are stored, which is how the API shows them."""

    def json_values(self) -> dict[str, Any]:
        return {"items": self.items, "nextCursor": self.next_cursor}


class JsonPage(Page[Any]):
    """Likewise, of a page list."""

    def json_values(self) -> dict[str, Any]:
        return {"data": self.data, "pagination": self.pagination.model_dump(mode="json")}


class Success(Contract):
    """The answer of an action that has no other."""

    success: Annotated[bool, Field(description="The action was carried out.")] = True


# -- list queries ------------------------------------------------------------------------------------------------------

DEFAULT_PAGE_SIZE = 20
"""Rows of a page of any list, unless the request says otherwise."""

Cursor = Annotated[
    str,
    StringConstraints(strip_whitespace=False, min_length=1, max_length=1024),
    Field(description="The `nextCursor` of the page before, unchanged."),
]
PageNumber = Annotated[int, Field(ge=1, le=1_000_000, description="The page, by default the first.")]
PageSize = Annotated[int, Field(ge=1, le=100, description=f"Rows of a page, by default {DEFAULT_PAGE_SIZE}.")]
Limit = Annotated[int, Field(ge=1, le=100, description="Rows of a page of a cursor list.")]
Search = Annotated[
    Line, Field(max_length=100, description="A part of one of the texts of a row, whatever its case and accents.")
]
SortOrder = Literal["asc", "desc"]


class PageQuery(Query, Generic[SortField]):
    """A page list; with `cursor` or `limit`, the cursor list of the same rows in order of creation."""

    page: PageNumber | None = None
    page_size: PageSize | None = None
    search: Search | None = None
    sort_by: SortField | None = None
    sort_order: SortOrder = "asc"
    cursor: Cursor | None = None
    limit: Limit | None = None

    @property
    def is_cursor_list(self) -> bool:
        return self.cursor is not None or self.limit is not None

    @model_validator(mode="after")
    def _one_kind_of_list(self) -> Self:
        if self.is_cursor_list and {"page", "page_size", "search", "sort_by"} & self.model_fields_set:
            raise PydanticCustomError(
                "mixed_lists", "cursor and limit do not go with page, pageSize, search and sortBy"
            )
        return self


class CursorQuery(Query):
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_PAGE_SIZE


class ChildrenQuery(CursorQuery):
    """Entities of which there are few, such as those inside of another: all of them, unless there are very many."""

    limit: Annotated[int, Field(ge=1, le=500, description="Rows of a page.")] = 500
