"""The allowed number of round trips to the table, by action."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.action.registry import REGISTRY, Action
from tests.support.api import Answer
from tests.support.arrange import names

READ, PAGE_LIST, WRITE = 2, 3, 3

_PARENTS = "one more read, for the parents of the shown entities"
_CHILDREN = "the index gives the children, which are then read"
_NAMED = "one more read, for the names of the referenced entities"
_INTERVALS = "the intervals of all length classes at the same time, which hold the assignments; then their names"
_CHANGED = "the assignment; then the worker, position and months that it changes; then the names"
_OVERLAPS = "the overlapping assignments"
_TASK = "the task; then its project, and the user it is for"
_SESSION = "the session; then account, months, work and rates"
_TIMER = "the timer; then account, months, work and rates"
_BULK = "the chunks of an earlier attempt; a session, what its write needs, and a transaction for each of two"
_SHEET = "the timesheet with account and timer; then the rates, and the months of the week"
_READ_STATE = "one more read, for the caller's read state"
_VALUES = "one more read, for the last result; if that is due, also those of the sources"
_LEDGER = "the loan; then its repayments"
_KPI = "the loan and the KPI; then its tests, and, where it is the next one due, the others"
_DASHBOARDS = "a query for each of two dashboards; then the shown entities and their creators, and their metrics"
_RESERVED = "the attempt is reserved before the password is checked"
_REPORT = "a read for the hours, and one for names and rates"

EXCEPTIONS: dict[str, tuple[int, str]] = {
    "calculateMetrics": (6, "states, definitions, reads of the sources, results"),
    "cancelAssignment": (5, _CHANGED),
    "createTimeSession": (4, "the task, which says the project; then account, month, work and rates"),
    "createAssignment": (4, _NAMED),
    "deleteTimeSession": (4, _SESSION),
    "deleteTimeSessions": (10, _BULK),
    "getTimeSession": (3, "the session; then its project, lock and rates"),
    "listTags": (3, "the uses on the accounts, and the spellings"),
    "startTimer": (4, _TIMER),
    "stopTimer": (4, _TIMER),
    "updateTimeSession": (4, _SESSION),
    "updateTimeSessions": (10, _BULK),
    "updateTimer": (4, _TIMER),
    **dict.fromkeys(("deactivateUser", "deleteUser"), (4, "one more read, for the user's timer")),
    "deleteTask": (4, _TASK),
    "deleteAssignment": (5, _CHANGED),
    "endAssignment": (5, _CHANGED),
    "exportReportToCsv": (3, _REPORT),
    "exportTimeSessionsToCsv": (6, "an index, the sessions, their rates and locks, and their names"),
    "generateHoursReport": (3, _REPORT),
    "getActivitiesByEntity": (3, _READ_STATE),
    "getActivitiesByType": (3, _READ_STATE),
    "getAssignment": (3, _NAMED),
    "getAssignments": (4, f"a search reads the name index; {_INTERVALS}"),
    "getClientWithLocations": (3, _CHILDREN),
    "getDashboardMetrics": (4, _VALUES),
    "getDashboardWidgets": (5, _DASHBOARDS),
    "getHoursReport": (3, _REPORT),
    "getMetricById": (3, _VALUES),
    "getMetricHistory": (4, "one more read, for its permissions, and one for the names of groups"),
    "getMetricsByCategory": (4, _VALUES),
    "getPosition": (3, _PARENTS),
    "getPositions": (3, _PARENTS),
    "getQuickActions": (3, "the index gives ids, which are then read, 100 at once"),
    "getRecentActivities": (3, _READ_STATE),
    "getAnalyticsSummary": (5, "accounts; months and rates; names; and the summary is cached"),
    "getTask": (3, _TASK),
    "getTimesheet": (4, _SHEET),
    **dict.fromkeys(("approveTimesheet", "rejectTimesheet", "reopenTimesheet", "withdrawTimesheet"), (5, _SHEET)),
    "submitTimesheet": (6, f"{_SHEET}; and those who may approve it"),
    **dict.fromkeys(("lockTimesheet", "unlockTimesheet"), (7, f"the user; {_BULK}")),
    **dict.fromkeys(("getPayoff", "getRepaymentSchedule", "listRepayments"), (3, _LEDGER)),
    **dict.fromkeys(("recordRepayment", "reverseRepayment", "settleLoan"), (4, _LEDGER)),
    **dict.fromkeys(("listKpiTests", "listKpis"), (3, "the loan; then its KPIs, or the tests of one")),
    **dict.fromkeys(("deleteKpi", "updateKpi", "waiveKpiBreach"), (4, _KPI)),
    "recordKpiValue": (5, _KPI),
    "getUnreadCount": (4, "the caller's last reading, the activities since, and their read state"),
    "getWidgetById": (3, "one more read, for its creator"),
    "getWidgetData": (5, f"of a calendar: {_INTERVALS}"),
    "getWidgetsByType": (5, _DASHBOARDS),
    "getWorkLocation": (3, _PARENTS),
    "getWorkLocationWithPositions": (3, f"{_CHILDREN}, beside {_PARENTS}"),
    "getWorkLocations": (3, _PARENTS),
    "getWorkers": (5, "of a cursor list: the months, positions and work locations of its workers"),
    "getWorkerWithAssignments": (3, _INTERVALS),
    "importTimeSessions": (
        12,
        "an earlier attempt's answer and chunks; names; missing ones; per 20 of these and per 20 rows a transaction",
    ),
    "importWorkers": (
        6,
        "a read of an earlier attempt's answer and chunks; per 30 rows a read of phones and a transaction",
    ),
    "listProjectMembers": (4, f"the project, its members; {_NAMED}"),
    "listTasks": (4, f"the project; {_CHILDREN}"),
    "signIn": (4, _RESERVED),
    "resendInvitation": (4, "one more read, for the limits on mail"),
    "updateAssignment": (5, f"{_CHANGED}, at the same time as {_OVERLAPS}"),
    "updateTask": (4, _TASK),
    "updatePassword": (5, f"a read of an earlier attempt's answer; {_RESERVED}"),
}
"""Actions that may cost more: the number of round trips and the reason.

One less is allowed where what the request names comes with the caller.
"""

Report = Callable[[dict[str, object]], None]


def _is_page_list(action: Action) -> bool:
    return action.data_type is not None and {"page", "page_size"} <= {*action.data_type.model_fields}


PAGE_LISTS = names(_is_page_list)


def hold(action: str, answer: Answer, limit: int, report: Report, of: str = "") -> None:
    """Report the cost of an answer, and fail if it exceeds the limit. `of`: the variant of the request."""
    allowed, reason = EXCEPTIONS.get(action, (limit, ""))
    allowed -= REGISTRY[action].entity is not None or REGISTRY[action].ahead is not None
    report({"action": action, "trips": answer.round_trips, "operations": answer.recording.operations, "of": of})
    assert answer.status == REGISTRY[action].status, answer.text
    assert answer.round_trips <= allowed, f"{action}{of} makes {answer.recording.operations} {reason}"
    # Each chunk of a chunked write reads what it needs.
    repeated = set() if REGISTRY[action].is_in_parts else answer.recording.repeated_reads()
    assert not repeated, f"{action}{of} reads {repeated} more than once"
