"""Loans between organizations: offers, schedules, and the end of a loan."""
