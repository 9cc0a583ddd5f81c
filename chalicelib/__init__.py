"""Workledger: the product's code. `docs/decisions/layout.md` explains the floors."""
