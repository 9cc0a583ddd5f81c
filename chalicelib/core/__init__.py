"""Domain-free ground: errors, contracts, clock, ids, text, settings, observability."""
