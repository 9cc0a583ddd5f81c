"""Dashboards: metrics and their state, widgets, quick actions."""
