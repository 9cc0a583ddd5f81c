"""Metrics of organizations with ever so many assignments, and the schedule of ever so many organizations."""
