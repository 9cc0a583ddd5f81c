"""The caller's organization."""
