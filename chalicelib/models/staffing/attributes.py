"""Item attributes of staffing: written on their own, apart from the fields of a worker or position."""

from __future__ import annotations

from chalicelib.dal.item import Document, Packed, Text, attribute

WORKLOAD = attribute("workload", Document())
"""Counts of the assignments of a worker or position; see `models.staffing.workload`."""
LONG_RUNNING = attribute("long_running", Document())
"""A worker's assignments without an end, or too long for the counts by month, by id."""
FIRST_BOOKED_AT = attribute("first_booked_at", Text())
"""The instant of the first booking of a worker, whatever became of it."""
RATES = attribute("rates", Document())
"""Hourly rates by the day from which they apply."""
DAY = attribute("day", Document())
"""Counts of a workload day; see `models.staffing.workload_days`."""
SPANS = attribute("spans", Packed())
"""A month of a worker's assignments, packed; see `models.staffing.packed_months`."""
