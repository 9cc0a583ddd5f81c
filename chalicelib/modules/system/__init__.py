"""The service itself: health and documentation."""
