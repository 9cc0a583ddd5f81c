"""The operations of a client. Each sends at least one write."""
