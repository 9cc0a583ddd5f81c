"""The query language: sources and fields, conditions, aggregates, expressions, periods."""
