"""Activities: the feed of an organization, and each user's read state."""
