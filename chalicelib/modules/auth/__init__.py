"""Signing up, in and out; own sessions, profile, password and preferences."""
