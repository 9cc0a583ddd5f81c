"""What every server action shares: registry, the seven steps, HTTP binding, OpenAPI."""
