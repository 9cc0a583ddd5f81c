"""Time sessions: the work of users, from when to when, without their pauses.

All writes of a user's sessions go through a `SessionWriter`: it moves, in one transaction, the session, the user's
account, packed months and log of changes, the counts of project and task, and the claim of an external id.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core import clock, text
from chalicelib.core.errors import duplicate_entry
from chalicelib.core.field_types import Instant, Line, Lines
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import intervals, keys, table
from chalicelib.dal.collection import Collection, is_deleted
from chalicelib.dal.intervals import LengthClass
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.records import DeletableRecord
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork, stale
from chalicelib.models.staffing.attributes import SPANS
from chalicelib.models.time import accounts, packed_months
from chalicelib.models.time import keys as time_keys
from chalicelib.models.time.accounts import TimeAccount
from chalicelib.models.time.packed_months import Group
from chalicelib.models.time.projects import PROJECTS, TRACKED_SECONDS
from chalicelib.models.time.spans import Pause, Seconds, worked
from chalicelib.models.time.tasks import TASKS

MAX_TAGS = 10
"""Tags of one session."""

SessionDescription = Annotated[Lines, Field(max_length=2000, examples=["Abbau Block C"])]
Tag = Annotated[Line, Field(max_length=50, examples=["Umzug"])]
ExternalId = Annotated[Line, Field(max_length=255, examples=["toggl-2947113056"])]


class SessionSource(StrEnum):
    TIMER = "TIMER"
    MANUAL = "MANUAL"
    IMPORT = "IMPORT"


class TimeSession(DeletableRecord):
    user_id: UUID
    project_id: UUID | None = None
    task_id: UUID | None = None
    description: SessionDescription | None = None
    billable: bool
    tags: tuple[Tag, ...] = ()
    start_at: Instant
    end_at: Instant
    pauses: tuple[Pause, ...] = ()
    duration_seconds: Annotated[int, Field(description="Net of pauses.", examples=[28800])]
    source: SessionSource
    external_id: ExternalId | None = None

    @property
    def group(self) -> Group:
        return Group(self.project_id, self.task_id, self.billable, self.tags)

    @property
    def spans(self) -> Seconds:
        return worked(self.start_at, self.end_at, self.pauses)


@dataclass(frozen=True, kw_only=True)
class _TimeSessions(Collection[TimeSession]):
    def index(self, organization: OrganizationId, record: TimeSession) -> dict[str, Any]:
        """Add the places in the lists of the user, of the project, and of everybody."""
        is_live = not is_deleted(record)
        facets = {
            "userId": str(record.user_id),
            "billable": record.billable,
            intervals.END: clock.to_text(record.end_at),
            **{
                name: str(value)
                for name, value in (("projectId", record.project_id), ("taskId", record.task_id))
                if value is not None
            },
            **({"tags": [text.fold(tag) for tag in record.tags]} if record.tags else {}),
        }
        of_user = keys.timeline(organization, self.kind, "USER", record.user_id)
        of_all = keys.timeline(organization, self.kind)
        project = record.project_id or record.id
        of_project = keys.timeline(organization, self.kind, "PROJECT", project)
        return {
            **super().index(organization, record),
            "at": intervals.place(LengthClass.DAY, record.start_at, record.id),
            "facets": facets,
            of_user.attribute: of_user.pk if is_live else None,
            of_all.attribute: of_all.pk if is_live else None,
            of_project.attribute: of_project.pk if is_live and record.project_id is not None else None,
        }


TIME_SESSIONS = _TimeSessions(entity="timeSession", record=TimeSession, user=lambda session: session.user_id)


def external_owner(organization: OrganizationId, user: UUID, external: str) -> UUID | None:
    """Return the id of the user's session that has an external id."""
    item = table.get(time_keys.external_id(organization, user, external))
    return None if item is None or item.data is None else UUID(item.data["id"])


