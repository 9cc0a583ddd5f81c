"""The timer: start, switch, pause, resume, change, stop and discard it."""
