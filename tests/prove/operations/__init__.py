"""What a client does: each operation asks for at least one write."""
