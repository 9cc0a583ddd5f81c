"""A collection: the entities of one kind in an organization, and the operations that are the same for all kinds.

Unique values through guard items, live children through counters, optimistic versions, soft delete, the audit change.
An entity's own file declares its `Collection` (a `ListedCollection` where it has page lists) and adds its rules.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Collection as Some
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.core import clock
from chalicelib.core.entity_names import in_words
from chalicelib.core.errors import ActionError, ErrorCode, duplicate_entry, not_found
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.records import DeletableRecord, Record
from chalicelib.dal.table import all_of
from chalicelib.dal.unit_of_work import OnFailedCondition, StaleRead, UnitOfWork, stale

R = TypeVar("R", bound=Record)

NEIGHBOURS = 3
"""Rows of a range for each that is needed of it: up to some 1,300 bytes, three cost no more than the one by its key."""


@dataclass(frozen=True)
class Unique(Generic[R]):
    """A value that is unique among the live entities, whatever its case."""

    field: str
    """The field that a on_failed_condition names."""
    value: Callable[[R], str | None]
    """None: the entity claims no value."""
    message: str


class Children(NamedTuple, Generic[R]):
    """Consecutive children of one parent."""

    records: list[R]
    last: str | None
    """The id to go on after; None at the end."""


@dataclass(frozen=True, kw_only=True)
class Collection(Generic[R]):
    """`entity` is the name in messages, keys and the audit log."""

    entity: str
    record: type[R]
    unique: Sequence[Unique[R]] = ()
    parent: Callable[[R], UUID] | None = None
    """The id of its parent, for entities that are read by parent."""
    reference: Callable[[R], Mapping[str, Any]] | None = None
    """Name and parent for the entities that refer to it; see `models.staffing.directory`."""
    children: Sequence[str] = ()
    """Entities whose live ones forbid a delete."""
    user: Callable[[R], UUID] | None = None
    """The id of the user whose entity it is: the audit log names them next to another actor."""
    called: Callable[[R], str | None] | None = None
    """Its name in the audit log and in activities, unless its reference has that."""

    @property
    def kind(self) -> str:
        return self.entity.upper()

    def key(self, organization: OrganizationId, identifier: UUID) -> Key:
        return keys.entity(organization, self.kind, identifier)

    def name_of(self, record: R) -> str | None:
        """Return the name by which people know the entity; None for one that has none."""
        if self.called is not None:
            return self.called(record)
        return None if self.reference is None else self.reference(record)["name"]

    # -- read ----------------------------------------------------------------------------------------------------------

    def get(self, organization: OrganizationId, identifier: UUID) -> R:
        """Return a live entity. NOT_FOUND for absent, deleted and another organization's."""
        return self.live(table.get(self.key(organization, identifier)))

    def live(self, item: Item | None) -> R:
        """Return the live entity of an item. NOT_FOUND for an absent one, and for that of a deleted entity."""
        record = self.record.of(item, self.entity)
        if is_deleted(record):
            raise not_found(self.entity)
        return record

    def children_of(self, organization: OrganizationId, parent: UUID, *, after: str | None, limit: int) -> Children[R]:
        """Return the next live children of one parent, oldest first: found by index, and read to be shown."""
        listing = keys.children(organization, self.kind, parent)
        # One row beyond the limit shows whether there is a next page, without an empty last one.
        page = table.query(listing, after=after, limit=limit + 1)
        ids = [UUID(row["sk"]["S"]) for row in page.items]
        last = str(ids[limit - 1]) if len(ids) > limit else page.last
        records = self.get_shown(organization, ids[:limit], map(str, ids))
        return Children(
            [records[identifier] for identifier in ids[:limit] if not is_deleted(records[identifier])], last
        )

    def get_many(self, organization: OrganizationId, identifiers: Iterable[UUID]) -> dict[UUID, R]:
        """Return entities by id, deleted ones too; absent ones are absent."""
        items = table.batch_get(self.key(organization, identifier) for identifier in identifiers)
        records = (self.record.of(item, self.entity) for item in items.values())
        return {record.id: record for record in records}

    def get_shown(
        self, organization: OrganizationId, identifiers: Iterable[UUID], among: Iterable[str] = ()
    ) -> dict[UUID, R]:
        """Return entities by id as `get_many` does, to be shown: as they are now or were a moment ago.

        `among`: the ids, as texts, of all entities as far as they are known. Those close to each other are read as a
        range, whose rows are billed by their bytes; single items are billed by half a unit, however small they are.
        """
        rows = self.rows_shown(organization, identifiers, among)
        return {id_: self.record.of(table.item_from_raw(row), self.entity) for id_, row in rows.items()}

    def rows_shown(
        self,
        organization: OrganizationId,
        identifiers: Iterable[UUID],
        among: Iterable[str] = (),
        attributes: Sequence[str] = (),
    ) -> dict[UUID, dict[str, Any]]:
        """Return attribute maps by id, read as by `get_shown`; with all or only some `attributes`."""
        ids = {str(identifier): identifier for identifier in identifiers}
        near: dict[UUID, dict[str, Any]] = {}
        if are_neighbours(ids, among):
            partition, most = keys.partition(organization, self.kind), NEIGHBOURS * len(ids)
            page = table.query(
                partition, between=(min(ids), max(ids)), limit=most, consistent=False, attributes=attributes
            )
            near = {ids[id_]: row for row in page.items if (id_ := row["sk"]["S"]) in ids}
        rest = {self.key(organization, id_): id_ for id_ in ids.values() if id_ not in near}
        return near | {rest[key]: row for key, row in table.raw_batch_shown(rest, attributes).items()}

    def all_of(self, organization: OrganizationId, maximum: int) -> list[R] | None:
        """Return all entities, deleted ones too, by id; None for more than `maximum`."""
        rows = list(itertools.islice(table.query_all(keys.partition(organization, self.kind)), maximum + 1))
        if len(rows) > maximum:
            return None
        return [self.record.of(table.item_from_raw(row), self.entity) for row in rows]

    def owners(self, organization: OrganizationId, field: str, values: Iterable[str]) -> dict[str, UUID]:
        """Return the ids of the live entities that claim unique values, by value as given; strongly consistent."""
        guards = {value: keys.unique_value(organization, self.kind, field, value) for value in values}
        items = table.batch_get(guards.values())
        claims = {value: items[guard].data for value, guard in guards.items() if guard in items}
        return {value: UUID(data["id"]) for value, data in claims.items() if data is not None}

    # -- write ---------------------------------------------------------------------------------------------------------

    def create(
        self,
        unit: UnitOfWork,
        record: R,
        *,
        counts: Mapping[str, int] | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> R:
        """Add a new entity. DUPLICATE_ENTRY names the field whose value is taken. The rest: as `item`."""
        for unique in self.unique:
            self._take(unit, unique, record)
        unit.put_new(self.item(unit.organization, record, counts=counts, attributes=attributes), stale)
        self._audit(unit, record, {}, record.shown())
        return record

    def item(
        self,
        organization: OrganizationId,
        record: R,
        *,
        counts: Mapping[str, int] | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> Item:
        """Return the item of a new entity. `counts`: of its children; `attributes`: those apart from its fields."""
        item = record.item(self.key(organization, record.id))
        item.children = dict(counts or {})
        item.set({**self.index(organization, record), **(attributes or {})})
        return item

    def update(
        self,
        unit: UnitOfWork,
        record: R,
        changes: Mapping[str, Any],
        *,
        condition: Condition | None = None,
        on_failed_condition: OnFailedCondition = stale,
        actions: Sequence[Action] = (),
    ) -> R:
        """Sets `changes` (by attribute name) if the entity is still at the version that was read.

        A further `condition` with its error, and further `actions`, concern attributes apart from its fields.
        """
        return self.update_to(
            unit,
            record,
            record.changed(**changes),
            condition=condition,
            on_failed_condition=on_failed_condition,
            actions=actions,
        )

    def update_to(
        self,
        unit: UnitOfWork,
        record: R,
        after: R,
        *,
        condition: Condition | None = None,
        on_failed_condition: OnFailedCondition = stale,
        actions: Sequence[Action] = (),
    ) -> R:
        """Update an entity to a later state of it, one version on; the rest as `update`."""
        unit.require_version(record.version, record.updated_at)
        for unique in self.unique:
            taken, needed = self.guard(unit.organization, unique, record), self.guard(unit.organization, unique, after)
            if taken != needed:
                if taken is not None:
                    unit.delete(taken, None, stale)
                self._take(unit, unique, after)
        self._write(unit, record, after, condition, on_failed_condition, actions)
        return after

    def delete(self, unit: UnitOfWork, record: R, *, condition: Condition | None = None) -> R:
        """Delete an entity softly. HAS_DEPENDENCIES, with their counts, while there are live children.

        A further `condition` fails if something has changed since it was read.
        """
        unit.require_version(record.version, record.updated_at)
        after = record.changed(deleted_at=clock.now())
        for unique in self.unique:
            if (guard := self.guard(unit.organization, unique, record)) is not None:
                unit.delete(guard, None, stale)
        childless = [Item.children[child].does_not_exist() | (Item.children[child] == 0) for child in self.children]
        on_failed_condition = self._has_dependencies if childless else stale
        self._write(unit, record, after, all_of([*childless, condition]), on_failed_condition)
        return after

    def erase(self, unit: UnitOfWork, record: R) -> R:
        """Delete the item of an entity that has no unique values and no children."""
        unit.require_version(record.version, record.updated_at)
        unit.delete(self.key(unit.organization, record.id), Item.version == record.version, stale)
        self._audit(unit, record, record.shown(), {})
        return record

    def count_child(self, unit: UnitOfWork, parent: UUID, child: str, by: Literal[1, -1]) -> None:
        """Moves the parent's count of live children in the child's own transaction; NOT_FOUND for a parent not live."""
        self.count_children(unit, parent, {child: by})

    def count_children(self, unit: UnitOfWork, parent: UUID, moves: Mapping[str, int]) -> None:
        """Move several counters of a parent, as `count_child` does; nothing for no moves."""
        if moves:
            unit.update(
                self.key(unit.organization, parent),
                [table.increment(Item.children[child], by) for child, by in moves.items()],
                Item.data["deletedAt"].does_not_exist(),
                lambda _: not_found(self.entity),
            )

    def _write(
        self,
        unit: UnitOfWork,
        before: R,
        after: R,
        condition: Condition | None,
        on_failed_condition: OnFailedCondition,
        actions: Sequence[Action] = (),
    ) -> None:
        same_version = Item.version == before.version

        def refuse(item: Item | None) -> Exception:
            return on_failed_condition(item) if item is not None and item.version == before.version else StaleRead()

        unit.update(
            self.key(unit.organization, before.id),
            [*self._assignments(unit.organization, before, after), *actions],
            all_of([same_version, condition]),
            refuse,
        )
        self._audit(unit, after, before.shown(), after.shown())

    def _audit(self, unit: UnitOfWork, record: R, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Declare the target. `record`: by which it is named."""
        user = None if self.user is None else self.user(record)
        unit.audit_target(self.entity, record.id, before, after, user=user, name=self.name_of(record))

    def _assignments(self, organization: OrganizationId, before: R, after: R) -> list[Action]:
        """Set changed fields only, so that fields which this code does not know survive."""
        old, new = before.data(), after.data()
        actions = [table.assign(name, new.get(name)) for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
        actions.append(Item.version.set(after.version))
        old_index, new_index = self.index(organization, before), self.index(organization, after)
        for attribute, value in new_index.items():
            if value != old_index[attribute]:
                path = getattr(Item, attribute)
                actions.append(path.remove() if value is None else path.set(table.encoded(value)))
        return actions

    def index(self, organization: OrganizationId, record: R) -> dict[str, Any]:
        """The attributes by which indexes find the entity; None for those it lacks."""
        attributes: dict[str, Any] = {}
        if self.parent is not None:
            listing = keys.children(organization, self.kind, self.parent(record))
            attributes[listing.attribute] = None if is_deleted(record) else listing.pk
        if self.reference is not None:
            directory = keys.directory(organization)
            attributes |= {directory.attribute: directory.pk, "reference": dict(self.reference(record))}
        return attributes

    def guard(self, organization: OrganizationId, unique: Unique[R], record: R) -> Key | None:
        """Return the key of the item that claims the record's value; None if it claims none."""
        value = unique.value(record)
        return None if value is None else keys.unique_value(organization, self.kind, unique.field, value)

    def _take(self, unit: UnitOfWork, unique: Unique[R], record: R) -> None:
        guard = self.guard(unit.organization, unique, record)
        if guard is not None:
            item = Item(*guard, data={"id": str(record.id)})
            unit.put_new(item, lambda _: duplicate_entry(unique.field, unique.message))

    def _has_dependencies(self, item: Item | None) -> Exception:
        counts = (item and item.children) or {}
        return has_dependencies(self.entity, {child: counts.get(child, 0) for child in self.children})


def get_together(
    organization: OrganizationId,
    requested: Iterable[tuple[Collection[Any], Iterable[UUID]]],
    known: Iterable[Record] = (),
    *,
    read: Callable[[Iterable[Key]], Mapping[Key, Item]] = table.batch_get,
) -> list[dict[UUID, Any]]:
    """Return entities of several kinds in one read, by id for each kind; deleted ones too.

    `known`: entities that the request has read before, which are not read again. `read`: `table.batch_get_shown` where
    they are only shown.
    """
    by_id = {record.id: record for record in known}
    pairs = [(collection, {collection.key(organization, id_): id_ for id_ in ids}) for collection, ids in requested]
    items = read(key for _, ids in pairs for key, id_ in ids.items() if id_ not in by_id)
    return [
        {
            id_: by_id.get(id_) or collection.record.of(items[key], collection.entity)
            for key, id_ in ids.items()
            if id_ in by_id or key in items
        }
        for collection, ids in pairs
    ]


def are_neighbours(ids: Some[str], among: Iterable[str]) -> bool:
    """Return True if few of the other ids are between the least and the greatest."""
    if not ids:
        return False
    first, last = min(ids), max(ids)
    return 0 < sum(first <= other <= last for other in among) <= NEIGHBOURS * len(ids)


def is_deleted(record: Record) -> bool:
    return isinstance(record, DeletableRecord) and record.deleted_at is not None


def has_dependencies(entity: str, children: Mapping[str, int]) -> ActionError:
    """Return the error of a delete. `children`: live ones by entity."""
    live = {child: count for child, count in children.items() if count > 0}
    counts = [f"{count} {in_words(child)}{'' if count == 1 else 's'}" for child, count in live.items()]
    return ActionError(
        ErrorCode.HAS_DEPENDENCIES,
        f"this {in_words(entity)} still has {' and '.join(counts)}",
        details={"dependencies": live},
    )
