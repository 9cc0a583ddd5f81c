"""Time sessions: the work of users, from when to when."""
