"""Benchmarks: figures that are printed, never asserted. Run by `make bench`."""
