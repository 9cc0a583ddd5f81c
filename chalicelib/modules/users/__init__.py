"""The members of the caller's organization."""
