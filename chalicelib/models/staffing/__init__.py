"""Staffing: clients, work locations, positions, workers, assignments, rates and workload."""
