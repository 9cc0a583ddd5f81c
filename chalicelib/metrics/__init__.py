"""The calculation engine: the query language, rollups, evaluation, and charts of results."""
