"""Who is calling and what they may do: passwords, sessions, codes, the permission table."""
