"""Hourly rates: bill rates of positions and pay rates of workers, each from a day on."""
