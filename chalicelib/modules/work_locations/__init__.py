"""Work locations: the places of a client where workers work."""
