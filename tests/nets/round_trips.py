"""What an action may cost in round trips to the table."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.action.registry import REGISTRY, Action
from tests.support.api import Answer
from tests.support.arrange import names

READ, PAGE_LIST, WRITE = 2, 3, 3

_PARENTS = "one read more, for the parents of all that is shown"
_CHILDREN = "the children are found by index, then read"
_NAMED = "one read more, for whom and what it names"
_LANES = "a query for each of five lanes, more where one holds over 1 MB; then the assignments; then what they name"
_MOVED = "the assignment, then worker, position and months that it moves, then whom and what it names"
_WARNED = "what may clash lies on timelines, a query a lane, and is read by id"
_MARKS = "one read more, for what of it the caller has read and archived"
_VALUES = "one read more, for what it came to last; and those of the sources, where that is due"
_DASHBOARDS = "a query for each of two dashboards; then what is shown, and who has created it"
_RESERVED = "the attempt is reserved before the password is tried"
_REPORT = "the hours, and the names and rates of whom and what they are about: a read each"

EXCEPTIONS: dict[str, tuple[int, str]] = {
    "calculateMetrics": (7, "definitions, states, definitions, what they ask of their sources, what they came to"),
    "cancelAssignment": (5, _MOVED),
    "createAssignment": (4, _NAMED),
    "deleteAssignment": (5, _MOVED),
    "endAssignment": (5, _MOVED),
    "exportReportToCsv": (3, _REPORT),
    "generateHoursReport": (3, _REPORT),
    "getActivitiesByEntity": (3, _MARKS),
    "getActivitiesByType": (3, _MARKS),
    "getAssignment": (3, _NAMED),
    "getAssignments": (9, _LANES),
    "getClientWithLocations": (4, _CHILDREN),
    "getDashboardMetrics": (6, _VALUES),
    "getDashboardWidgets": (4, _DASHBOARDS),
    "getHoursReport": (3, _REPORT),
    "getMetricById": (3, _VALUES),
    "getMetricHistory": (3, "one read more, for who may see it"),
    "getMetricsByCategory": (6, _VALUES),
    "getPosition": (3, _PARENTS),
    "getPositions": (4, _PARENTS),
    "getQuickActions": (3, "found by index, then read by id, each 100 at once"),
    "getRecentActivities": (3, _MARKS),
    "getUnreadCount": (4, "how far the caller has read, what happened since, and what of that is marked"),
    "getWidgetById": (3, "one read more, for who has created it"),
    "getWidgetData": (8, f"of a calendar: {_LANES}"),
    "getWidgetsByType": (4, _DASHBOARDS),
    "getWorkLocation": (3, _PARENTS),
    "getWorkLocationWithPositions": (5, f"{_CHILDREN}; {_PARENTS}"),
    "getWorkLocations": (4, _PARENTS),
    "getWorkers": (6, "what a page's workers do this month, and where: months, positions, work locations"),
    "getWorkerWithAssignments": (7, _LANES),
    "importWorkers": (
        6,
        "an earlier try's answer and parts are looked for; each 30 rows are a look at phones and a transaction",
    ),
    "signIn": (4, _RESERVED),
    "resendInvitation": (4, "one read more, for what is left of the limits on mail"),
    "updateAssignment": (6, f"{_MOVED}; {_WARNED}"),
    "updatePassword": (5, f"an earlier try's answer is looked for; {_RESERVED}"),
}
"""Actions that may cost more: how much, and why."""

Report = Callable[[dict[str, object]], None]


def _is_page_list(action: Action) -> bool:
    return action.data_type is not None and {"page", "page_size"} <= {*action.data_type.model_fields}


PAGE_LISTS = names(_is_page_list)


def hold(action: str, answer: Answer, limit: int, report: Report, of: str = "") -> None:
    """Reports what an answer cost, and fails when it was more than it may."""
    allowed, reason = EXCEPTIONS.get(action, (limit, ""))
    report({"action": action, "operations": answer.recording.operations, "of": of})
    assert answer.status == REGISTRY[action].status, answer.text
    assert answer.round_trips <= allowed, f"{action}{of} makes {answer.recording.operations} {reason}"
