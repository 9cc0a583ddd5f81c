"""The calculation engine: the query language, its catalogue of sources, rollups, and what queries come to."""
