"""Timesheets: weeks that are submitted and approved, and locks of past time."""
