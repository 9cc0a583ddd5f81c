"""Activities: what happened, for everyone to follow, and what each has read of it."""
