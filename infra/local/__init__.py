"""The product on one machine: engines for table, queue and mail, the app behind a local gateway, and the pump."""
