"""Server actions: registry, the steps of a request, HTTP binding, OpenAPI."""
