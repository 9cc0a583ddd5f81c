"""Hourly rates of tracked time, at four levels."""
