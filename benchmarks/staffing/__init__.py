"""Hours reports and lists of organizations with many assignments.

Such organizations would take an engine minutes to write, so they are built first (`plan`, `items`), loaded into a new
table at once (`load`), and then measured (`measure`, `reports`, `lists`).
"""
