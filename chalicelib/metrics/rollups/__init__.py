"""Rollup maintenance: applies changes of entities to buckets and reconciles them."""
