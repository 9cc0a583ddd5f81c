"""`ETag`, `If-None-Match` and `If-Match`, on all reads and writes that support them."""

from __future__ import annotations

import re

import pytest

from chalicelib.action.registry import REGISTRY
from tests.support.arrange import Arranged, arrange, names, takes_header
from tests.support.audit_entries import entries_of
from tests.support.factories import Organization
from tests.support.store import Snapshot, Store, entity_in, plain

TAGGED_READS = names(lambda action: takes_header(action, "If-None-Match"))
CONDITIONAL_WRITES = names(lambda action: takes_header(action, "If-Match"))


@pytest.mark.parametrize("action", TAGGED_READS)
def test_a_known_entity_is_not_sent_again(home: Organization, action: str) -> None:
    # Given a read that was answered with a tag
    arranged = arrange(action, home)
    first = arranged.send()
    tag = first.headers["ETag"]
    field = arranged.action.entity_field
    version = (first.data[field] if field else first.data)["version"]
    assert re.fullmatch(rf'"{version}-[0-9a-f]{{24}}"', tag)
    # When it is repeated with the tag, in any form
    for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = arranged.send(headers={"If-None-Match": condition})
        # Then the answer is that nothing has changed
        assert (answer.status, answer.text) == (304, ""), condition
        assert answer.headers["ETag"] == tag
        assert answer.headers["X-Request-Id"]
    # And with another tag the entity is sent
    assert arranged.send(headers={"If-None-Match": '"0-0"'}).data == first.data


@pytest.mark.parametrize("action", CONDITIONAL_WRITES)
def test_a_stale_tag_changes_nothing(home: Organization, store: Store, action: str) -> None:
    arranged = arrange(action, home)
    before = store.items()
    version = _version_of_target(arranged, store, before)

    for stale in (version - 1, version + 1, 999_999_999):
        answer = arranged.send("a key", headers={"If-Match": f'"{stale}"'})

        assert (answer.status, answer.code) == (412, "PRECONDITION_FAILED"), f"{action} with {stale}: {answer.text}"
        assert not store.changes(before)


@pytest.mark.parametrize("action", CONDITIONAL_WRITES)
def test_a_write_with_the_current_tag_succeeds(home: Organization, store: Store, action: str) -> None:
    arranged = arrange(action, home)
    before = store.items()
    version = _version_of_target(arranged, store, before)

    for condition in (f'"{version}"', f'"0-0", "{version}"', "*"):
        store.restore(before)
        answer = arranged.send("a key", headers={"If-Match": condition})

        assert answer.status == arranged.action.status, f"{action} with {condition}: {answer.text}"


@pytest.mark.parametrize("action", CONDITIONAL_WRITES)
def test_the_tag_of_the_read_is_the_tag_for_the_write(home: Organization, action: str) -> None:
    read = next((name for name in TAGGED_READS if _is_read_of(name, action)), None)
    # KPIs are below a loan, and have versions of their own.
    if read is None or action in {"deleteKpi", "updateKpi", "waiveKpiBreach"}:
        pytest.skip("no read shows the version of what it changes")
    arranged = arrange(action, home)
    assert arranged.sender is not None
    tag = home.api.call(read, arranged.sender.token, path=arranged.call.path).headers["ETag"]

    # A tag is compared as a whole, but for the digest of what follows from other entities.
    version, _, rest = tag.strip('"').partition("-")
    others = [f'"{version}-{"0" * 24}"', f'"{version}-{rest[:-1]}"', f'"{version}-"', f'"{version}x"']
    for other in others:
        refused = arranged.send(headers={"If-Match": other})
        assert (refused.status, refused.code) == (412, "PRECONDITION_FAILED"), f"{action} with {other}: {refused.text}"
    answer = arranged.send(headers={"If-Match": tag})
    again = arranged.send(headers={"If-Match": tag})

    assert answer.status == arranged.action.status
    assert again.status >= 400 or action in {"executeQuickAction", "resendInvitation"}  # they do not change it


CLOCKS = {"getCurrentTimer"}
"""Reads that show the time, so that two are never the same: their writes compare the version, which is shown, too."""


@pytest.mark.parametrize("action", CONDITIONAL_WRITES)
def test_the_read_of_what_a_write_changes_has_a_tag(action: str) -> None:
    """A write at the path of a read honours the tag that the read gives. Lists have none: their rows have versions."""
    written = REGISTRY[action]
    reads = [
        read
        for read in REGISTRY.values()
        if (read.method, read.path) == ("GET", written.path) and read.name not in CLOCKS
    ]
    fields = [getattr(read.output_type, "model_fields", {}) for read in reads]
    assert [read.name for read, shown in zip(reads, fields, strict=True) if "next_cursor" not in shown] == [
        read.name for read in reads if read.shows_version
    ]


def _is_read_of(read: str, write: str) -> bool:
    """Return True if the write's path is or continues the read's."""
    write_path, read_path = REGISTRY[write].path, REGISTRY[read].path
    return write_path == read_path or (bool(REGISTRY[read].parameters) and write_path.startswith(read_path + "/"))


def _version_of_target(arranged: Arranged, store: Store, before: Snapshot) -> int:
    """Return the version of the entity that a write changes: run the write, then restore the table."""
    answer = arranged.send()
    assert answer.status == arranged.action.status, answer.text
    entry = entries_of(arranged.action, store.changes(before)).own
    store.restore(before)
    item = entity_in(before, arranged.organization.id, entry["entityType"], entry["entityId"])
    assert item is not None, f"{arranged.call.action} supports If-Match, but its target did not exist before"
    return int(plain(item)["version"])
