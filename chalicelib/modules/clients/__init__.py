"""Clients: the companies that workers are lent to."""
