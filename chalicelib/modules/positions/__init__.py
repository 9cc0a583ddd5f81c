"""Positions: what is to be done at a work location, and by how many workers."""
