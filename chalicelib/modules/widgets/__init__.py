"""Widgets: the tiles of dashboards, their arrangement, and their data."""
