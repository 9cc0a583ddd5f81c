"""Time sessions: what users have worked on, from when to when."""
