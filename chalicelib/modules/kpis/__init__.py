"""KPIs of loans between organizations: covenants, their tests, and waivers."""
