"""Hours reports."""
