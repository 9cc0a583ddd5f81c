"""Authentication and authorization: passwords, sessions, codes, the permission table."""
