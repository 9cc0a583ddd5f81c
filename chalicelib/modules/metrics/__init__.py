"""Metrics: what an organization measures of itself, and what it comes to."""
