"""The engine: evaluates queries from rollups, or by scanning rows, and caches results."""
