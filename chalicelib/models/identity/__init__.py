"""Identity: credentials, sessions, and the caller behind a token."""
