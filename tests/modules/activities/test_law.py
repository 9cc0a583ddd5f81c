"""Marks in any order: the count and the lists agree with a simple model."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.models.users import Role
from tests.support.activity_helpers import mark, read_all, record, unread, walked
from tests.support.api import Api
from tests.support.factories import Member, new_organization
from tests.support.hypothesis_profile import law

STEPS = st.tuples(
    st.sampled_from(["record", "read", "read", "archive", "archive", "unarchive", "read all"]),
    st.integers(0, 1),
    st.integers(0, 5),
)
_ACTIONS = {"read": "markActivityAsRead", "archive": "archiveActivity", "unarchive": "unarchiveActivity"}


@dataclass
class Reader:
    """A user, and the model of their marks."""

    member: Member
    read: set[str] = field(default_factory=set)
    archived: set[str] = field(default_factory=set)

    def do(self, step: str, recorded: list[str], which: int) -> None:
        if step == "read all":
            read_all(self.member)
            self.read |= {*recorded}
        else:
            activity = recorded[which % len(recorded)]
            mark(self.member, _ACTIONS[step], activity)
            if step == "read":
                self.read.add(activity)
            elif step == "archive":
                self.archived.add(activity)
            else:
                self.archived.discard(activity)

    def check(self, recorded: list[str]) -> None:
        newest_first = recorded[::-1]
        for is_archived in (False, True):
            shown = walked(self.member, query={"limit": "2", "archived": str(is_archived).lower()})
            expected = [value for value in newest_first if (value in self.archived) == is_archived]
            assert [(value["id"], value["isRead"]) for value in shown] == [
                (value, value in self.read) for value in expected
            ]
        assert unread(self.member) == len({*recorded} - self.read - self.archived)


@law(4)
@given(steps=st.lists(STEPS, min_size=4, max_size=12))
def test_marks_are_what_a_model_remembers(api: Api, steps: list[tuple[str, int, int]]) -> None:
    organization = new_organization(api)
    readers = [Reader(organization.owner), Reader(organization.enrol(Role.VIEWER))]
    recorded = [record(organization.owner)["id"] for _ in range(3)]
    for step, who, which in steps:
        if step == "record":
            recorded.append(record(organization.owner)["id"])
        else:
            readers[who].do(step, recorded, which)
    for reader in readers:
        reader.check(recorded)
