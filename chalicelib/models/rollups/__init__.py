"""Rollups: bucket sums of a source, and the levels and integrals read from them."""
