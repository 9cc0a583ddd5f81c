"""Metrics: definitions, results, history."""
