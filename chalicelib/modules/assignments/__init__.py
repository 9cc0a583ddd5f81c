"""Assignments: workers at positions, for a time."""