# -- write -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WriteContext:
    """The data that writes of one user's sessions need, as read."""

    user: UUID
    account: TimeAccount
    months: Mapping[str, dict[Group, list[Seconds]]]
    """Sessions by month, as far as the writes can touch or overlap them."""
    stored: frozenset[str]
    """Months that have an item."""
    tags: Mapping[str, str]
    """Spellings of known tags by their folded form."""
    items: Mapping[Key, Item]
    """The items that were read, by key."""
    requested: frozenset[Key]
    """The keys that were asked for; those without an item are absent in `items`."""

    def spelled(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Return tags as they were spelled first, in order, each once whatever its case."""
        return _spelled(tags, self.tags)

    def overlapping(self, start: datetime, end: datetime, but: TimeSession | None = None) -> bool:
        """Return True if another session of the user overlaps [start, end)."""
        low, high = round(start.timestamp()), round(end.timestamp())
        own = None if but is None else (but.group, but.spans)
        for sessions in self.months.values():
            for group, spans_of_sessions in sessions.items():
                for spans in spans_of_sessions:
                    if (group, spans) == own:
                        own = None  # one of them is the session itself; an equal one is another
                    elif spans[0][0] < high and low < spans[-1][1]:
                        return True
        return False


def _spelled(tags: Iterable[str], known: Mapping[str, str]) -> tuple[str, ...]:
    return tuple({text.fold(tag): known.get(text.fold(tag), tag) for tag in tags}.values())


def read_context(
    organization: OrganizationId,
    user: UUID,
    intervals_: Iterable[tuple[datetime, datetime]],
    tags: Iterable[str] = (),
    further: Iterable[Key] = (),
) -> WriteContext:
    """Read everything that writes in these intervals need, at once."""
    labels = sorted({label for start, end in intervals_ for label in packed_months.labels_of(start, end)})
    month_keys = {packed_months.key(organization, label, user): label for label in labels}
    tag_keys = {Key(time_keys.time_tags(organization), folded): folded for folded in {text.fold(tag) for tag in tags}}
    account_keys = [accounts.key(organization, user), accounts.everybody(organization)]
    requested = frozenset([*account_keys, *month_keys, *tag_keys, *further])
    items = table.batch_get(requested)
    months = {
        label: packed_months.unpack(label, items[key].value(SPANS) or b"") if key in items else {}
        for key, label in month_keys.items()
    }
    return WriteContext(
        user,
        accounts.of(user, items, organization),
        months,
        frozenset(label for key, label in month_keys.items() if key in items),
        {folded: (items[key].data or {})["tag"] for key, folded in tag_keys.items() if key in items},
        items,
        requested,
    )


@dataclass
class SessionWriter:
    """Writes any number of sessions of one user in one unit; `flush` adds what they have in common."""

    unit: UnitOfWork
    context: WriteContext
    now: datetime
    _moves: Counter[tuple[str, UUID, str]] = field(default_factory=Counter)
    """Changes of counters by entity, its id, and the counter."""
    _uses: Counter[str] = field(default_factory=Counter)
    """Changes of the uses of tags, by their folded form."""
    _new_tags: dict[str, str] = field(default_factory=dict)
    _months: dict[str, dict[Group, list[Seconds]]] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)
    """Bytes of packed months, with the sessions that were added."""

    def __post_init__(self) -> None:
        self.has_timer = self.context.account.has_timer
        """Whether the user has a timer when the unit is written; `models.time.timers` moves it."""
        self.modified_at = self.context.account.next_change(self.now)

    def spelled(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Return tags as the context spells them, or sessions that were added before."""
        return _spelled(tags, {**self._new_tags, **self.context.tags})

    def create(self, session: TimeSession) -> TimeSession:
        """Add a session. VALIDATION_ERROR in locked time, DUPLICATE_ENTRY with `existingId` for a known external id.

        VALIDATION_ERROR also for one more session than the month has room for, and one more tag than the user.
        """
        session = session.model_copy(update={"created_at": self.modified_at, "updated_at": self.modified_at})
        self._require_unlocked(session)
        self._require_room(session)
        TIME_SESSIONS.create(self.unit, session)
        self._claim(None, session)
        self._move(None, session)
        return session

    def update(self, session: TimeSession, changes: Mapping[str, Any]) -> TimeSession:
        """The errors of `create`; time is locked if it was locked before or would be after."""
        self._require_unlocked(session)
        after = session.changed(**changes).model_copy(update={"updated_at": self.modified_at})
        self._require_unlocked(after)
        after = TIME_SESSIONS.update_to(self.unit, session, after)
        self._claim(session, after)
        self._move(session, after)
        return after

    def delete(self, session: TimeSession) -> TimeSession:
        self._require_unlocked(session)
        after = session.changed(deleted_at=self.modified_at).model_copy(update={"updated_at": self.modified_at})
        after = TIME_SESSIONS.update_to(self.unit, session, after)
        self._claim(session, None)
        self._move(session, None, after)
        return after

    def count(self, counter: str, by: int, project: UUID | None, task: UUID | None) -> None:
        """Count sessions, timers or seconds on a project and a task."""
        if project is not None:
            self._moves[PROJECTS.entity, project, counter] += by
        if task is not None and counter != TRACKED_SECONDS:
            self._moves[TASKS.entity, task, counter] += by

    def flush(self) -> None:
        self.flush_counts()
        organization, months = self.unit.organization, {**self.context.account.months}
        for label, sessions in self._months.items():
            # The account's condition guards the month, too. Its version tells analyses an old copy of the month.
            key = packed_months.key(organization, label, self.context.user)
            months.pop(label, None)
            if packed := packed_months.pack(label, sessions):
                months[label] = self.context.account.version + 1
                item = Item(*key, derived=1, version=months[label])
                item.set({SPANS.attr_name: packed})
                self.unit.put(item, None, stale)
            elif label in self.context.stored:
                self.unit.delete(key, None, stale)
        accounts.move(self.unit, self.context.account, self.modified_at, self._uses, months, has_timer=self.has_timer)

    def flush_unmoved(self) -> None:
        """Finish writes of a timer alone: the commit fails if locks or sessions of the user change meanwhile."""
        self.flush_counts()
        accounts.note_timer(self.unit, self.context.account, has_timer=self.has_timer)

    def flush_counts(self) -> None:
        """Add the counts of projects and tasks, and the spellings of new tags."""
        organization = self.unit.organization
        for collection in (PROJECTS, TASKS):
            by_id: dict[UUID, dict[str, int]] = defaultdict(dict)
            for (entity, identifier, counter), by in self._moves.items():
                if entity == collection.entity and by:
                    by_id[identifier][counter] = by
            for identifier, moves in by_id.items():
                collection.count_children(self.unit, identifier, moves)
        for folded, spelling in self._new_tags.items():
            self.unit.put_new(Item(time_keys.time_tags(organization), folded, data={"tag": spelling}), stale)

    def _require_unlocked(self, session: TimeSession) -> None:
        self.context.account.require_unlocked(session.start_at, session.end_at)

    def _require_room(self, session: TimeSession) -> None:
        """Refuse a session before any write of it is added: those of other sessions in the unit are not in vain."""
        label, month = packed_months.label_of(session.start_at), self._month(session.start_at)
        size = self._sizes.get(label) or packed_months.size(month)
        size += packed_months.size({session.group: [session.spans]}, is_new_group=session.group not in month)
        if size > packed_months.MAX_BYTES:
            raise packed_months.is_full()
        uses = Counter(self._uses)
        uses.update(text.fold(tag) for tag in session.tags)
        accounts.require_tags(self.context.account, uses)
        self._sizes[label] = size

    def _claim(self, before: TimeSession | None, after: TimeSession | None) -> None:
        old, new = (None if session is None else session.external_id for session in (before, after))
        if old == new:
            return
        if old is not None:
            self.unit.delete(time_keys.external_id(self.unit.organization, self.context.user, old), None, stale)
        if new is not None and after is not None:
            key = time_keys.external_id(self.unit.organization, self.context.user, new)
            self.unit.put_new(Item(*key, data={"id": str(after.id)}), _taken)

    def _move(self, before: TimeSession | None, after: TimeSession | None, deleted: TimeSession | None = None) -> None:
        """Move a session from one state to another; `deleted`: the rest of one that has gone."""
        if before is not None:
            self._count(before, -1)
            sessions = self._month(before.start_at).get(before.group, [])
            if before.spans not in sessions:  # the session has changed between the read of it and of the month
                raise StaleRead
            sessions.remove(before.spans)
            log = time_keys.time_changes(self.unit.organization, self.context.user)
            self.unit.delete(Key(log, _change(before)), None, stale)
        if after is not None:
            self._count(after, 1)
            self._month(after.start_at).setdefault(after.group, []).append(after.spans)
        changed = after or deleted
        if changed is not None:
            log = time_keys.time_changes(self.unit.organization, self.context.user)
            self.unit.put(Item(log, _change(changed), derived=1), None, stale)

    def _count(self, session: TimeSession, sign: int) -> None:
        self.count(TIME_SESSIONS.entity, sign, session.project_id, session.task_id)
        self.count(TRACKED_SECONDS, sign * session.duration_seconds, session.project_id, session.task_id)
        for tag in session.tags:
            self._uses[text.fold(tag)] += sign
            if sign > 0 and text.fold(tag) not in self.context.tags:
                self._new_tags.setdefault(text.fold(tag), tag)

    def _month(self, start: datetime) -> dict[Group, list[Seconds]]:
        label = packed_months.label_of(start)
        if label not in self._months:
            read = self.context.months[label]
            self._months[label] = {group: [*sessions] for group, sessions in read.items()}
        return self._months[label]


def _change(session: TimeSession) -> str:
    return f"{clock.to_text(session.updated_at)}#{session.id}"


def _taken(item: Item | None) -> Exception:
    error = duplicate_entry("externalId", "another session of this user has this external id")
    if item is not None and item.data is not None:
        error.details = {**(error.details or {}), "existingId": item.data["id"]}
    return error
