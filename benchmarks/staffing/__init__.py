"""Benchmarks of hours reports and lists, in organizations with many assignments.

An engine would take minutes to write them, so they are built first (`plan`, `items`), imported into a new table
(`load`), and then measured (`measure`, `reports`, `lists`).
"""
