"""Widgets: what dashboards show, how they are arranged, and the data that fills them."""
