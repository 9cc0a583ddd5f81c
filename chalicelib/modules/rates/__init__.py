"""Hourly rates: what positions are billed at and what workers are paid, each from a day on."""
