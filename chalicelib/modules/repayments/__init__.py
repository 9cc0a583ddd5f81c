"""Repayments of loans between organizations."""
