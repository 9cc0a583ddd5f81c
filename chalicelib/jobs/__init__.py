"""What runs without a caller: stream consumer, queue worker, schedules, operator functions."""
