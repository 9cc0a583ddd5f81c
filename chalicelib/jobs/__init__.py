"""Functions without a caller: stream consumers, queue workers, schedules, operator functions."""
