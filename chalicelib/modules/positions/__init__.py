"""Positions: work to be done at a work location, by a number of workers."""
