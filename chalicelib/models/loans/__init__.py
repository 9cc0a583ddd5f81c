"""Loans between organizations: terms, schedules, repayments and covenants."""
