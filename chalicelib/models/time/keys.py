"""The keys of projects and time, and the access patterns they serve.

| query                                           | answered by                                            |
| ----------------------------------------------- | ------------------------------------------------------ |
| the live tasks of a project, in their order      | index `ORG#<org>#TASK#PROJECT#<id>` / `at`             |
| the members of a project                        | `ORG#<org>#PROJECTMEMBER#<project>` / `<user>`         |
| rates of tracked time, of all levels            | `ORG#<org>#TIMERATES` / `<LEVEL>#<id>`                 |
| the running timer of a user                      | `ORG#<org>#TIMER` / `<user>`                           |
| time sessions of a user, by time                 | index `ORG#<org>#TIMESESSION#USER#<id>` / `at`         |
| … of a project; all                              | likewise; index `ORG#<org>#TIMESESSION` / `at`         |
| … by their last change                           | `ORG#<org>#TIMECHANGE#<user>` / instant, id            |
| … of some months, packed                         | `ORG#<org>#TIMEMONTH` / `<yyyy-mm>#<user>`             |
| locks, frozen weeks and tags of a user           | `ORG#<org>#TIMEACCOUNT` / `<user>`                     |
| the timesheets of a user, by week                | `ORG#<org>#TIMESHEET` / `<user>#<first day>`           |
| the spelling of a tag                            | `ORG#<org>#TIMETAG` / folded tag                       |
| the task that imports mean by a title            | `ORG#<org>#TASK#IMPORTED#<project>` / SHA-256 of title |
| the reported use of a project's budget          | `ORG#<org>#BUDGETUSE` / `<project>#<month or TOTAL>`   |
| who has an external id                           | `ORG#<org>#TIMESESSION#EXTERNAL#<user>` / SHA-256      |
"""

from __future__ import annotations

from uuid import UUID

from chalicelib.core import text
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.keys import Key, digest, partition

_TIME_RATES = "TIMERATES"


def project_members(organization: OrganizationId, project: UUID) -> str:
    return f"{partition(organization, 'PROJECTMEMBER')}#{project}"


def timesheets(organization: OrganizationId) -> str:
    """Weeks of users that were submitted, by user and first day."""
    return partition(organization, "TIMESHEET")


def time_rates(organization: OrganizationId) -> str:
    """One partition for all levels: an analysis prices with any of them."""
    return partition(organization, _TIME_RATES)


def is_time_rates(pk: str) -> bool:
    return pk.endswith(f"#{_TIME_RATES}")


def time_accounts(organization: OrganizationId) -> str:
    """One item a user, and one for everybody."""
    return partition(organization, "TIMEACCOUNT")


def time_months(organization: OrganizationId) -> str:
    """Packed sessions, month first, so that an analysis over all users is one range."""
    return partition(organization, "TIMEMONTH")


def time_changes(organization: OrganizationId, user: UUID) -> str:
    """A user's time sessions by their last change: clients that sync read it consistently."""
    return f"{partition(organization, 'TIMECHANGE')}#{user}"


def time_tags(organization: OrganizationId) -> str:
    """The spelling of each tag, by its folded form."""
    return partition(organization, "TIMETAG")


def budget_use(organization: OrganizationId, project: UUID, period: str) -> Key:
    """The thresholds of one period that were reported; `period`: a month, or TOTAL."""
    return Key(partition(organization, "BUDGETUSE"), f"{project}#{period}")


def external_id(organization: OrganizationId, user: UUID, external: str) -> Key:
    """Hashed, and with its case: it is another system's."""
    return Key(f"{partition(organization, 'TIMESESSION')}#EXTERNAL#{user}", digest(external))


def imported_task(organization: OrganizationId, project: UUID, title: str) -> Key:
    """Titles are not unique, but imports at once must not create a task twice."""
    return Key(f"{partition(organization, 'TASK')}#IMPORTED#{project}", digest(text.unique_form(title)))


def timers(organization: OrganizationId) -> str:
    """The running timers, one a user at most: its key is the user's."""
    return partition(organization, "TIMER")
