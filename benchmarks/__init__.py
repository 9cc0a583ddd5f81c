"""Measured figures, printed, never asserted: `make bench`."""
