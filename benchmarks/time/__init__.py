"""Benchmarks of tracked time."""
