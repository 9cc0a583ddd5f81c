"""Metrics: the query language with its catalogue of sources, the engine, rollups and charts."""
