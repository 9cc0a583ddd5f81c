"""Quick actions: what a dashboard offers at one click, and running it."""
