"""Benchmarks of metrics: organizations with many assignments, and the schedule of many organizations."""
